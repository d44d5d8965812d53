import {
  createCommit,
  createGroup,
  emptyPskIndex,
  joinGroup,
  makePskIndex,
  processPrivateMessage,
  type CiphersuiteImpl,
  type ClientState,
  type PreSharedKeyID,
  type Proposal,
  type Welcome,
} from "ts-mls";
import { makeResumptionPsk } from "ts-mls/resumption.js";
import {
  AppError,
  equalBytes,
  type ConversationId,
  type DeviceId,
  type ErrorCode,
  type GroupChange,
  type SuiteName,
} from "#protocol";
import { wipe } from "../primitives/index.ts";
import type { JudgedAt } from "./client-config.ts";
import { encodeReinitEntry } from "./codec.ts";
import { mapMlsError, mappingErrors } from "./errors.ts";
import { groupInfoOf, privatePackage, readWelcome } from "./group-begin.ts";
import { addOf, type PreparedCommit } from "./group-commit.ts";
import { laterGroupId, placeOfGroup } from "./group-id.ts";
import { createKeyPackage, type OwnDevice, type OwnKeyPackage } from "./key-packages.ts";
import { placeEntry } from "./log-entry.ts";
import { epochOf, wipePending, wipeState, withoutPast, type GroupMemory } from "./memory.ts";
import { leafOf, leavesOf } from "./room.ts";
import { judgeReinit, judgeReinitedLeaves } from "./rules.ts";

/*
 * A conversation goes over to another suite: a ReInit ends its group, and a new group with the same people and the same state, bound to the
 * old one by a resumption PSK, goes on in its place (RFC 9420 §11.2, docs/adr/0027). Both commits travel as one entry of the log, so that nobody
 * ever is between the two: the suspended group lives no longer than it takes to make or to open that entry. The library's own
 * `reinitCreateNewGroup` and `joinGroupFromReinit` take no client configuration, and so would ask nobody whose leaves they let in.
 */

/** This device in the suite that a conversation goes over to. */
export interface NextSuite {
  readonly impl: CiphersuiteImpl;
  readonly device: OwnDevice;
  readonly nowMs: number;
  /** The one that the network's policy names, or did when the conversation went over. */
  readonly suite: SuiteName;
}

/**
 * Makes the entry that takes a conversation over to another suite. The group stays as it is until the relay has ordered it.
 *
 * @param wanted - `keyPackages`: one of each other device in the group, of the new suite; `authenticatedData`: goes along in clear, signed
 * @throws AppError `not-ready` while another commit of ours is under way; `commit-refused`, also while somebody's wish to leave waits or
 *   when somebody is left behind; `key-packages-exhausted`, `device-unknown`, `frame-malformed`
 */
export async function prepareReinit(
  memory: GroupMemory,
  next: NextSuite,
  wanted: {
    readonly keyPackages: readonly Uint8Array[];
    readonly authenticatedData?: Uint8Array;
  },
): Promise<PreparedCommit> {
  const { impl, gate, state, pending } = memory;
  const { suite, nowMs } = next;
  if (pending !== null) {
    throw new AppError("not-ready", { data: { reason: "a commit is under way" } });
  }
  if (Object.keys(state.unappliedProposals).length > 0) {
    throw new AppError("commit-refused", { data: { reason: "somebody's leaving comes first" } });
  }
  const { version, extensions, groupId } = state.groupContext;
  const { conversationId } = placeOfGroup(groupId);
  const place = { conversationId, baseEpoch: epochOf(state) };
  const reinit: Proposal = {
    proposalType: "reinit",
    reinit: {
      groupId: laterGroupId(place, next.impl.rng),
      version,
      cipherSuite: suite,
      extensions,
    },
  };
  const leaves = leavesOf(state.ratchetTree);
  const committerLeaf = state.privatePath.leafIndex;
  const { change } = judgeReinit({
    ...{ groupContext: state.groupContext, leaves, committerLeaf, suite },
    ...{ standing: gate.standing, at: "now" },
    proposals: [{ proposal: reinit, senderLeafIndex: committerLeaf }],
  });
  const ended = await mappingErrors("commit-refused", () =>
    createCommit(
      { state, cipherSuite: impl },
      {
        extraProposals: [reinit],
        authenticatedData: wanted.authenticatedData ?? new Uint8Array(),
      },
    ),
  );
  const suspended = ended.newState;
  try {
    gate.takeUnknown();
    const begun = await begin(suspended, memory, next, wanted.keyPackages);
    const [unknown] = gate.takeUnknown();
    if (unknown !== undefined) {
      wipeState(begun.state, null);
      throw new AppError("device-unknown", { data: { deviceId: unknown } });
    }
    judgeReinitedLeaves(leaves, leavesOf(begun.state.ratchetTree), nowMs);
    if (ended.commit.wireformat !== "mls_private_message") throw new AppError("internal");
    return {
      memory: {
        ...memory,
        state: ended.sentState,
        pending: { kind: "commit", next: begun.state, change, consumed: ended.consumed },
      },
      epoch: epochOf(state),
      bytes: encodeReinitEntry(ended.commit.privateMessage, begun.welcome),
      welcome: null,
      groupInfo: await groupInfoOf(next.impl, begun.state),
      added: [],
      removed: [],
    };
  } finally {
    wipeState(suspended, state);
  }
}

/** The new group, with everybody in it. */
async function begin(
  suspended: ClientState,
  { gate }: GroupMemory,
  { impl, device, nowMs }: NextSuite,
  keyPackages: readonly Uint8Array[],
): Promise<{ readonly state: ClientState; readonly welcome: Welcome | undefined }> {
  const { groupActiveState } = suspended;
  if (groupActiveState.kind !== "suspendedPendingReinit") throw new AppError("internal");
  const { groupId, extensions } = groupActiveState.reinit;
  return mappingErrors("commit-refused", async () => {
    const own = await createKeyPackage(impl, device, { nowMs, lastResort: false });
    const first = await createGroup(
      groupId,
      own.keyPackage,
      privatePackage(own, device),
      extensions,
      impl,
      gate.clientConfig,
    );
    wipe(own.initPrivateKey, own.hpkePrivateKey);
    const psk = makeResumptionPsk(suspended, "reinit", impl).id;
    const made = await createCommit(
      { state: first, cipherSuite: impl, pskIndex: makePskIndex(suspended, {}) },
      {
        extraProposals: [
          ...keyPackages.map((bytes) => addOf(first, bytes, nowMs)),
          { proposalType: "psk", psk: { preSharedKeyId: psk } },
        ],
        ratchetTreeExtension: true,
      },
    );
    wipe(...made.consumed);
    wipeState(first, made.newState);
    return { state: withoutPast(made.newState), welcome: made.welcome };
  });
}

/** How an entry was taken that takes the conversation over to another suite. */
export type ReinitOutcome =
  | {
      readonly kind: "commit";
      readonly memory: GroupMemory;
      readonly change: GroupChange;
      readonly authenticatedData: Uint8Array;
    }
  | { readonly kind: "stale" | "future"; readonly epoch: number }
  | { readonly kind: "device-unknown"; readonly devices: readonly DeviceId[] }
  | { readonly kind: "refused"; readonly code: ErrorCode };

/**
 * Goes over to another suite with everybody else: ends the group, and joins the one that its ender has begun. A refusal leaves the group as it
 * was. Source: RFC 9420 §12.4.3.3.
 *
 * @param entry - `own`: the key package that its Welcome was made for; `at`: when the relay had ordered it, milliseconds
 */
export async function openReinit(
  memory: GroupMemory,
  next: NextSuite,
  entry: {
    readonly conversationId: ConversationId;
    readonly bytes: Uint8Array;
    readonly own: OwnKeyPackage;
    readonly at?: JudgedAt;
  },
): Promise<ReinitOutcome> {
  const { conversationId, bytes, own, at = "now" } = entry;
  const placed = placeEntry(memory, conversationId, bytes);
  if (placed.kind !== "present") return placed;
  if (placed.entry.kind !== "reinit") return { kind: "refused", code: "frame-malformed" };
  const { message, welcome } = placed.entry;
  const { impl, gate, state, pending } = memory;
  const leaves = leavesOf(state.ratchetTree);
  let suspended: ClientState | null = null;
  let joined: ClientState | null = null;
  try {
    gate.takeUnknown();
    const judged: { change?: GroupChange } = {};
    const ended = await processPrivateMessage(state, message, emptyPskIndex, impl, (incoming) => {
      if (incoming.kind !== "commit" || incoming.senderLeafIndex === undefined) return "reject";
      const { proposals, senderLeafIndex: committerLeaf } = incoming;
      judged.change = judgeReinit({
        ...{ groupContext: state.groupContext, leaves, committerLeaf, suite: next.suite },
        ...{ standing: gate.standing, proposals, at },
      }).change;
      return "accept";
    });
    if (ended.kind !== "newState" || judged.change === undefined) {
      throw new AppError("commit-refused");
    }
    suspended = ended.newState;
    const known = makePskIndex(suspended, {});
    const { psks, signer } = await readWelcome(next.impl, welcome, own, known);
    requireResumption(suspended, psks, next.impl);
    joined = await joinGroup(
      welcome,
      own.keyPackage,
      privatePackage(own, next.device),
      known,
      next.impl,
      undefined,
      suspended,
      gate.clientConfig,
    );
    judgeReinitedLeaves(leaves, leavesOf(joined.ratchetTree), at);
    const beginner = signer === undefined ? undefined : leafOf(joined.ratchetTree, signer);
    if (beginner?.deviceId !== judged.change.committer.deviceId) {
      throw refused("begun by somebody else than it was ended by");
    }
    const devices = gate.takeUnknown();
    if (devices.length > 0) {
      wipeState(joined, null);
      return { kind: "device-unknown", devices };
    }
    wipe(...ended.consumed);
    wipePending(pending, joined);
    wipeState(state, joined);
    return {
      kind: "commit",
      memory: { impl: next.impl, gate, state: withoutPast(joined), pending: null },
      change: judged.change,
      authenticatedData: message.authenticatedData.slice(),
    };
  } catch (error) {
    gate.takeUnknown();
    if (joined !== null) wipeState(joined, null);
    return { kind: "refused", code: mapMlsError(error, "commit-refused").code };
  } finally {
    if (suspended !== null) wipeState(suspended, state);
  }
}

/**
 * A Welcome must rest on the suspended group's resumption PSK, and on nothing else. Only where there is one does the library hold the new group's id,
 * version, suite, extensions and epoch against the ReInit. Source: RFC 9420 §8.4, §8.6, §12.4.3.3.
 */
function requireResumption(
  { groupContext }: ClientState,
  psks: readonly PreSharedKeyID[],
  { kdf }: CiphersuiteImpl,
): void {
  const [psk, ...others] = psks;
  const isTheOne =
    others.length === 0 &&
    psk?.psktype === "resumption" &&
    psk.usage === "reinit" &&
    psk.pskEpoch === groupContext.epoch &&
    equalBytes(psk.pskGroupId, groupContext.groupId) &&
    psk.pskNonce.length === kdf.size;
  if (!isTheOne) throw refused("a group that doesn't rest on the one before it");
}

function refused(reason: string): AppError {
  return new AppError("commit-refused", { data: { reason } });
}
