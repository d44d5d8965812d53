import { createCommit, type CiphersuiteImpl, type ClientState, type Proposal } from "ts-mls";
import {
  AppError,
  settledRoomState,
  type DeviceId,
  type GroupChange,
  type GroupMember,
  type RoomState,
} from "#protocol";
import { wipe } from "../primitives/index.ts";
import { lifetimeAllowsAdding } from "./client-config.ts";
import { decodeKeyPackage, encodePrivateMessage, encodeWelcome } from "./codec.ts";
import { mappingErrors } from "./errors.ts";
import { groupInfoOf } from "./group-begin.ts";
import {
  committableProposals,
  epochOf,
  leavingLeaves,
  wipeState,
  withoutPast,
  type GroupMemory,
} from "./memory.ts";
import { leavesOf, peopleAmong, roomExtensions, roomStateOf } from "./room.ts";
import { judgeCommit } from "./rules.ts";

/** What a commit is to do; nothing at all renews this device's keys. What others who leave have asked for is always included. */
export interface WantedChanges {
  /** MLSMessages, one per device. */
  readonly addKeyPackages: readonly Uint8Array[];
  readonly removeDevices: readonly DeviceId[];
  readonly roomState: RoomState | null;
  /** Goes along in clear, signed. */
  readonly authenticatedData?: Uint8Array;
}

/** A commit, and the group that waits for the relay to order it. */
export interface PreparedCommit {
  readonly memory: GroupMemory;
  readonly epoch: number;
  readonly bytes: Uint8Array;
  readonly welcome: Uint8Array | null;
  /** For the epoch that the commit leads to. */
  readonly groupInfo: Uint8Array;
  readonly added: readonly GroupMember[];
  readonly removed: readonly GroupMember[];
}

/**
 * Makes a commit without leaving the epoch: the loser of a race must still process the winner. Source: RFC 9420 §12.4.1, §14.
 *
 * @param nowMs - the worker's time, for the lifetimes of key packages
 * @throws AppError `not-allowed`, `not-ready` while another commit of ours is under way, `not-found`, `device-unknown`,
 *   `key-packages-exhausted`, `commit-refused`, `frame-malformed`
 */
export async function prepareCommit(
  memory: GroupMemory,
  wanted: WantedChanges,
  nowMs: number,
): Promise<PreparedCommit> {
  const { impl, gate } = memory;
  if (memory.pending !== null) {
    throw new AppError("not-ready", { data: { reason: "a commit is under way" } });
  }
  const { unappliedProposals } = memory.state;
  const state = { ...memory.state, unappliedProposals: committableProposals(memory.state) };
  const proposals = proposalsOf(state, wanted, nowMs);
  const committerLeaf = state.privatePath.leafIndex;
  const change = judgeCommit({
    extensions: state.groupContext.extensions,
    leaves: leavesOf(state.ratchetTree),
    committerLeaf,
    proposals: [
      ...Object.values(state.unappliedProposals),
      ...proposals.map((proposal) => ({ proposal, senderLeafIndex: committerLeaf })),
    ],
    standing: gate.standing,
    at: "now",
  });
  gate.takeUnknown();
  const made = await mappingErrors("commit-refused", () =>
    createCommit(
      { state, cipherSuite: impl },
      {
        extraProposals: proposals,
        ratchetTreeExtension: true,
        authenticatedData: wanted.authenticatedData ?? new Uint8Array(),
      },
    ),
  );
  const [unknown] = gate.takeUnknown();
  if (unknown !== undefined) {
    wipeState(made.newState, state);
    throw new AppError("device-unknown", { data: { deviceId: unknown } });
  }
  if (made.commit.wireformat !== "mls_private_message") throw new AppError("internal");
  const next = withoutPast(made.newState);
  return {
    memory: {
      ...memory,
      // What this one leaves out, another one of the epoch may carry out.
      state: { ...made.sentState, unappliedProposals },
      pending: { kind: "commit", next, change, consumed: made.consumed },
    },
    epoch: epochOf(state),
    bytes: encodePrivateMessage(made.commit.privateMessage),
    welcome: made.welcome === undefined ? null : encodeWelcome(made.welcome),
    groupInfo: await groupInfoOf(impl, next),
    added: change.added,
    removed: change.removed,
  };
}

/**
 * The relay has decided: our commit, or another one of the same epoch, which then comes in through `openEntry`. Where no
 * commit is under way any more, losing changes nothing.
 *
 * @param nextImpl - of the suite of what it leads to: another one after a ReInit
 * @returns `memory` is null when a rejoin lost: nothing of the group is left but to rejoin again
 * @throws AppError `not-ready` when a commit that isn't there should have won
 */
export function settleCommit(
  memory: GroupMemory,
  accepted: boolean,
  nextImpl: CiphersuiteImpl = memory.impl,
): { readonly memory: GroupMemory | null; readonly change: GroupChange | null } {
  const { pending } = memory;
  if (pending === null) {
    if (accepted) throw new AppError("not-ready", { data: { reason: "no commit is under way" } });
    return { memory, change: null };
  }
  if (pending.kind === "rejoin") {
    return accepted
      ? { memory: { ...memory, pending: null }, change: pending.change }
      : { memory: null, change: null };
  }
  if (!accepted) {
    // Of what winning would have consumed, this epoch still needs its init secret.
    const { initSecret } = memory.state.keySchedule;
    wipe(...pending.consumed.filter((secret) => secret !== initSecret));
    wipeState(pending.next, memory.state);
    return { memory: { ...memory, pending: null }, change: null };
  }
  wipe(...pending.consumed);
  wipeState(memory.state, pending.next);
  return {
    memory: { ...memory, impl: nextImpl, state: pending.next, pending: null },
    change: pending.change,
  };
}

function proposalsOf(
  state: ClientState,
  { addKeyPackages, removeDevices, roomState }: WantedChanges,
  nowMs: number,
): Proposal[] {
  const proposals: Proposal[] = addKeyPackages.map((bytes) => addOf(state, bytes, nowMs));
  const leaves = [...leavesOf(state.ratchetTree).values()];
  const gone = new Set(leavingLeaves(state));
  for (const device of removeDevices) {
    const leaf = leaves.find(({ deviceId }) => deviceId === device);
    if (leaf === undefined) throw new AppError("not-found", { data: { deviceId: device } });
    if (leaf.leafIndex === state.privatePath.leafIndex) {
      throw new AppError("commit-refused", { data: { reason: "to leave takes a proposal" } });
    }
    // Who has asked to leave is taken out anyway, and only once.
    if (gone.has(leaf.leafIndex)) continue;
    gone.add(leaf.leafIndex);
    proposals.push({ proposalType: "remove", remove: { removed: leaf.leafIndex } });
  }
  const next = nextRoomState(state, gone, roomState);
  if (next !== null) {
    proposals.push({
      proposalType: "group_context_extensions",
      groupContextExtensions: { extensions: roomExtensions(next) },
    });
  }
  return proposals;
}

/** The state that a commit must lead to when `gone` go in it; null: it stays as it is. */
function nextRoomState(
  { groupContext, ratchetTree }: ClientState,
  gone: ReadonlySet<number>,
  wanted: RoomState | null,
): RoomState | null {
  const leaves = leavesOf(ratchetTree);
  const stay = peopleAmong(leaves, gone);
  const stored = roomStateOf(groupContext.extensions);
  if (wanted === null) {
    const settled = settledRoomState(stored, stay);
    return settled === stored ? null : settled;
  }
  // Strangers are left in, for the rules to refuse.
  const known = new Set([...stored.administrators, ...peopleAmong(leaves)]);
  return settledRoomState(wanted, [
    ...stay,
    ...wanted.administrators.filter((id) => !known.has(id)),
  ]);
}

/**
 * Adds by a key package.
 *
 * @throws AppError `commit-refused` for one of another suite, `key-packages-exhausted` for an expired one, `frame-malformed`
 */
export function addOf(state: ClientState, bytes: Uint8Array, nowMs: number): Proposal {
  const keyPackage = decodeKeyPackage(bytes);
  if (keyPackage.cipherSuite !== state.groupContext.cipherSuite) {
    throw new AppError("commit-refused", { data: { suite: keyPackage.cipherSuite } });
  }
  if (!lifetimeAllowsAdding(keyPackage.leafNode.lifetime, nowMs)) {
    throw new AppError("key-packages-exhausted", { data: { reason: "expired" } });
  }
  return { proposalType: "add", add: { keyPackage } };
}
