import type { ConversationId, MessageId } from "#protocol";
import { adoptOrphans } from "../conversations/orphans.ts";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { bodyItem } from "../core/leaves.ts";
import { putFact, readFact } from "../store/facts.ts";
import { isLive } from "../store/store.ts";
import type { StoredChannel } from "./channels.ts";
import type { HistoryRow, HistorySaid, ListedConversation } from "./history-format.ts";

type Have = Extract<HistorySaid, { readonly kind: "have" }>;

/**
 * Orders of a linked device's own items begin here: below lie those of the messages that come over, which keep the places that they have at the other
 * device.
 */
export const firstLinkedOrder = 2 ** 30;

/** How far the messages have come. */
export interface HistoryProgress {
  /** What the other device has; null: it hasn't said yet. */
  readonly listed: readonly (ListedConversation & {
    /** Where its next page begins; null: all of it is here. */
    readonly beforeOrder: number | null;
  })[];
  /** How many have come. */
  readonly done: number;
  readonly total: number;
}

/** Keeps what the other device has. One that was told before is not begun anew. */
export async function takeList(
  core: Core,
  conversations: readonly ListedConversation[],
): Promise<void> {
  const known = new Map(
    readFact(core.vault, "historyProgress")?.listed.map((one) => [one.conversationId, one]),
  );
  const listed = conversations.map(
    (one) => known.get(one.conversationId) ?? { ...one, beforeOrder: firstLinkedOrder },
  );
  const done = readFact(core.vault, "historyProgress")?.done ?? 0;
  const total = listed.reduce((sum, { count }) => sum + count, 0);
  const changes = new Changes();
  changes.statements.push(putFact("historyProgress", { listed, done, total }));
  await core.commit(changes);
}

/** The conversation to ask for next, among those that this device is in. */
export function nextWanted(core: Core): {
  readonly conversationId: ConversationId;
  readonly beforeOrder: number;
} | null {
  for (const { conversationId, beforeOrder } of readFact(core.vault, "historyProgress")?.listed ??
    []) {
    if (beforeOrder === null) continue;
    const conversation = core.store.conversation(conversationId);
    if (conversation !== undefined && isLive(conversation.state)) {
      return { conversationId, beforeOrder };
    }
  }
  return null;
}

/**
 * Puts a page into its conversation, in one transaction with how far it has come, and applies what waited for its messages. Of a conversation
 * that was deleted here meanwhile nothing comes any more.
 */
export async function takePage(
  core: Core,
  channel: StoredChannel,
  conversationId: ConversationId,
  { rows, beforeOrder }: Have,
): Promise<void> {
  await core.groupQueue.run(conversationId, async () => {
    const progress = readFact(core.vault, "historyProgress");
    const conversation = core.store.conversation(conversationId);
    if (progress === undefined || conversation === undefined) return;
    const nowMs = core.time.now();
    const alive = rows.filter(
      (row) =>
        Math.min(row.endsAtMs, row.burnsAtMs ?? Infinity) > nowMs &&
        row.order < firstLinkedOrder &&
        core.store.message(row.messageId) === undefined,
    );
    const changes = new Changes();
    await insertRows(core, changes, { channel, conversationId }, alive);
    const over = core.store.missing.isHistoryOver(conversationId);
    const listed = progress.listed.map((one) =>
      one.conversationId === conversationId
        ? { ...one, beforeOrder: over ? null : beforeOrder }
        : one,
    );
    const place = progress.listed.find((one) => one.conversationId === conversationId);
    if (!over && place?.beforeOrder === firstLinkedOrder) {
      const { readOrder, lastActivityMs, pinned, muted } = place;
      const flags = [pinned ? 1 : 0, muted ? 1 : 0] as const;
      changes.write("history.place", conversationId, readOrder, lastActivityMs, ...flags);
    }
    const done = progress.done + rows.length;
    changes.statements.push(putFact("historyProgress", { ...progress, listed, done }));
    changes.touch(conversationId);
    await core.commit(changes);
    await adoptOrphans(core, conversationId);
  });
}

async function insertRows(
  core: Core,
  changes: Changes,
  into: { readonly channel: StoredChannel; readonly conversationId: ConversationId },
  rows: readonly HistoryRow[],
): Promise<void> {
  const { sealedChannel } = into.channel;
  const leaves = rows.map(({ body, endsAtMs }) =>
    body === null ? null : core.leaves.take(changes, endsAtMs),
  );
  const items = rows.flatMap(({ messageId, body, reactions }, index) => {
    const leaf = leaves[index] ?? null;
    if (leaf === null || body === null) return [];
    return [
      { ...bodyItem(messageId, leaf), boxed: body },
      ...reactions.map((reaction) => ({
        ...bodyItem(reaction.reactionId, leaf),
        boxed: reaction.body,
      })),
    ];
  });
  const { sealed } = await core.worker.call("link.importBodies", { sealedChannel, items });
  const bodies = new Map(items.map(({ messageId }, index) => [messageId, sealed[index] ?? null]));
  rows.forEach((row, index) => {
    const body = bodies.get(row.messageId) ?? null;
    if (row.body !== null && body === null) return;
    const leaf = leaves[index] ?? null;
    insertRow(core, changes, into.conversationId, { row, body, leaf });
    insertAround(changes, into.conversationId, row, bodies);
  });
}

function insertRow(
  core: Core,
  changes: Changes,
  conversationId: ConversationId,
  made: {
    readonly row: HistoryRow;
    readonly body: Uint8Array | null;
    readonly leaf: { readonly hour: number; readonly leaf: number } | null;
  },
): void {
  const { row, body, leaf } = made;
  const { messageId, order, endsAtMs, burnsAtMs } = row;
  const own = row.sender === core.self.userId;
  const deadlineMs = Math.min(endsAtMs, burnsAtMs ?? endsAtMs);
  changes.write(
    "history.insert",
    messageId,
    conversationId,
    order,
    row.kind,
    row.sender,
    own ? 1 : 0,
    row.sentAtMs,
    endsAtMs,
    row.origin,
    row.originSeconds,
    row.burnSeconds,
    row.revealed ? 1 : 0,
    burnsAtMs,
    deadlineMs,
    own && row.kind === "text" ? "sent" : null,
    row.epoch,
    body,
    row.edited ? 1 : 0,
    row.replyTo,
    row.owed,
    leaf?.hour ?? null,
    leaf?.leaf ?? null,
  );
  changes.deadlines.push({ messageId, deadlineMs });
  changes.upsert(conversationId, messageId);
}

function insertAround(
  changes: Changes,
  conversationId: ConversationId,
  { messageId, reactions, receipts, sentAtMs }: HistoryRow,
  bodies: ReadonlyMap<MessageId, Uint8Array | null>,
): void {
  for (const { reactionId, sender, endsAtMs } of reactions) {
    const body = bodies.get(reactionId) ?? null;
    if (body === null) continue;
    const place = [reactionId, conversationId, messageId] as const;
    changes.write("reaction.insert", ...place, sender, sentAtMs, endsAtMs, body);
    changes.deadlines.push({ messageId: reactionId, deadlineMs: endsAtMs });
  }
  for (const { userId, deliveredAtMs, readAtMs, burned } of receipts) {
    const told = [deliveredAtMs, readAtMs, burned ? 1 : 0] as const;
    changes.write("history.receipt", messageId, userId, ...told);
  }
}
