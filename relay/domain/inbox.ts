import {
  AppError,
  maxPageEntries,
  type ConversationId,
  type DeviceId,
  type InboxEntry,
  type ParsedRelayParams,
  type RelayResult,
} from "#protocol";
import type { StorageKey } from "../storage/port.ts";
import type { Transaction } from "../storage/transaction.ts";
import {
  inboxScope,
  schedule,
  type DeviceCaller,
  type Done,
  type RelayContext,
} from "./context.ts";
import { announceWelcome } from "./groups/deliver.ts";
import {
  inboxAcknowledgedSlot,
  inboxEntries,
  inboxEntrySlot,
  inboxHeadSlot,
  lastToken,
  welcomeHolders,
  welcomeHolderSlot,
  welcomeSlot,
} from "./layout.ts";
import { maxPageBytes } from "./pages.ts";

type Delivered = Omit<InboxEntry, "kind" | "sequence" | "bytes">;

/**
 * Puts a Welcome into inboxes, with the commit that it belongs to. Its bytes are stored once, however many it is for.
 *
 * @returns its place in each inbox
 */
export async function deliverWelcome(
  context: RelayContext,
  transaction: Transaction,
  welcome: {
    readonly devices: readonly DeviceId[];
    readonly bytes: Uint8Array;
    readonly entry: Delivered;
  },
): Promise<readonly { readonly deviceId: DeviceId; readonly sequence: number }[]> {
  const { devices, bytes, entry } = welcome;
  const { conversationId, groupSequence } = entry;
  transaction.store(welcomeSlot(conversationId, groupSequence), bytes);
  const heads = await transaction.loadAll(devices.map(inboxHeadSlot));
  return devices.map((deviceId, index) => {
    const sequence = (heads[index]?.headSequence ?? 0) + 1;
    transaction.store(inboxHeadSlot(deviceId), { headSequence: sequence });
    transaction.store(inboxEntrySlot(deviceId, sequence), entry);
    transaction.store(welcomeHolderSlot(conversationId, groupSequence, deviceId), new Uint8Array());
    announceWelcome(context, transaction, deviceId, { sequence, kind: "welcome", ...entry, bytes });
    return { deviceId, sequence };
  });
}

/** Inbox entries behind a sequence, as many as fit a page. */
export async function readInbox(
  { reader }: RelayContext,
  { afterSequence }: ParsedRelayParams<"inbox.read">,
  { deviceId }: DeviceCaller,
): Promise<RelayResult<"inbox.read">> {
  const head = await reader.load(inboxHeadSlot(deviceId));
  const keys = await reader.listKeys({
    prefix: inboxEntries(deviceId),
    after: inboxEntrySlot(deviceId, afterSequence).key,
    limit: maxPageEntries,
  });
  const entries: InboxEntry[] = [];
  let sizeBytes = 0;
  for (const key of keys) {
    const sequence = Number(lastToken(key));
    const entry = await reader.load(inboxEntrySlot(deviceId, sequence));
    // Acknowledged meanwhile.
    if (entry === undefined) continue;
    const bytes = await reader.load(welcomeSlot(entry.conversationId, entry.groupSequence));
    if (bytes === undefined) {
      if ((await reader.load(inboxEntrySlot(deviceId, sequence))) === undefined) continue;
      throw new AppError("relay-storage-failed", { data: { reason: "welcome-missing" } });
    }
    sizeBytes += bytes.length + 200;
    if (entries.length > 0 && sizeBytes > maxPageBytes) break;
    entries.push({ sequence, kind: "welcome", ...entry, bytes });
  }
  return { entries, headSequence: head?.headSequence ?? 0 };
}

/** Drops a device's inbox up to a sequence, and remembers it: what is gone tells nobody that it was there. */
export async function acknowledgeInbox(
  context: RelayContext,
  { sequence }: ParsedRelayParams<"inbox.acknowledge">,
  { deviceId }: DeviceCaller,
): Promise<Done> {
  for (let more = true; more;) {
    more = await context.units.run(inboxScope(deviceId), async (transaction) => {
      const slot = inboxAcknowledgedSlot(deviceId);
      const before = (await transaction.load(slot))?.sequence ?? 0;
      if (sequence > before) transaction.store(slot, { sequence });
      const keys: readonly StorageKey[] = await transaction.listKeys({
        prefix: inboxEntries(deviceId),
        after: null,
        limit: maxPageEntries,
      });
      const acknowledged = keys.map((key) => Number(lastToken(key))).filter((at) => at <= sequence);
      for (const at of acknowledged) await removeEntry(context, transaction, deviceId, at);
      return acknowledged.length === maxPageEntries;
    });
  }
  return {};
}

async function removeEntry(
  context: RelayContext,
  transaction: Transaction,
  deviceId: DeviceId,
  sequence: number,
): Promise<void> {
  const slot = inboxEntrySlot(deviceId, sequence);
  const entry = await transaction.load(slot);
  if (entry === undefined) return;
  const { conversationId, groupSequence } = entry;
  transaction.remove(slot);
  transaction.remove(welcomeHolderSlot(conversationId, groupSequence, deviceId));
  // Whether others still hold the Welcome is looked at in the conversation's scope, so that the last two of them don't each take
  // the other for a holder.
  schedule(context, transaction, {
    atMs: context.clock.nowMs(),
    subject: `welcome.${conversationId}.${String(groupSequence)}`,
    due: { kind: "welcome", conversationId, groupSequence },
  });
}

/** Takes a Welcome back out of the inboxes that still have it. To be run in the conversation's scope. */
export function withdrawWelcome(
  transaction: Transaction,
  conversationId: ConversationId,
  welcome: {
    readonly groupSequence: number;
    readonly places: readonly { readonly deviceId: DeviceId; readonly sequence: number }[];
  },
): void {
  const { groupSequence, places } = welcome;
  for (const { deviceId, sequence } of places) {
    transaction.remove(inboxEntrySlot(deviceId, sequence));
    transaction.remove(welcomeHolderSlot(conversationId, groupSequence, deviceId));
  }
  transaction.remove(welcomeSlot(conversationId, groupSequence));
}

/** Drops a Welcome that nobody waits for any more. To be run in the conversation's scope. */
export async function dropUnheldWelcome(
  transaction: Transaction,
  conversationId: ConversationId,
  groupSequence: number,
): Promise<void> {
  const holders = await transaction.listKeys({
    prefix: welcomeHolders(conversationId, groupSequence),
    after: null,
    limit: 1,
  });
  if (holders.length === 0) transaction.remove(welcomeSlot(conversationId, groupSequence));
}
