import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredConversation, StoredOutboxItem } from "../store/rows.ts";
import { expectReceipts } from "./receipts.ts";

/** The relay has given an outbox item its place in the log. */
export interface Sent {
  readonly conversation: StoredConversation;
  readonly item: StoredOutboxItem;
  readonly sequence: number;
  readonly epoch: number;
  /** When the relay took it, milliseconds. */
  readonly receivedAtMs: number;
}

/** Takes an item out of the outbox; its message is on its way to the others now. */
export function noteSent(core: Core, changes: Changes, sent: Sent): void {
  const { conversation, item, sequence, epoch, receivedAtMs } = sent;
  const { conversationId } = conversation;
  if (item.kind === "leave") {
    // It stays until a commit has carried it out, and goes out again for the next epoch if none has.
    changes.write("outbox.setPlace", item.itemId, sequence);
    return;
  }
  // The vault decides, in the order of its transactions: a recall may be under way at this moment.
  changes.write("outbox.dropWithdrawn", item.itemId, sequence);
  // For as long as it lives it can be said again to who misses it.
  changes.write("sent.keep", item.itemId, epoch, sequence, receivedAtMs);
  changes.write("outbox.disown", item.itemId);
  changes.write("outbox.sent", item.itemId);
  changes.outboxes.add(conversationId);
  if (item.kind !== "text" && item.kind !== "withdrawn") return;
  changes.write("message.setSent", item.itemId, sequence, epoch);
  if (core.store.message(item.itemId)?.kind === "text") {
    expectReceipts(changes, conversation, item.itemId, core.self.userId);
  }
  changes.upsert(conversationId, item.itemId);
}
