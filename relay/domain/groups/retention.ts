import { AppError, type ConversationId, type DeviceId, type ParsedRelayParams } from "#protocol";
import type { Transaction } from "../../storage/transaction.ts";
import { groupScope, type DeviceCaller, type Done, type RelayContext } from "../context.ts";
import {
  dueSlot,
  entryBytesSlot,
  entrySlot,
  groupHeadSlot,
  groupRosterSlot,
  membershipSlot,
  type GroupHead,
  type GroupRoster,
  type StoredEntry,
} from "../layout.ts";
import { openGroup } from "./access.ts";
import { dueSubject } from "./append.ts";
import { announceEntry } from "./deliver.ts";
import { stillUndecided } from "./undecided.ts";
import { loadRoster, releaseRemoved, type Removal } from "./roster.ts";

/** Entries that one unit of work looks at. */
const maxSteps = 500;

/** Notes what a device has, and drops what all have now. */
export async function acknowledge(
  context: RelayContext,
  { conversationId, sequence }: ParsedRelayParams<"group.acknowledge">,
  caller: DeviceCaller,
): Promise<Done> {
  const { deviceId } = caller;
  const more = await context.units.run(groupScope(conversationId), async (transaction) => {
    const access = await openGroup(transaction, conversationId, deviceId);
    const { membership, headSequence } = access;
    if (sequence > headSequence) throw new AppError("not-found", { data: { what: "entry" } });
    const undecided = await stillUndecided(transaction, conversationId, {
      head: access.head,
      witness: { ...caller, sequence },
    });
    const head = { ...access.head, undecided };
    if (undecided.length < access.head.undecided.length) {
      transaction.store(groupHeadSlot(conversationId), head);
    }
    const roster = advance(await loadRoster(transaction, conversationId), deviceId, sequence);
    transaction.store(groupRosterSlot(conversationId), roster);
    // It knows now that it was removed.
    if (membership.removed?.sequence === sequence) {
      transaction.remove(membershipSlot(deviceId, conversationId));
    }
    return dropDelivered(transaction, { conversationId, head, roster });
  });
  if (more) await dropAllDelivered(context, conversationId);
  return {};
}

/**
 * Drops the ciphertexts of the caller's own messages, and tells the members. What is dropped already is left as it is.
 *
 * @throws AppError `not-allowed`: one of them is a commit or somebody else's, and none is dropped; `not-found`
 */
export function dropOwn(
  context: RelayContext,
  { conversationId, sequences }: ParsedRelayParams<"group.drop">,
  { deviceId }: DeviceCaller,
): Promise<Done> {
  return context.units.run(groupScope(conversationId), async (transaction) => {
    const { headSequence } = await openGroup(transaction, conversationId, deviceId);
    const distinct = [...new Set(sequences)];
    if (distinct.some((sequence) => sequence < 1 || sequence > headSequence)) {
      throw new AppError("not-found", { data: { what: "entry" } });
    }
    const entries = await transaction.loadAll(
      distinct.map((sequence) => entrySlot(conversationId, sequence)),
    );
    const own = (entry: StoredEntry): boolean =>
      entry.kind === "application" && entry.sender === deviceId;
    if (entries.some((entry) => entry !== undefined && !own(entry))) {
      throw new AppError("not-allowed");
    }
    distinct.forEach((sequence, index) => {
      const entry = entries[index];
      if (entry === undefined) return;
      removeEntry(transaction, { conversationId, sequence, entry });
      announceEntry(context, transaction, { conversationId, entry: { kind: "dropped", sequence } });
    });
    return {};
  });
}

/** Drops an entry whose end has come. Members know its end themselves, so nobody is told. */
export async function dropExpired(
  transaction: Transaction,
  conversationId: ConversationId,
  sequence: number,
): Promise<void> {
  const entry = await transaction.load(entrySlot(conversationId, sequence));
  if (entry !== undefined) removeEntry(transaction, { conversationId, sequence, entry });
}

/** Lets go of a device that was removed long ago and never came back. */
export async function dropRemovedDevice(context: RelayContext, removal: Removal): Promise<void> {
  await context.units.run(groupScope(removal.conversationId), (transaction) =>
    releaseRemoved(transaction, removal),
  );
  await dropAllDelivered(context, removal.conversationId);
}

async function dropAllDelivered(
  context: RelayContext,
  conversationId: ConversationId,
): Promise<void> {
  for (let more = true; more;) {
    more = await context.units.run(groupScope(conversationId), async (transaction) => {
      const head = await transaction.load(groupHeadSlot(conversationId));
      if (head === undefined) return false;
      const roster = await loadRoster(transaction, conversationId);
      return dropDelivered(transaction, { conversationId, head, roster });
    });
  }
}

function advance(roster: GroupRoster, deviceId: DeviceId, sequence: number): GroupRoster {
  const move = <P extends GroupRoster["members"][number]>(place: P): P =>
    place.deviceId === deviceId && place.acknowledgedSequence < sequence
      ? { ...place, acknowledgedSequence: sequence }
      : place;
  const isOver = ({ removedSequence, ...place }: GroupRoster["removed"][number]): boolean =>
    place.deviceId === deviceId && removedSequence <= sequence;
  return {
    members: roster.members.map(move),
    removed: roster.removed.filter((place) => !isOver(place)).map(move),
  };
}

/**
 * Drops entries that everybody has who is to have them: all members, and those who were removed later, who follow the log to the commit that
 * tells them so and read what was said on the way. A commit waits for all of them, an application message for those who were there.
 *
 * @returns whether there is more to do
 */
async function dropDelivered(
  transaction: Transaction,
  group: {
    readonly conversationId: ConversationId;
    readonly head: GroupHead;
    readonly roster: GroupRoster;
  },
): Promise<boolean> {
  const { conversationId, head, roster } = group;
  const has = ({ acknowledgedSequence }: { readonly acknowledgedSequence: number }) =>
    acknowledgedSequence;
  const byMembers = Math.min(...roster.members.map(has));
  const byAll = Math.min(byMembers, ...roster.removed.map(has));
  const isAwaited = (sequence: number): boolean =>
    roster.removed.some(
      (place) => place.acknowledgedSequence < sequence && sequence <= place.removedSequence,
    );
  // Each kind has its own floor: look at what lies between an old floor and its new one, as much as fits one step.
  const applicationFloor = Math.min(byMembers, head.applicationFloor + maxSteps);
  const commitFloor = Math.min(byAll, head.commitFloor + maxSteps);
  const between = (from: number, to: number): number[] =>
    Array.from({ length: Math.max(0, to - from) }, (_, index) => from + 1 + index);
  const sequences = [
    ...new Set([
      ...between(head.applicationFloor, applicationFloor),
      ...between(head.commitFloor, commitFloor),
    ]),
  ];
  if (sequences.length === 0) return false;
  const entries = await transaction.loadAll(
    sequences.map((sequence) => entrySlot(conversationId, sequence)),
  );
  sequences.forEach((sequence, index) => {
    const entry = entries[index];
    if (entry === undefined) return;
    // What an application message waited for is over when the commits' floor comes by, at the latest.
    const delivered =
      sequence <= commitFloor ||
      (entry.kind === "application" && sequence <= applicationFloor && !isAwaited(sequence));
    if (delivered) removeEntry(transaction, { conversationId, sequence, entry });
  });
  transaction.store(groupHeadSlot(conversationId), {
    ...head,
    applicationFloor: Math.max(applicationFloor, head.applicationFloor),
    commitFloor: Math.max(commitFloor, head.commitFloor),
  });
  return applicationFloor < byMembers || commitFloor < byAll;
}

/** Removes an entry; its number remains. */
export function removeEntry(
  transaction: Transaction,
  place: {
    readonly conversationId: ConversationId;
    readonly sequence: number;
    readonly entry: StoredEntry;
  },
): void {
  const { conversationId, sequence, entry } = place;
  transaction.remove(entrySlot(conversationId, sequence));
  transaction.remove(entryBytesSlot(conversationId, sequence));
  if (entry.expiresAtMs !== null) {
    transaction.remove(dueSlot(entry.expiresAtMs, dueSubject(conversationId, sequence)));
  }
}
