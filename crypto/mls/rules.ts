import type { Extension, GroupContext, ProposalWithSender, Reinit } from "ts-mls";
import { extensionsEqual } from "ts-mls/extension.js";
import {
  AppError,
  equalBytes,
  roleAllows,
  roleOf,
  settledRoomState,
  type GroupChange,
  type GroupMember,
  type RoomAction,
  type RoomState,
  type SuiteName,
  type UserId,
} from "#protocol";
import { lifetimeHeld, type JudgedAt, type Standing } from "./client-config.ts";
import { leafIdentityOf } from "./credential.ts";
import { conversationEpoch, placeOfGroup } from "./group-id.ts";
import { peopleAmong, roomStateOf, type Leaf } from "./room.ts";

/** A commit as its maker and every receiver judge it. */
export interface JudgedCommit {
  readonly extensions: readonly Extension[];
  readonly leaves: ReadonlyMap<number, Leaf>;
  readonly committerLeaf: number;
  readonly proposals: readonly ProposalWithSender[];
  /** Who is excluded, and when the commit was ordered. */
  readonly standing: Standing;
  readonly at: JudgedAt;
}

/**
 * What a commit changes, provided that the roles of those who propose it allow every part.
 *
 * @throws AppError `not-allowed` when a role doesn't allow it, `commit-refused` when no role would
 */
export function judgeCommit(commit: JudgedCommit): GroupChange {
  const committer = leafAt(commit, commit.committerLeaf);
  const { standing, at } = commit;
  // The relay lets nobody in whom it knows to be excluded: one that did would have the others follow a stolen device.
  if (!standing.mayBeAdded(memberOf(committer), at)) throw refused("an excluded device's commit");
  const stored = roomStateOf(commit.extensions);
  const before = settledRoomState(stored, peopleAmong(commit.leaves));
  const proposed = proposedRoomState(commit);
  const after = proposed ?? stored;
  const added: GroupMember[] = [];
  const removed: GroupMember[] = [];
  const gone = new Set<number>();

  for (const { proposal, senderLeafIndex } of commit.proposals) {
    const actor = leafAt(commit, senderLeafIndex);
    switch (proposal.proposalType) {
      case "add": {
        const { leafNode } = proposal.add.keyPackage;
        const newcomer = leafIdentityOf(leafNode.credential);
        if (at !== "now" && !lifetimeHeld(leafNode.lifetime, at)) {
          throw refused("an expired device");
        }
        if (newcomer.networkId !== actor.networkId) throw refused("another network's device");
        requireCommitter(commit, actor);
        if (!standing.mayBeAdded(memberOf(newcomer), at)) throw refused("an excluded device");
        judgeAdd(commit, { actor, newcomer, before });
        added.push(memberOf(newcomer));
        break;
      }
      case "remove": {
        const target = leafAt(commit, proposal.remove.removed);
        if (target.userId !== actor.userId) {
          requireCommitter(commit, actor);
          // Who is excluded may be taken out by whoever is on line, in a conversation of any kind.
          const excluded = standing.mayBeRemoved(memberOf(target), at);
          if (!excluded) require(before, actor, "remove-member");
        }
        removed.push(memberOf(target));
        gone.add(target.leafIndex);
        break;
      }
      case "group_context_extensions":
        requireCommitter(commit, actor);
        break;
      default:
        throw refused("a proposal that Sotto doesn't use");
    }
  }

  // What follows from who goes takes no role, but it must be done: a role never outlives its person's membership.
  const settled = settledRoomState(stored, peopleAmong(commit.leaves, gone));
  for (const action of roomActions(settled, after)) {
    if (proposed === undefined) throw refused("an administrator who isn't a member");
    require(before, committer, action);
  }
  judgePeople(after, [...peopleAmong(commit.leaves, gone), ...added.map(({ userId }) => userId)]);
  return { committer: memberOf(committer), added, removed, before, after };
}

/** A ReInit as its maker and every receiver judge it. */
export interface JudgedReinit extends Omit<JudgedCommit, "extensions"> {
  readonly groupContext: GroupContext;
  /** The one that the network's policy names. */
  readonly suite: SuiteName;
}

/**
 * Whether a commit does nothing but take the conversation over to another suite. Any member may, since it is the policy that chooses the suite.
 * Source: RFC 9420 §12.1.5, §12.4.3.3.
 *
 * @returns what it is, and what it changes for people: nothing
 * @throws AppError `commit-refused`
 */
export function judgeReinit(commit: JudgedReinit): {
  readonly reinit: Reinit;
  readonly change: GroupChange;
} {
  const { groupContext, leaves, proposals, standing, at, suite } = commit;
  const committer = leafAt(commit, commit.committerLeaf);
  if (!standing.mayBeAdded(memberOf(committer), at)) throw refused("an excluded device's commit");
  const [only, ...others] = proposals;
  if (only?.proposal.proposalType !== "reinit" || others.length > 0) {
    throw refused("a ReInit that does more");
  }
  if (only.senderLeafIndex !== commit.committerLeaf) throw refused("a proposal of somebody else");
  const { reinit } = only.proposal;
  if (reinit.cipherSuite !== suite || groupContext.cipherSuite === suite) {
    throw refused("a suite that the policy doesn't ask for");
  }
  const { conversationId, baseEpoch } = placeOfGroup(reinit.groupId);
  const here = placeOfGroup(groupContext.groupId).conversationId;
  if (conversationId !== here || baseEpoch !== conversationEpoch(groupContext)) {
    throw refused("a ReInit to another place");
  }
  if (!extensionsEqual(reinit.extensions, groupContext.extensions)) {
    throw refused("a ReInit that changes the conversation");
  }
  const state = settledRoomState(roomStateOf(groupContext.extensions), peopleAmong(leaves));
  const change = { committer: memberOf(committer), added: [], removed: [] };
  return { reinit, change: { ...change, before: state, after: state } };
}

/**
 * Holds the leaves of the group that a ReInit led to against those of the one that it ended: everybody comes along, and nobody else. Their
 * signature keys are the new suite's.
 *
 * @param at - when the relay had ordered it
 * @throws AppError `commit-refused`
 */
export function judgeReinitedLeaves(
  before: ReadonlyMap<number, Leaf>,
  after: ReadonlyMap<number, Leaf>,
  at: JudgedAt,
): void {
  const name = ({ networkId, userId, deviceId }: Leaf): string =>
    [networkId, userId, deviceId].join();
  const missing = new Set([...before.values()].map(name));
  for (const leaf of after.values()) {
    if (!missing.delete(name(leaf))) throw refused("somebody who wasn't in the conversation");
    const { leafNode } = leaf;
    const isFresh = leafNode.leafNodeSource === "key_package" && at !== "now";
    if (isFresh && !lifetimeHeld(leafNode.lifetime, at)) throw refused("an expired device");
  }
  if (missing.size > 0) throw refused("somebody who is left behind");
}

/** An external commit as its maker and every receiver judge it. */
export type JudgedRejoin = Omit<JudgedCommit, "committerLeaf" | "standing" | "at">;

/**
 * Which leaf an external commit replaces. It may do nothing else: whose leaf the new one is, {@link judgeRejoinedLeaves} tells.
 * Source: RFC 9420 §12.4.3.2.
 *
 * @throws AppError `commit-refused`
 */
export function judgeRejoin({ leaves, proposals }: JudgedRejoin): Leaf {
  const removed: number[] = [];
  let initializations = 0;
  for (const { proposal } of proposals) {
    if (proposal.proposalType === "external_init") initializations++;
    else if (proposal.proposalType === "remove") removed.push(proposal.remove.removed);
    else throw refused("an external commit that does more than rejoin");
  }
  const [leafIndex, ...others] = removed;
  const former = leafIndex === undefined ? undefined : leaves.get(leafIndex);
  if (initializations !== 1 || others.length > 0 || former === undefined) {
    throw refused("an external commit that isn't a rejoin");
  }
  return former;
}

/**
 * Holds the leaves that an external commit came to against those it was made for: one device has another leaf, its credential and
 * signature key the same, and nobody else has moved.
 *
 * @param former - the leaf that was replaced
 * @returns what changed for people: nothing
 * @throws AppError `commit-refused`
 */
export function judgeRejoinedLeaves(
  { extensions, leaves: before }: Pick<JudgedRejoin, "extensions" | "leaves">,
  after: ReadonlyMap<number, Leaf>,
  former: Leaf,
): GroupChange {
  const stay = [...before.values()].filter(({ leafIndex }) => leafIndex !== former.leafIndex);
  const kept = stay.every((leaf) => {
    const now = after.get(leaf.leafIndex);
    return now !== undefined && sameDevice(leaf, now);
  });
  const places = new Set(stay.map(({ leafIndex }) => leafIndex));
  const [came, ...others] = [...after.values()].filter(({ leafIndex }) => !places.has(leafIndex));
  if (!kept || came === undefined || others.length > 0 || !sameDevice(former, came)) {
    throw refused("a rejoin in the place of somebody else");
  }
  const state = settledRoomState(roomStateOf(extensions), peopleAmong(before));
  return { committer: memberOf(former), added: [], removed: [], before: state, after: state };
}

/**
 * Holds the leaves that a commit came to against what it was judged by. Its path brings a new leaf of the committer, which no proposal
 * names: it must belong to the same device with the same signature key, and nobody else may have moved.
 *
 * @param before - the leaves that the commit was made for
 * @param after - the leaves that it came to
 * @throws AppError `commit-refused`
 */
export function judgeLeaves(
  before: ReadonlyMap<number, Leaf>,
  after: ReadonlyMap<number, Leaf>,
  { added, removed }: Pick<GroupChange, "added" | "removed">,
): void {
  const gone = new Set(removed.map(({ deviceId }) => deviceId));
  const stay = [...before.values()].filter(({ deviceId }) => !gone.has(deviceId));
  for (const leaf of stay) {
    const now = after.get(leaf.leafIndex);
    if (now === undefined || !sameDevice(leaf, now)) throw refused("a leaf of somebody else");
  }
  const devices = new Set([...after.values()].map(({ deviceId }) => deviceId));
  const all = [...stay, ...added];
  const exact =
    after.size === all.length &&
    devices.size === all.length &&
    all.every(({ deviceId }) => devices.has(deviceId));
  if (!exact) throw refused("other members than the commit says");
}

function sameDevice(left: Leaf, right: Leaf): boolean {
  return (
    left.networkId === right.networkId &&
    left.userId === right.userId &&
    left.deviceId === right.deviceId &&
    equalBytes(left.leafNode.signaturePublicKey, right.leafNode.signaturePublicKey)
  );
}

/**
 * Who asks to leave, in a proposal of their own.
 *
 * @throws AppError `not-allowed` for any other proposal: those stand inside a commit; `commit-refused` for an excluded device's, which could take
 * its person's other devices out
 */
export function judgeLeaveProposal(
  { leaves, standing, at }: Pick<JudgedCommit, "leaves" | "standing" | "at">,
  { proposal, senderLeafIndex }: ProposalWithSender,
): GroupMember {
  const actor = senderLeafIndex === undefined ? undefined : leaves.get(senderLeafIndex);
  const target =
    proposal.proposalType === "remove" ? leaves.get(proposal.remove.removed) : undefined;
  if (target === undefined || target.userId !== actor?.userId) {
    throw new AppError("not-allowed", { data: { reason: "only a wish to leave stands alone" } });
  }
  if (!standing.mayBeAdded(memberOf(actor), at)) {
    throw refused("an excluded device's wish to leave");
  }
  return memberOf(target);
}

/** The part of a leaf that crosses to the main process. */
export function memberOf({ userId, deviceId }: GroupMember): GroupMember {
  return { userId, deviceId };
}

function refused(reason: string): AppError {
  return new AppError("commit-refused", { data: { reason } });
}

function leafAt({ leaves }: Pick<JudgedCommit, "leaves">, leafIndex: number | undefined): Leaf {
  const leaf = leafIndex === undefined ? undefined : leaves.get(leafIndex);
  if (leaf === undefined) throw refused("no such member");
  return leaf;
}

function require(state: RoomState, actor: GroupMember, action: RoomAction): void {
  if (roleAllows(state.kind, roleOf(state, actor.userId), action)) return;
  throw new AppError("not-allowed", { data: { action } });
}

/** Only a wish to leave may come from somebody else than the committer. */
function requireCommitter({ committerLeaf }: JudgedCommit, actor: Leaf): void {
  if (actor.leafIndex !== committerLeaf) throw refused("a proposal of somebody else");
}

function proposedRoomState({ proposals }: JudgedCommit): RoomState | undefined {
  for (const { proposal } of proposals) {
    if (proposal.proposalType === "group_context_extensions") {
      return roomStateOf(proposal.groupContextExtensions.extensions);
    }
  }
  return undefined;
}

function judgeAdd(
  { leaves }: JudgedCommit,
  { actor, newcomer, before }: { actor: Leaf; newcomer: GroupMember; before: RoomState },
): void {
  // A member's further device is theirs to have: its record is signed by their account key.
  if ([...leaves.values()].some(({ userId }) => userId === newcomer.userId)) return;
  if (before.kind === "direct") {
    const both = [actor.userId, newcomer.userId].every((id) => before.administrators.includes(id));
    if (both) return;
    throw new AppError("not-allowed", { data: { action: "add-member" } });
  }
  require(before, actor, "add-member");
}

/** What the difference of two states amounts to. @throws AppError `commit-refused` when the kind changes */
function roomActions(before: RoomState, after: RoomState): readonly RoomAction[] {
  if (before.kind !== after.kind) throw refused("the kind of a conversation stays");
  const actions: RoomAction[] = [];
  if (before.name !== after.name) actions.push("rename");
  if (
    before.timers.expirationSeconds !== after.timers.expirationSeconds ||
    before.timers.burnSeconds !== after.timers.burnSeconds
  ) {
    actions.push("set-timers");
  }
  const roles = (state: RoomState): string => [...state.administrators].sort().join();
  if (roles(before) !== roles(after)) actions.push("set-roles");
  return actions;
}

/** @param people - who is there after the commit */
function judgePeople(after: RoomState, people: readonly UserId[]): void {
  if (after.kind === "direct") {
    if (new Set(people).size > 2) throw refused("a direct conversation is of two");
  } else if (!after.administrators.every((id) => people.includes(id))) {
    throw refused("an administrator who isn't a member");
  }
}
