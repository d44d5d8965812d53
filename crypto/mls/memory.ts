import type { CiphersuiteImpl, ClientState } from "ts-mls";
import { allSecretTreeValues } from "ts-mls/secretTree.js";
import { AppError, settledRoomState, toHex, type GroupChange, type GroupSummary } from "#protocol";
import { wipe } from "../primitives/index.ts";
import type { TrustGate } from "./client-config.ts";
import { conversationEpoch, placeOfGroup } from "./group-id.ts";
import { leavesOf, peopleAmong, roomStateOf } from "./room.ts";
import { memberOf } from "./rules.ts";

/**
 * A group as the worker holds it: immutable, so that what changed between two of them is told by identity (see pieces.ts).
 *
 * Secret: `state` and `pending`; the function that gives the next memory wipes what it consumed.
 */
export interface GroupMemory {
  readonly impl: CiphersuiteImpl;
  readonly gate: TrustGate;
  readonly state: ClientState;
  /** Our commit that the relay hasn't ordered yet. */
  readonly pending: PendingCommit | null;
}

/** What our commit leads to if it wins. */
export type PendingCommit =
  | {
      readonly kind: "commit";
      readonly next: ClientState;
      readonly change: GroupChange;
      /** Secrets of the present epoch that are wiped when the commit has won; empty after a restart. */
      readonly consumed: readonly Uint8Array[];
    }
  /** An external commit: there is no state before it, and the group's state is the one it leads to. */
  | { readonly kind: "rejoin"; readonly change: GroupChange };

/** The conversation's epoch in which a group's state is. */
export function epochOf({ groupContext }: Pick<ClientState, "groupContext">): number {
  return conversationEpoch(groupContext);
}

/** The epoch that our commit under way was made for; null: none is. */
export function pendingEpochOf({
  state,
  pending,
}: Pick<GroupMemory, "state" | "pending">): number | null {
  if (pending === null) return null;
  const epoch = epochOf(state);
  return pending.kind === "rejoin" ? epoch - 1 : epoch;
}

/** The suite of what our commit under way leads to, or of the group where none is. */
export function nextSuiteOf({ state, pending }: Pick<GroupMemory, "state" | "pending">): string {
  const { groupContext } = pending?.kind === "commit" ? pending.next : state;
  return groupContext.cipherSuite;
}

/** @throws AppError `not-ready` while this device's rejoin waits for its order: until then it is in no epoch */
export function requireMembership({ pending }: Pick<GroupMemory, "pending">): void {
  if (pending?.kind !== "rejoin") return;
  throw new AppError("not-ready", { data: { reason: "a rejoin is under way" } });
}

/** Wipes what our commit under way would lead to; it lost. What it shares with `kept` stays. */
export function wipePending(pending: PendingCommit | null, kept: ClientState | null): void {
  if (pending?.kind !== "commit") return;
  wipe(...pending.consumed);
  wipeState(pending.next, kept);
}

/** What of a group is not secret within this computer. */
export function summaryOf({ state }: Pick<GroupMemory, "state">): GroupSummary {
  const { groupContext, keySchedule, ratchetTree } = state;
  const leaves = leavesOf(ratchetTree);
  return {
    conversationId: placeOfGroup(groupContext.groupId).conversationId,
    epoch: epochOf(state),
    suite: groupContext.cipherSuite,
    roomState: settledRoomState(roomStateOf(groupContext.extensions), peopleAmong(leaves)),
    members: [...leaves.values()].map(memberOf),
    epochAuthenticator: toHex(keySchedule.epochAuthenticator),
  };
}

/** A state without receiving keys of past epochs (docs/adr/0002); the library keeps them all when told to keep none. */
export function withoutPast(state: ClientState): ClientState {
  return { ...state, historicalReceiverData: new Map() };
}

/** The leaves whose removal was proposed in this epoch and waits for a commit. */
export function leavingLeaves({ unappliedProposals }: ClientState): ReadonlySet<number> {
  const leaves = new Set<number>();
  for (const { proposal } of Object.values(unappliedProposals)) {
    if (proposal.proposalType === "remove") leaves.add(proposal.remove.removed);
  }
  return leaves;
}

/**
 * The proposals that a commit of this device carries out: the first for each leaf, and none for its own, which is asked for again in the next
 * epoch. Source: RFC 9420 §12.2, §12.4.
 */
export function committableProposals(state: ClientState): ClientState["unappliedProposals"] {
  const taken = new Set([state.privatePath.leafIndex]);
  const all = Object.entries(state.unappliedProposals);
  const committable = all.filter(([, { proposal }]) => {
    if (proposal.proposalType !== "remove") return true;
    const { removed } = proposal.remove;
    const isFirst = !taken.has(removed);
    taken.add(removed);
    return isFirst;
  });
  return Object.fromEntries(committable);
}

/**
 * Wipes the secrets of a state that is over: its epoch's keys, its ratchets, and its keys along the path.
 *
 * @param kept - a state that goes on; what it shares with the other one stays
 */
export function wipeState(state: ClientState, kept: ClientState | null): void {
  const shared = new Set(kept === null ? [] : secretsOf(kept));
  for (const secret of secretsOf(state)) if (!shared.has(secret)) wipe(secret);
}

/** Wipes a group that is forgotten, with its commit under way. The device's signature key, which isn't the group's, stays. */
export function wipeMemory({ state, pending }: GroupMemory): void {
  wipeState(state, null);
  wipePending(pending, null);
}

function secretsOf({ keySchedule, secretTree, privatePath }: ClientState): readonly Uint8Array[] {
  return [
    ...Object.values({ ...keySchedule }),
    ...allSecretTreeValues(secretTree),
    ...Object.values(privatePath.privateKeys),
  ];
}
