import { AppError, type ConversationId, type DeviceId } from "#protocol";
import type { Reader, Transaction } from "../../storage/transaction.ts";
import { schedule, type RelayContext } from "../context.ts";
import { groupRosterSlot, membershipSlot, type GroupRoster } from "../layout.ts";

/** For this long a removed device can fetch the log up to the commit that removed it: 30 days. */
const removedRetentionMs = 30 * 24 * 3_600_000;

/** So many of a device's earlier stays can be read at most: whoever is removed and added all day long holds back no more. */
const maxStays = 8;

type Stay = GroupRoster["removed"][number];

/** @param stays - in the order in which they ended @returns the latest {@link maxStays} of each device */
export function latestStays(stays: readonly Stay[]): Stay[] {
  const counts = new Map<DeviceId, number>();
  const isLate = ({ deviceId }: Stay): boolean => {
    const count = (counts.get(deviceId) ?? 0) + 1;
    counts.set(deviceId, count);
    return count <= maxStays;
  };
  return stays.toReversed().filter(isLate).toReversed();
}

/** Who is in a conversation, who was removed and hasn't noticed, and what each has. */
export async function loadRoster(
  reader: Reader,
  conversationId: ConversationId,
): Promise<GroupRoster> {
  const roster = await reader.load(groupRosterSlot(conversationId));
  if (roster === undefined) {
    throw new AppError("relay-storage-failed", { data: { reason: "roster-missing" } });
  }
  return roster;
}

/** A device's removal from a conversation. */
export interface Removal {
  readonly conversationId: ConversationId;
  readonly deviceId: DeviceId;
  /** The log's sequence of the commit that removed it. */
  readonly removedSequence: number;
}

/** Lets a device that was just removed be forgotten when it doesn't come back. */
export function releaseRemovedLater(
  context: RelayContext,
  transaction: Transaction,
  removal: Removal,
): void {
  const { conversationId, deviceId, removedSequence } = removal;
  schedule(context, transaction, {
    atMs: context.clock.nowMs() + removedRetentionMs,
    subject: `removed.${conversationId}.${deviceId}.${String(removedSequence)}`,
    due: { kind: "removed-device", ...removal },
  });
}

/**
 * Forgets a removal: what was there before it is held back no more, and the device sees the conversation only if it is back. Nothing
 * changes when it was forgotten before.
 */
export async function releaseRemoved(
  transaction: Transaction,
  { conversationId, deviceId, removedSequence }: Removal,
): Promise<void> {
  const roster = await loadRoster(transaction, conversationId);
  const removed = roster.removed.filter(
    (other) => other.deviceId !== deviceId || other.removedSequence !== removedSequence,
  );
  if (removed.length === roster.removed.length) return;
  transaction.store(groupRosterSlot(conversationId), { ...roster, removed });
  const membership = await transaction.load(membershipSlot(deviceId, conversationId));
  if (membership?.removed?.sequence !== removedSequence) return;
  transaction.remove(membershipSlot(deviceId, conversationId));
}
