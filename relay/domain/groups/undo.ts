import { encodeFrame, type ConversationId, type DeviceId, type GroupEntry } from "#protocol";
import type { Transaction } from "../../storage/transaction.ts";
import { groupTopic, type RelayContext } from "../context.ts";
import { withdrawWelcome } from "../inbox.ts";
import {
  commitAnswerSlot,
  entryBytesSlot,
  entrySlot,
  groupHeadSlot,
  groupInfoSlot,
  groupRosterSlot,
  membershipSlot,
  undecidedInfoSlot,
  undecidedSlot,
  voidsSlot,
  type GroupHead,
  type GroupRoster,
  type Undecided,
} from "../layout.ts";
import { announceJoin } from "./deliver.ts";
import { encodeReopening } from "./reopening.ts";
import { removeEntry } from "./retention.ts";
import { loadRoster, releaseRemovedLater } from "./roster.ts";
import { forgetUndecided, loadVoids } from "./undecided.ts";

/** Void commits that are remembered; as long as the answers to what stood on them. */
const maxVoids = 256;

/** A void commit, and the log it is in. */
interface Void {
  readonly conversationId: ConversationId;
  readonly sequence: number;
  readonly head: GroupHead;
}

/** A commit that is undone, with its place. */
type Undone = Undecided & { readonly sequence: number };

/**
 * Undoes a commit and all that came after it: roster, GroupInfo and epoch are those from before it, its Welcomes are withdrawn, and the log
 * says so. Devices that it added see the log up to there.
 */
export async function reopenEpoch(
  context: RelayContext,
  transaction: Transaction,
  { conversationId, sequence, head }: Void,
): Promise<void> {
  const undone = await loadUndone(transaction, conversationId, head.undecided, sequence);
  const [first] = undone;
  if (first === undefined) return;
  const info = await transaction.load(undecidedInfoSlot(conversationId, sequence));
  const at = head.headSequence + 1;
  const { epoch } = first;
  await dropVoid(transaction, { conversationId, head, sequence, epoch });
  for (const commit of undone) {
    const { welcomes: places, sequence: groupSequence } = commit;
    withdrawWelcome(transaction, conversationId, { groupSequence, places });
    forgetUndecided(transaction, conversationId, groupSequence);
  }
  const newcomers = await restoreRoster(context, transaction, { conversationId, undone, at });
  transaction.store(groupInfoSlot(conversationId), { epoch, bytes: info ?? new Uint8Array() });
  transaction.store(groupHeadSlot(conversationId), {
    ...head,
    epoch,
    headSequence: at,
    undecided: head.undecided.filter((earlier) => earlier < sequence),
  });
  const atMs = context.clock.nowMs();
  const { person, commitHash } = first;
  const voids = await loadVoids(transaction, conversationId);
  const noted = { person, commitHash, from: sequence, to: at, atMs };
  transaction.store(voidsSlot(conversationId), { voids: [...voids, noted].slice(-maxVoids) });
  storeReopened(context, transaction, { conversationId, first, at, newcomers });
}

async function loadUndone(
  transaction: Transaction,
  conversationId: ConversationId,
  undecided: readonly number[],
  from: number,
): Promise<readonly Undone[]> {
  const sequences = undecided.filter((sequence) => sequence >= from);
  const records = await transaction.loadAll(
    sequences.map((sequence) => undecidedSlot(conversationId, sequence)),
  );
  return sequences.flatMap((sequence, index) => {
    const record = records[index];
    return record === undefined ? [] : [{ ...record, sequence }];
  });
}

/** What is in the log from the void commit on was said in epochs that never came to be. */
async function dropVoid(
  transaction: Transaction,
  { conversationId, head, sequence: from, epoch }: Void & { readonly epoch: number },
): Promise<void> {
  const sequences = Array.from(
    { length: head.headSequence - from + 1 },
    (_, index) => from + index,
  );
  const entries = await transaction.loadAll(
    sequences.map((sequence) => entrySlot(conversationId, sequence)),
  );
  sequences.forEach((sequence, index) => {
    const entry = entries[index];
    if (entry !== undefined) removeEntry(transaction, { conversationId, sequence, entry });
  });
  for (let ended = epoch; ended < head.epoch; ended += 1) {
    transaction.remove(commitAnswerSlot(conversationId, ended));
  }
}

/** @returns the devices that were added, and aren't members any more */
async function restoreRoster(
  context: RelayContext,
  transaction: Transaction,
  change: {
    readonly conversationId: ConversationId;
    readonly undone: readonly Undone[];
    readonly at: number;
  },
): Promise<readonly DeviceId[]> {
  const { conversationId, undone, at } = change;
  const [first] = undone;
  if (first === undefined) return [];
  const now = await loadRoster(transaction, conversationId);
  const before = new Set(first.members.map(({ deviceId }) => deviceId));
  // The first record of a device tells how it stood before all of them.
  const stood = new Map(
    undone
      .toReversed()
      .flatMap(({ memberships }) => memberships)
      .map(({ deviceId, membership }) => [deviceId, membership]),
  );
  const newcomers = [...stood.keys()].filter((deviceId) => !before.has(deviceId));
  const gone = newcomers.flatMap((deviceId) => {
    const place = [...now.members, ...now.removed].find(
      (other) => other.deviceId === deviceId && other.joinedSequence >= first.sequence,
    );
    if (place === undefined) return [];
    const { joinedSequence, acknowledgedSequence } = place;
    return [{ deviceId, joinedSequence, acknowledgedSequence, removedSequence: at }];
  });
  const roster: GroupRoster = {
    members: first.members.map((place) => ({ ...place, ...acknowledgedBy(now, place) })),
    removed: [
      ...now.removed.filter(({ removedSequence }) => removedSequence < first.sequence),
      ...gone,
    ],
  };
  transaction.store(groupRosterSlot(conversationId), roster);
  for (const { deviceId, joinedSequence } of gone) {
    const removed = { sequence: at, epoch: first.epoch };
    transaction.store(membershipSlot(deviceId, conversationId), { joinedSequence, removed });
    const removal = { conversationId, deviceId, removedSequence: at };
    releaseRemovedLater(context, transaction, removal);
  }
  for (const [deviceId, membership] of stood) {
    if (!before.has(deviceId) || membership === null) continue;
    transaction.store(membershipSlot(deviceId, conversationId), membership);
    announceJoin(context, transaction, deviceId, conversationId);
  }
  return newcomers;
}

/** What a device has acknowledged since; one that was put in anew has said nothing. */
function acknowledgedBy(
  { members, removed }: GroupRoster,
  place: GroupRoster["members"][number],
): { readonly acknowledgedSequence: number } {
  const now = [...members, ...removed].find(
    ({ deviceId, joinedSequence }) =>
      deviceId === place.deviceId && joinedSequence === place.joinedSequence,
  );
  return { acknowledgedSequence: now?.acknowledgedSequence ?? place.acknowledgedSequence };
}

function storeReopened(
  context: RelayContext,
  transaction: Transaction,
  reopened: {
    readonly conversationId: ConversationId;
    readonly first: Undone;
    readonly at: number;
    readonly newcomers: readonly DeviceId[];
  },
): void {
  const { conversationId, first, at, newcomers } = reopened;
  const { epoch, committer: sender, commitHash, sequence: voids } = first;
  const receivedAtMs = context.clock.nowMs();
  const reopening = {
    voids,
    commitHash,
    rejections: first.rejections.map(({ deviceId, signature }) => ({ deviceId, signature })),
  };
  const stored = { kind: "reopened", epoch, sender, receivedAtMs } as const;
  transaction.store(entrySlot(conversationId, at), { ...stored, expiresAtMs: null });
  transaction.store(entryBytesSlot(conversationId, at), encodeReopening(reopening));
  const entry: GroupEntry = { ...stored, sequence: at, ...reopening };
  const frame = encodeFrame({
    kind: "event",
    name: "group.entry",
    body: { conversationId, entry },
  });
  // After those who are members again have begun to listen.
  transaction.afterCommit(() => {
    context.storage.announce(groupTopic(conversationId), { frame, join: null, leave: newcomers });
  });
}
