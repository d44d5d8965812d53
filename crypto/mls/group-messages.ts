import {
  createApplicationMessage,
  createProposal,
  emptyPskIndex,
  processPrivateMessage,
  processPublicMessage,
  type ClientState,
  type IncomingMessageCallback,
  type MLSMessage,
  type PrivateMessage,
  type ProposalWithSender,
  type Welcome,
} from "ts-mls";
import { unprotectPrivateMessage } from "ts-mls/messageProtection.js";
import { leafRatchets } from "ts-mls/secretTree.js";
import {
  AppError,
  type ConversationId,
  type DeviceId,
  type ErrorCode,
  type GroupChange,
  type GroupMember,
} from "#protocol";
import { wipe } from "../primitives/index.ts";
import { encodePrivateMessage } from "./codec.ts";
import { mapMlsError, mappingErrors } from "./errors.ts";
import { partOf, placeEntry } from "./log-entry.ts";
import {
  epochOf,
  leavingLeaves,
  requireMembership,
  wipeMemory,
  wipePending,
  wipeState,
  withoutPast,
  type GroupMemory,
} from "./memory.ts";
import type { JudgedAt } from "./client-config.ts";
import { leafOf, leavesOf, type Leaf } from "./room.ts";
import {
  judgeCommit,
  judgeLeaveProposal,
  judgeLeaves,
  judgeRejoin,
  judgeRejoinedLeaves,
  memberOf,
} from "./rules.ts";

/** A sealed entry for the group log, and the group after it. */
export interface SealedEntry {
  readonly memory: GroupMemory;
  readonly epoch: number;
  /** Its place among this device's of the epoch. */
  readonly generation: number;
  readonly bytes: Uint8Array;
}

/**
 * Seals an application message. Source: RFC 9420 §6.3, §9.
 *
 * @throws AppError `epoch-unknown` while a wish to leave waits for its commit (RFC 9420 §12.4), `message-too-long`, `not-ready`
 */
export async function sealApplication(
  memory: GroupMemory,
  content: Uint8Array,
  authenticatedData: Uint8Array,
): Promise<SealedEntry> {
  const { impl, state } = memory;
  requireMembership(memory);
  if (pendingCount(state) > 0) {
    throw new AppError("epoch-unknown", { data: { reason: "somebody's leaving comes first" } });
  }
  const { newState, privateMessage, consumed } = await mappingErrors("internal", () =>
    createApplicationMessage(state, content, impl, authenticatedData),
  );
  const bytes = encodePrivateMessage(privateMessage);
  wipe(...consumed);
  return {
    memory: { ...memory, state: newState },
    epoch: epochOf(state),
    generation: lastGeneration(newState.secretTree, state.privatePath.leafIndex),
    bytes,
  };
}

/**
 * Asks for the removal of all this person's devices, one proposal each, this one's last; not again for those that were asked for
 * in this epoch. Source: RFC 9420 §12.1.3.
 *
 * @throws AppError `not-ready`
 */
export async function proposeLeave(
  memory: GroupMemory,
): Promise<{ readonly memory: GroupMemory; readonly entries: readonly Uint8Array[] }> {
  const { impl } = memory;
  requireMembership(memory);
  const ownLeaf = memory.state.privatePath.leafIndex;
  const leaves = leavesOf(memory.state.ratchetTree);
  const userId = leaves.get(ownLeaf)?.userId;
  const asked = leavingLeaves(memory.state);
  const devices = [...leaves.values()]
    .filter((leaf) => leaf.userId === userId && !asked.has(leaf.leafIndex))
    .sort(
      (left, right) => Number(left.leafIndex === ownLeaf) - Number(right.leafIndex === ownLeaf),
    );
  let { state } = memory;
  const entries: Uint8Array[] = [];
  for (const { leafIndex } of devices) {
    const made = await mappingErrors("internal", () =>
      createProposal(
        state,
        false,
        { proposalType: "remove", remove: { removed: leafIndex } },
        impl,
      ),
    );
    state = made.newState;
    entries.push(encodePrivateMessage(privateMessageOf(made.message)));
    wipe(...made.consumed);
  }
  return { memory: { ...memory, state }, entries };
}

function privateMessageOf(message: MLSMessage): PrivateMessage {
  if (message.wireformat !== "mls_private_message") throw new AppError("internal");
  return message.privateMessage;
}

/** How an entry of another device was taken; see `OpenedEntry` of the worker's contract. */
export type EntryOutcome =
  | {
      readonly kind: "application";
      readonly memory: GroupMemory;
      readonly sender: GroupMember;
      readonly generation: number;
      readonly content: Uint8Array;
      readonly authenticatedData: Uint8Array;
    }
  | {
      readonly kind: "commit";
      readonly memory: GroupMemory;
      readonly change: GroupChange;
      readonly authenticatedData: Uint8Array;
    }
  | { readonly kind: "leave-proposed"; readonly memory: GroupMemory; readonly member: GroupMember }
  | { readonly kind: "removed"; readonly change: GroupChange }
  | { readonly kind: "stale" | "future"; readonly epoch: number }
  /** It takes the conversation over to another suite: see `openReinit`. */
  | { readonly kind: "reinit"; readonly welcome: Welcome }
  | { readonly kind: "device-unknown"; readonly devices: readonly DeviceId[] }
  | {
      readonly kind: "refused";
      readonly code: ErrorCode;
      readonly authenticatedData?: Uint8Array;
    };

/**
 * Opens an entry of another device. Whatever it is, a refusal leaves the group as it was.
 *
 * @param at - when the relay had ordered it, milliseconds
 */
export async function openEntry(
  memory: GroupMemory,
  conversationId: ConversationId,
  bytes: Uint8Array,
  at: JudgedAt = "now",
): Promise<EntryOutcome> {
  const placed = placeEntry(memory, conversationId, bytes);
  if (placed.kind !== "present") return placed;
  const { entry } = placed;
  if (entry.kind === "reinit") return { kind: "reinit", welcome: entry.welcome };
  try {
    if (entry.kind === "external-commit") {
      const { message } = entry;
      return await openCommit(memory, judgingRejoin(memory, at), (judge) =>
        processPublicMessage(memory.state, message, emptyPskIndex, memory.impl, judge),
      );
    }
    const { message } = entry;
    switch (message.contentType) {
      case "application":
        return await openApplication(memory, message);
      case "proposal":
        return await openProposal(memory, message, at);
      case "commit":
        return withData(
          await openCommit(memory, judgingMember(memory, at), async (judge) => {
            const { impl, state } = memory;
            const result = await processPrivateMessage(state, message, emptyPskIndex, impl, judge);
            if (result.kind !== "newState") throw new AppError("commit-refused");
            return result;
          }),
          message,
        );
    }
  } catch (error) {
    memory.gate.takeUnknown();
    const fallback =
      partOf(entry).contentType === "application" ? "message-unopenable" : "commit-refused";
    const { code } = mapMlsError(error, fallback);
    const authenticatedData = partOf(entry).authenticatedData.slice();
    return { kind: "refused", code, ...(authenticatedData.length > 0 && { authenticatedData }) };
  }
}

/** What a commit carried in clear, now that it has proved to be the committer's. */
function withData(outcome: EntryOutcome, { authenticatedData }: PrivateMessage): EntryOutcome {
  return outcome.kind === "commit"
    ? { ...outcome, authenticatedData: authenticatedData.slice() }
    : outcome;
}

async function openApplication(
  memory: GroupMemory,
  message: PrivateMessage,
): Promise<EntryOutcome> {
  const { impl, state } = memory;
  // One level below processPrivateMessage, which keeps the sender and their generation to itself.
  const opened = await unprotectPrivateMessage(
    state.keySchedule.senderDataSecret,
    message,
    state.secretTree,
    state.ratchetTree,
    state.groupContext,
    state.clientConfig.keyRetentionConfig,
    impl,
  );
  const { content } = opened.content;
  if (content.contentType !== "application" || content.sender.senderType !== "member") {
    throw new AppError("frame-malformed");
  }
  const { leafIndex } = content.sender;
  const sender = leafOf(state.ratchetTree, leafIndex);
  const generation = lastGeneration(opened.tree, leafIndex);
  if (sender === undefined) throw new AppError("message-unopenable");
  wipe(...opened.consumed);
  return {
    kind: "application",
    memory: { ...memory, state: { ...state, secretTree: opened.tree } },
    sender: memberOf(sender),
    generation,
    content: content.applicationData.slice(),
    authenticatedData: content.authenticatedData.slice(),
  };
}

/** The generation of the last message that a leaf's ratchet has sealed or opened. */
function lastGeneration(tree: ClientState["secretTree"], leafIndex: number): number {
  return (leafRatchets(tree, leafIndex)?.application.generation ?? 0) - 1;
}

async function openProposal(
  memory: GroupMemory,
  message: PrivateMessage,
  at: JudgedAt,
): Promise<EntryOutcome> {
  const { impl, state } = memory;
  const leaves = leavesOf(state.ratchetTree);
  const judged: { member?: GroupMember; wish?: ProposalWithSender } = {};
  const result = await processPrivateMessage(state, message, emptyPskIndex, impl, (incoming) => {
    if (incoming.kind === "proposal") {
      const { standing } = memory.gate;
      judged.member = judgeLeaveProposal({ leaves, standing, at }, incoming.proposal);
      judged.wish = incoming.proposal;
    }
    return incoming.kind === "proposal" ? "accept" : "reject";
  });
  const { member, wish } = judged;
  if (result.kind !== "newState" || member === undefined || wish === undefined) {
    throw new AppError("commit-refused");
  }
  wipe(...result.consumed);
  // Of a device that says it again nothing more is noted. What several devices of a person say is: a commit names one of it, which another
  // device may have heard of later (see `committableProposals`).
  const repeated = Object.values(state.unappliedProposals).some((known) => sameWish(known, wish));
  const { unappliedProposals } = repeated ? state : result.newState;
  return {
    kind: "leave-proposed",
    memory: { ...memory, state: withoutPast({ ...result.newState, unappliedProposals }) },
    member,
  };
}

function sameWish(left: ProposalWithSender, right: ProposalWithSender): boolean {
  return (
    left.proposal.proposalType === "remove" &&
    right.proposal.proposalType === "remove" &&
    left.proposal.remove.removed === right.proposal.remove.removed &&
    left.senderLeafIndex === right.senderLeafIndex
  );
}

function pendingCount({ unappliedProposals }: ClientState): number {
  return Object.keys(unappliedProposals).length;
}

/** How a commit is judged: in the library's midst, which hands verdicts against it on to `openEntry`, and by what it came to. */
interface Judging {
  readonly judge: IncomingMessageCallback;
  /** @throws AppError unless the commit was judged and came to what it said */
  readonly judgeOutcome: (after: ReadonlyMap<number, Leaf>) => GroupChange;
}

function judgingMember({ state, gate }: GroupMemory, at: JudgedAt): Judging {
  const leaves = leavesOf(state.ratchetTree);
  let change: GroupChange | undefined;
  return {
    judge(incoming) {
      if (incoming.kind !== "commit" || incoming.senderLeafIndex === undefined) return "reject";
      change = judgeCommit({
        extensions: state.groupContext.extensions,
        leaves,
        committerLeaf: incoming.senderLeafIndex,
        proposals: incoming.proposals,
        standing: gate.standing,
        at,
      });
      return "accept";
    },
    judgeOutcome(after) {
      if (change === undefined) throw new AppError("commit-refused");
      judgeLeaves(leaves, after, change);
      return change;
    },
  };
}

function judgingRejoin({ state, gate }: GroupMemory, at: JudgedAt): Judging {
  const { extensions } = state.groupContext;
  const leaves = leavesOf(state.ratchetTree);
  let former: Leaf | undefined;
  return {
    judge(incoming) {
      if (incoming.kind !== "commit" || incoming.senderLeafIndex !== undefined) return "reject";
      former = judgeRejoin({ extensions, leaves, proposals: incoming.proposals });
      if (!gate.standing.mayBeAdded(memberOf(former), at)) return "reject";
      // Another copy of this device, which can't be followed.
      return former.leafIndex === state.privatePath.leafIndex ? "reject" : "accept";
    },
    judgeOutcome(after) {
      if (former === undefined) throw new AppError("commit-refused");
      return judgeRejoinedLeaves({ extensions, leaves }, after, former);
    },
  };
}

interface ProcessedCommit {
  readonly newState: ClientState;
  readonly actionTaken: "accept" | "reject";
  readonly consumed: readonly Uint8Array[];
}

async function openCommit(
  memory: GroupMemory,
  { judge, judgeOutcome }: Judging,
  process: (judge: IncomingMessageCallback) => Promise<ProcessedCommit>,
): Promise<EntryOutcome> {
  const { gate, state } = memory;
  gate.takeUnknown();
  const { newState, actionTaken, consumed } = await process(judge);
  if (actionTaken === "reject") throw new AppError("commit-refused");
  let change: GroupChange;
  try {
    change = judgeOutcome(leavesOf(newState.ratchetTree));
  } catch (error) {
    wipeState(newState, state);
    throw error;
  }
  const devices = gate.takeUnknown();
  if (devices.length > 0) {
    wipeState(newState, state);
    return { kind: "device-unknown", devices };
  }
  wipe(...consumed);
  if (newState.groupActiveState.kind === "removedFromGroup") {
    wipeMemory(memory);
    return { kind: "removed", change };
  }
  wipePending(memory.pending, newState);
  wipeState(state, newState);
  return {
    kind: "commit",
    memory: { ...memory, state: withoutPast(newState), pending: null },
    change,
    authenticatedData: new Uint8Array(),
  };
}
