import {
  AppError,
  equalBytes,
  maxRosterDevices,
  type DeviceId,
  type Ordered,
  type ParsedRelayParams,
} from "#protocol";
import { sha256 } from "../../primitives.ts";
import type { Transaction } from "../../storage/transaction.ts";
import { standingsOf } from "../accounts.ts";
import {
  answerRetentionMs,
  groupScope,
  storeNote,
  type DeviceCaller,
  type Done,
  type RelayContext,
} from "../context.ts";
import { deliverWelcome } from "../inbox.ts";
import {
  commitAnswerSlot,
  groupHeadSlot,
  groupInfoSlot,
  groupRosterSlot,
  membershipSlot,
  type GroupRoster,
} from "../layout.ts";
import { checkPartSizes } from "../pages.ts";
import { openGroupAsMember } from "./access.ts";
import { accepted, stale, storeEntry } from "./append.ts";
import { announceJoin } from "./deliver.ts";
import { latestStays, loadRoster, releaseRemovedLater } from "./roster.ts";
import { checkCommitter, keepUndecided, loadVoids, noteWelcomes } from "./undecided.ts";

type Commit = ParsedRelayParams<"group.commit">;

/** Starts a conversation's log with the caller as only member. */
export function createGroup(
  context: RelayContext,
  { conversationId, groupInfo }: ParsedRelayParams<"group.create">,
  { deviceId }: DeviceCaller,
): Promise<Done> {
  return context.units.run(groupScope(conversationId), async (transaction) => {
    checkPartSizes(groupInfo);
    const head = await transaction.load(groupHeadSlot(conversationId));
    if (head?.creator === deviceId) return {};
    if (head !== undefined) throw new AppError("conversation-exists");
    transaction.store(groupHeadSlot(conversationId), {
      creator: deviceId,
      epoch: 0,
      headSequence: 0,
      applicationFloor: 0,
      commitFloor: 0,
      undecided: [],
    });
    transaction.store(groupRosterSlot(conversationId), {
      members: [{ deviceId, joinedSequence: 0, acknowledgedSequence: 0 }],
      removed: [],
    });
    transaction.store(groupInfoSlot(conversationId), { epoch: 0, bytes: groupInfo });
    transaction.store(membershipSlot(deviceId, conversationId), {
      joinedSequence: 0,
      removed: null,
    });
    announceJoin(context, transaction, deviceId, conversationId);
    return {};
  });
}

/** Accepts a commit that names the log's epoch, with everything that goes with it, as one change. */
export function commitToGroup(
  context: RelayContext,
  params: Commit,
  caller: DeviceCaller,
): Promise<Ordered> {
  const { deviceId } = caller;
  const { conversationId, epoch, bytes, groupInfo, welcome } = params;
  const bytesHash = sha256(bytes);
  return context.units.run(groupScope(conversationId), async (transaction) => {
    checkPartSizes(bytes, groupInfo, welcome);
    const { head } = await openGroupAsMember(transaction, conversationId, deviceId);
    const answerSlot = commitAnswerSlot(conversationId, epoch);
    const earlier = await transaction.load(answerSlot);
    if (earlier?.sender === deviceId && equalBytes(earlier.bytesHash, bytesHash)) {
      return accepted(earlier);
    }
    if (epoch !== head.epoch) return stale(head);

    const voids = await loadVoids(transaction, conversationId);
    checkCommitter(context, voids, { person: caller.userId, hash: bytesHash });
    const roster = await loadRoster(transaction, conversationId);
    await checkRosterChange(transaction, { params, roster, committer: deviceId });
    const receivedAtMs = context.clock.nowMs();
    const sequence = head.headSequence + 1;
    const { add, remove } = params;
    const undecided = await keepUndecided(transaction, conversationId, {
      commit: { head, roster, sequence, commitHash: bytesHash, add, remove },
      caller,
    });
    transaction.store(groupHeadSlot(conversationId), {
      ...head,
      epoch: epoch + 1,
      headSequence: sequence,
      undecided,
    });
    transaction.store(groupInfoSlot(conversationId), { epoch: epoch + 1, bytes: groupInfo });
    const answer = { sender: deviceId, bytesHash, sequence, receivedAtMs };
    storeNote(context, transaction, {
      slot: answerSlot,
      value: answer,
      retentionMs: answerRetentionMs,
    });
    changeRoster(context, transaction, { params, roster, sequence });
    storeEntry(context, transaction, {
      conversationId,
      entry: { kind: "commit", sequence, epoch, sender: deviceId, receivedAtMs, bytes },
      leave: params.remove,
    });
    if (welcome !== null) {
      const welcomes = await deliverWelcome(context, transaction, {
        devices: params.add,
        bytes: welcome,
        entry: { conversationId, groupSequence: sequence, sender: deviceId, receivedAtMs },
      });
      await noteWelcomes(transaction, conversationId, { sequence, welcomes: [...welcomes] });
    }
    return accepted(answer);
  });
}

/**
 * @throws AppError `argument-invalid`: the change doesn't fit the roster. A device may be removed and added in one commit: it lost
 *   its state and joins anew.
 */
async function checkRosterChange(
  transaction: Transaction,
  change: {
    readonly params: Commit;
    readonly roster: GroupRoster;
    readonly committer: DeviceId;
  },
): Promise<void> {
  const { add, remove, welcome } = change.params;
  const members = new Set(change.roster.members.map(({ deviceId }) => deviceId));
  const refuse = (reason: string): never => {
    throw new AppError("argument-invalid", { data: { reason } });
  };
  if (new Set(add).size !== add.length || new Set(remove).size !== remove.length) {
    refuse("device-twice");
  }
  // RFC 9420 §12.2: a commit can't remove its committer.
  if (remove.includes(change.committer)) refuse("removes-committer");
  if (!remove.every((deviceId) => members.delete(deviceId))) refuse("removes-stranger");
  if (add.some((deviceId) => members.has(deviceId))) refuse("adds-member");
  if (add.length > 0 !== (welcome !== null)) refuse("welcome");
  if (members.size + add.length > maxRosterDevices) refuse("roster-full");
  const standings = await standingsOf(transaction, add);
  if (standings.includes(null)) refuse("adds-unknown-device");
  // In this transaction, so that no revocation comes in between: what is added was not yet revoked.
  if (standings.some((standing) => standing?.refusal !== null)) refuse("adds-excluded-device");
}

function changeRoster(
  context: RelayContext,
  transaction: Transaction,
  change: { readonly params: Commit; readonly roster: GroupRoster; readonly sequence: number },
): void {
  const { params, roster, sequence } = change;
  const { conversationId, epoch, add, remove } = params;
  const added = new Set(add);
  const removed = new Set(remove);
  transaction.store(groupRosterSlot(conversationId), {
    members: [
      ...roster.members.filter(({ deviceId }) => !removed.has(deviceId)),
      ...add.map((deviceId) => ({
        deviceId,
        joinedSequence: sequence,
        acknowledgedSequence: sequence,
      })),
    ],
    // Who is added again still reads what was there before the removal.
    removed: latestStays([
      ...roster.removed,
      ...roster.members
        .filter(({ deviceId }) => removed.has(deviceId) && !added.has(deviceId))
        .map((member) => ({ ...member, removedSequence: sequence })),
    ]),
  });
  for (const { deviceId, joinedSequence } of roster.members) {
    if (!removed.has(deviceId)) continue;
    transaction.store(membershipSlot(deviceId, conversationId), {
      joinedSequence,
      removed: { sequence, epoch: epoch + 1 },
    });
    if (added.has(deviceId)) continue;
    releaseRemovedLater(context, transaction, {
      conversationId,
      deviceId,
      removedSequence: sequence,
    });
  }
  for (const deviceId of add) {
    transaction.store(membershipSlot(deviceId, conversationId), {
      joinedSequence: sequence,
      removed: null,
    });
  }
}
