import type {
  CryptoWorker,
  DeliveryView,
  ExpiryView,
  MessageId,
  MessageView,
  QuoteView,
  ReactionView,
  UserId,
} from "#protocol";
import { nobody, type SendState, type StoredMessage } from "../store/rows.ts";
import type { Store, StoredReaction, StoredReceipt } from "../store/store.ts";
import { openBodies, textOf, type SealedBody } from "./bodies.ts";
import type { People } from "./people.ts";
import { decodeLine, lineView } from "./system-line.ts";

/** What message views are made from. */
export interface MessageViewSources {
  readonly store: Store;
  readonly people: People;
  readonly worker: CryptoWorker;
  readonly me: UserId;
  readonly now: () => number;
}

const maxQuoteLength = 240;

/** Whether this reader has yet to uncover a message. */
export function isCovered(message: StoredMessage): boolean {
  return (
    message.kind === "text" && !message.own && message.burnSeconds !== null && !message.revealed
  );
}

/** The sealed body of a message, where it has one. */
export function sealedBody(message: StoredMessage): readonly SealedBody[] {
  const { messageId, body, leaf } = message;
  return body === null || leaf === null ? [] : [{ messageId, leaf, sealed: body }];
}

/** The sealed emoji of a reaction. */
export function sealedReaction({ reactionId, leaf, body }: StoredReaction): SealedBody {
  return { messageId: reactionId, leaf, sealed: body };
}

/** When and why a message ends. */
export function expiryView(message: StoredMessage): ExpiryView {
  const { sentAtMs, endsAtMs, origin, originSeconds, burnSeconds, burnsAtMs } = message;
  return { sentAtMs, endsAtMs, origin, originSeconds, burnSeconds, burnsAtMs };
}

/** How far an own message has come, by what its readers reported: the slowest reader decides. */
export function deliveryView(
  state: SendState,
  receipts: readonly Pick<StoredReceipt, "deliveredAtMs" | "readAtMs">[],
): DeliveryView {
  if (state.kind !== "sent" || receipts.length === 0) return state;
  if (receipts.every(({ readAtMs }) => readAtMs !== null)) return { kind: "read" };
  if (receipts.every(({ deliveredAtMs }) => deliveredAtMs !== null)) return { kind: "delivered" };
  return state;
}

function reactionViews(
  reactions: readonly StoredReaction[],
  opened: ReadonlyMap<MessageId, Uint8Array>,
  { people, me }: MessageViewSources,
): readonly ReactionView[] {
  const byEmoji = new Map<string, UserId[]>();
  for (const { reactionId, sender } of reactions) {
    const emoji = textOf(opened, reactionId);
    if (emoji === null) continue;
    const senders = byEmoji.get(emoji) ?? [];
    if (!senders.includes(sender)) senders.push(sender);
    byEmoji.set(emoji, senders);
  }
  return [...byEmoji].map(([emoji, senders]) => ({
    emoji,
    people: senders.map((sender) => people.view(sender)),
    own: senders.includes(me),
  }));
}

/** Everything that belongs to one message, its bodies still sealed. */
interface Gathered {
  readonly message: StoredMessage;
  readonly quoted: StoredMessage | null;
  readonly reactions: readonly StoredReaction[];
}

function gather(message: StoredMessage, { store, now }: MessageViewSources): Gathered {
  const nowMs = now();
  const quoted = message.replyTo === null ? undefined : store.message(message.replyTo);
  const visible =
    quoted?.kind === "text" &&
    quoted.conversationId === message.conversationId &&
    quoted.deadlineMs > nowMs;
  return {
    message,
    quoted: visible ? quoted : null,
    reactions: message.kind === "text" ? store.reactions(message.messageId, nowMs) : [],
  };
}

function bodiesOf({ message, quoted, reactions }: Gathered): readonly SealedBody[] {
  if (isCovered(message)) return [];
  return [
    ...sealedBody(message),
    ...(quoted === null || isCovered(quoted) ? [] : sealedBody(quoted)),
    ...reactions.map(sealedReaction),
  ];
}

function quoteView(
  { message, quoted }: Gathered,
  opened: ReadonlyMap<MessageId, Uint8Array>,
  people: People,
): QuoteView | null {
  if (message.replyTo === null) return null;
  const text = quoted === null ? null : textOf(opened, quoted.messageId);
  return {
    messageId: message.replyTo,
    senderName: quoted === null ? "" : people.view(quoted.sender).displayName,
    text: text === null ? null : text.slice(0, maxQuoteLength),
  };
}

function viewOf(
  gathered: Gathered,
  opened: ReadonlyMap<MessageId, Uint8Array>,
  sources: MessageViewSources,
): MessageView {
  const { message } = gathered;
  const { messageId, conversationId, order, sentAtMs, own } = message;
  const sender = sources.people.view(message.sender);
  const common = { messageId, conversationId, order, sentAtMs, sender, own };
  const expiry = expiryView(message);
  if (message.kind === "recalled") return { ...common, kind: "recalled", expiry };
  if (message.kind === "unopenable") {
    const { code, missing: count } = message;
    const asking = sources.store.missing.isAskedFor(messageId);
    const senderKnown = message.sender !== nobody;
    return { ...common, kind: "unopenable", code, count, senderKnown, asking };
  }
  if (isCovered(message)) return { ...common, kind: "covered", expiry };
  const plain = opened.get(messageId);
  // Its key is gone or its bytes are damaged: that is said, and nothing is made up.
  if (plain === undefined) {
    const code = "message-unopenable";
    return { ...common, kind: "unopenable", code, count: 1, senderKnown: true, asking: false };
  }
  if (message.kind === "system") {
    return { ...common, kind: "system", line: lineView(decodeLine(plain), sources.people) };
  }
  return {
    ...common,
    kind: "text",
    text: textOf(opened, messageId) ?? "",
    expiry,
    quote: quoteView(gathered, opened, sources.people),
    edited: message.edited,
    reactions: reactionViews(gathered.reactions, opened, sources),
    delivery:
      message.state === null
        ? null
        : deliveryView(message.state, sources.store.receipts(messageId)),
  };
}

/** Messages as the interface shows them. Opened text lives only in what is returned. */
export async function messageViews(
  messages: readonly StoredMessage[],
  sources: MessageViewSources,
): Promise<readonly MessageView[]> {
  const gathered = messages.map((message) => gather(message, sources));
  const opened = await openBodies(sources.worker, gathered.flatMap(bodiesOf));
  return gathered.map((item) => viewOf(item, opened, sources));
}
