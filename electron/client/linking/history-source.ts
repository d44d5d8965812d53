import type { MessageId } from "#protocol";
import type { Core } from "../core/core.ts";
import { bodyItem } from "../core/leaves.ts";
import type { StoredConversation, StoredMessage } from "../store/rows.ts";
import { isLive, type StoredReaction } from "../store/store.ts";
import type { StoredChannel } from "./channels.ts";
import {
  maxListed,
  pageBytes,
  pageMessages,
  type HistoryRow,
  type HistorySaid,
  type ListedConversation,
} from "./history-format.ts";

type Want = Extract<HistorySaid, { readonly kind: "want" }>;
type Have = Extract<HistorySaid, { readonly kind: "have" }>;

/** What of a conversation comes over: what people said and what happened, while it lives. Own messages that aren't out come by the log. */
function comesOver({ kind, own, state }: StoredMessage): boolean {
  if (kind === "unopenable") return false;
  return kind !== "text" || !own || state?.kind === "sent";
}

/** The conversations whose messages come over, the latest first. */
export function listHistory(core: Core): readonly ListedConversation[] {
  const nowMs = core.time.now();
  return core.store
    .conversations()
    .filter(({ state }) => isLive(state))
    .toSorted((left, right) => right.lastActivityMs - left.lastActivityMs)
    .slice(0, maxListed)
    .map(({ conversationId, readOrder, lastActivityMs, pinned, muted }) => ({
      conversationId,
      count: core.store.countSince(conversationId, 0, nowMs),
      readOrder,
      lastActivityMs,
      pinned,
      muted,
    }));
}

/** A page of a conversation, its bodies sealed for the other device. What ends while it is made is left out there. */
export async function pageOfHistory(
  core: Core,
  channel: StoredChannel,
  { conversationId, beforeOrder, requestId }: Want,
): Promise<Have> {
  const conversation = core.store.conversation(conversationId);
  if (conversation === undefined || !isLive(conversation.state)) {
    return { kind: "have", requestId, rows: [], beforeOrder: null };
  }
  const page = takePage(core, conversation, beforeOrder);
  const rows = await rowsOf(core, channel, page.messages.filter(comesOver));
  return { kind: "have", requestId, rows, beforeOrder: page.beforeOrder };
}

function takePage(
  { store, time }: Core,
  { conversationId }: StoredConversation,
  beforeOrder: number,
) {
  const nowMs = time.now();
  const found = store
    .page(conversationId, beforeOrder, { limit: pageMessages, nowMs })
    .toReversed();
  let sizeBytes = 0;
  const fitting = found.findIndex((message, index) => {
    sizeBytes += message.body?.length ?? 0;
    return index > 0 && sizeBytes > pageBytes;
  });
  const messages = fitting < 0 ? found : found.slice(0, fitting);
  const last = messages.at(-1);
  const more = last !== undefined && store.hasBefore(conversationId, last.order, nowMs);
  return { messages, beforeOrder: more ? last.order : null };
}

async function rowsOf(
  core: Core,
  { sealedChannel }: StoredChannel,
  messages: readonly StoredMessage[],
): Promise<HistoryRow[]> {
  const nowMs = core.time.now();
  const gathered = messages.map((message) => ({
    message,
    reactions: message.kind === "text" ? core.store.reactions(message.messageId, nowMs) : [],
  }));
  const items = gathered.flatMap(({ message, reactions }) => [
    ...bodiesOf(message),
    ...reactions.map(({ reactionId, leaf, body }) => ({
      ...bodyItem(reactionId, leaf),
      sealed: body,
    })),
  ]);
  const { boxed } = await core.worker.call("link.exportBodies", { sealedChannel, items });
  const bodies = new Map(items.map(({ messageId }, index) => [messageId, boxed[index] ?? null]));
  return gathered.flatMap(({ message, reactions }) => {
    const body = bodies.get(message.messageId) ?? null;
    // Its key has gone meanwhile.
    if (message.body !== null && body === null) return [];
    return [rowOf(core, message, body, reactionsOf(reactions, bodies))];
  });
}

function bodiesOf({ messageId, body, leaf }: StoredMessage) {
  return body === null || leaf === null ? [] : [{ ...bodyItem(messageId, leaf), sealed: body }];
}

function reactionsOf(
  reactions: readonly StoredReaction[],
  bodies: ReadonlyMap<MessageId, Uint8Array | null>,
): HistoryRow["reactions"] {
  return reactions.flatMap(({ reactionId, sender, endsAtMs }) => {
    const body = bodies.get(reactionId) ?? null;
    return body === null ? [] : [{ reactionId, sender, endsAtMs, body }];
  });
}

function rowOf(
  { store }: Core,
  message: StoredMessage,
  body: Uint8Array | null,
  reactions: HistoryRow["reactions"],
): HistoryRow {
  const { messageId, order, sender, sentAtMs, endsAtMs, origin, originSeconds } = message;
  const { burnSeconds, revealed, burnsAtMs, epoch, edited, replyTo, own } = message;
  return {
    messageId,
    order,
    kind: message.kind === "unopenable" ? "system" : message.kind,
    sender,
    sentAtMs,
    endsAtMs,
    origin,
    originSeconds,
    burnSeconds,
    revealed,
    burnsAtMs,
    epoch,
    body,
    edited,
    replyTo,
    owed: store.owedOf(messageId),
    reactions,
    receipts: own ? store.receipts(messageId).map((receipt) => ({ ...receipt })) : [],
  };
}
