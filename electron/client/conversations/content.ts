import {
  decodeMessage,
  ensureAppError,
  roomUri,
  userUri,
  type DecodedMessage,
  type DeviceId,
  type ErrorCode,
  type MessageId,
  type UserId,
} from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { insertMessage } from "../core/insert-message.ts";
import { sealBody } from "../core/leaves.ts";
import { incomingEnd } from "../core/timers.ts";
import type { StoredConversation, StoredMessage } from "../store/rows.ts";
import { answerMissing } from "./answers.ts";
import { textBytes } from "../views/bodies.ts";
import { enqueueDrop } from "./enqueue.ts";
import { applyReport, owedDelivered, sendsReceipts } from "./receipts.ts";
import { stashOrphan } from "./orphans.ts";
import { takeAgain } from "./recovery.ts";
import { noteUnopenable } from "./unopenable.ts";

/** An opened application message and its place in the log. */
export interface Arrival {
  readonly sender: UserId;
  /** null: of something that was taken before, and kept until now. */
  readonly deviceId: DeviceId | null;
  readonly content: Uint8Array;
  readonly sequence: number;
  readonly epoch: number;
  /** When the relay took it, but never later than now, milliseconds. */
  readonly sentAtMs: number;
  /** The place in the conversation that was kept for it when it was missed; null: it is the newest. */
  readonly order: number | null;
}

type Text = Extract<DecodedMessage, { readonly kind: "text" }>;
type Reaction = Extract<DecodedMessage, { readonly kind: "reaction" }>;

/** More reactions of one person to one message than this are passed over. */
const maxReactions = 30;

/** Everything that handling one arrival needs. */
export interface Taking {
  readonly core: Core;
  readonly changes: Changes;
  readonly conversation: StoredConversation;
  readonly arrival: Arrival;
}

/**
 * Takes what a member has said into `changes`. Content of foreign meaning, and content that can't be read, stands in the
 * conversation as such.
 */
export async function takeContent(taking: Taking): Promise<void> {
  const { core, conversation, arrival, changes } = taking;
  const { networkId } = core.self;
  let decoded: DecodedMessage;
  try {
    decoded = decodeMessage(
      arrival.content,
      userUri(networkId, arrival.sender),
      roomUri(networkId, conversation.conversationId),
    );
  } catch (error) {
    await takeUnopenable(taking, ensureAppError(error).code);
    return;
  }
  switch (decoded.kind) {
    case "text":
      if (decoded.replaces === null) await takeText(taking, decoded);
      else await takeEdit(taking, decoded, decoded.replaces);
      return;
    case "reaction":
      await takeReaction(taking, decoded);
      return;
    case "unreact":
      if (!takeUnreaction(taking, decoded.replaces)) {
        await stashOrphan(taking, decoded, decoded.replaces);
      }
      return;
    case "recall": {
      const target = ownTarget(taking, decoded.replaces);
      if (target !== undefined) recall(core, changes, target);
      else await stashOrphan(taking, decoded, decoded.replaces);
      return;
    }
    case "status":
      applyReport(core, changes, conversation, {
        reporter: arrival.sender,
        statuses: decoded.statuses,
        atMs: arrival.sentAtMs,
      });
      return;
    case "missing":
      if (arrival.order === null) await answerMissing(taking, decoded);
      return;
    case "again":
      // Within an answer stands what people said, no further talk about what is missing.
      if (arrival.order === null) await takeAgain(taking, decoded.again, takeContent);
      return;
    case "unsupported":
      await takeUnopenable(taking, "message-unopenable");
  }
}

async function takeText(taking: Taking, text: Text): Promise<void> {
  const { core, conversation, changes, arrival } = taking;
  const { conversationId } = conversation;
  const end = incomingEnd(arrival.sentAtMs, text, conversation.roomState.timers, core.policy);
  // It is here already, said again by its sender.
  if (core.store.message(text.messageId) !== undefined) return;
  if (end.endsAtMs <= core.time.now()) {
    // Its end came while it was on its way: the newest that was shown is one that has ended.
    const order = arrival.order ?? core.nextOrder(conversationId);
    changes.write("conversation.setShown", conversationId, order, arrival.sentAtMs);
    changes.touch(conversationId, false);
    return;
  }
  const own = arrival.sender === core.self.userId;
  const leaf = core.leaves.take(changes, end.endsAtMs);
  const sealed = await sealBody(core.worker, text.messageId, leaf, textBytes(text.markdown));
  insertMessage(changes, {
    messageId: text.messageId,
    conversationId,
    order: arrival.order ?? core.nextOrder(conversationId),
    kind: "text",
    sender: arrival.sender,
    own,
    sentAtMs: arrival.sentAtMs,
    end,
    state: own ? "sent" : null,
    sequence: arrival.sequence,
    epoch: arrival.epoch,
    body: { leaf, sealed },
    replyTo: text.replyTo,
    code: null,
    owed: !own && sendsReceipts(conversation) ? owedDelivered : 0,
  });
  // What was said of it meanwhile may wait for it.
  if (arrival.order !== null) changes.asking.add(conversationId);
  if (own) return;
  changes.owing.add(conversationId);
  changes.notices.push({ conversationId, kind: "message" });
}

/** A text of this conversation that the arrival's sender wrote and may therefore change. */
function ownTarget(
  { core, conversation, arrival }: Taking,
  messageId: MessageId,
): StoredMessage | undefined {
  const target = core.store.message(messageId);
  const may =
    target?.kind === "text" &&
    target.conversationId === conversation.conversationId &&
    target.sender === arrival.sender;
  return may ? target : undefined;
}

async function takeEdit(taking: Taking, text: Text, replaces: MessageId): Promise<void> {
  const target = ownTarget(taking, replaces);
  if (target === undefined) return stashOrphan(taking, text, replaces);
  const { markdown } = text;
  const { sequence } = taking.arrival;
  // It comes late: a newer one is here.
  if (sequence < target.editSequence) return;
  await edit(taking.core, taking.changes, target, { markdown, sequence });
}

/**
 * Puts a new text in place of a message's old one, which goes from the vault. Both are sealed under the message's one key: an old copy of the
 * disk gives the old text to whoever has that key, until the message ends and the key with it.
 */
export async function edit(
  core: Core,
  changes: Changes,
  target: StoredMessage,
  { markdown, sequence }: { readonly markdown: string; readonly sequence: number },
): Promise<void> {
  const { messageId, conversationId, leaf } = target;
  if (leaf === null) return;
  const body = await sealBody(core.worker, messageId, leaf, textBytes(markdown));
  changes.write("message.setBody", messageId, body, sequence);
  changes.upsert(conversationId, messageId);
  for (const quoting of core.store.quotedBy(messageId)) changes.upsert(conversationId, quoting);
  changes.forgets = true;
}

/** Leaves only the fact that a message was recalled. */
export function recall(core: Core, changes: Changes, target: StoredMessage): void {
  const { messageId, conversationId } = target;
  // Where it was said again, the relay has it a second time.
  for (const said of core.store.missing.answersWith(messageId)) {
    enqueueDrop(core, changes, { conversationId, ...said });
  }
  changes.write("sent.emptyOf", messageId);
  changes.write("message.recall", messageId);
  changes.write("reaction.deleteOf", messageId);
  changes.write("receipt.deleteOf", messageId);
  changes.write("outbox.deleteOf", messageId);
  changes.upsert(conversationId, messageId);
  for (const quoting of core.store.quotedBy(messageId)) changes.upsert(conversationId, quoting);
  changes.forgets = true;
}

async function takeReaction(taking: Taking, reaction: Reaction): Promise<void> {
  const { core, changes, conversation, arrival } = taking;
  const target = core.store.message(reaction.to);
  if (target === undefined) return stashOrphan(taking, reaction, reaction.to);
  if (target.kind !== "text" || target.conversationId !== conversation.conversationId) return;
  const earlier = core.store.reactions(reaction.to, core.time.now());
  if (earlier.filter(({ sender }) => sender === arrival.sender).length >= maxReactions) return;
  if (reaction.replaces !== null) takeUnreaction(taking, reaction.replaces);
  await addReaction(core, changes, target, {
    reactionId: reaction.messageId,
    sender: arrival.sender,
    emoji: reaction.emoji,
    sentAtMs: arrival.sentAtMs,
  });
}

/** One person's reaction to a message. */
export interface NewReaction {
  readonly reactionId: MessageId;
  readonly sender: UserId;
  readonly emoji: string;
  readonly sentAtMs: number;
}

/** Adds a reaction, which ends with its message. */
export async function addReaction(
  core: Core,
  changes: Changes,
  target: StoredMessage,
  { reactionId, sender, emoji, sentAtMs }: NewReaction,
): Promise<void> {
  const { messageId, conversationId, endsAtMs, leaf } = target;
  if (leaf === null) return;
  const body = await sealBody(core.worker, reactionId, leaf, textBytes(emoji));
  changes.write(
    "reaction.insert",
    reactionId,
    conversationId,
    messageId,
    sender,
    sentAtMs,
    endsAtMs,
    body,
  );
  changes.upsert(conversationId, messageId);
}

/** @returns whether there is such a reaction */
function takeUnreaction(
  { core, changes, conversation, arrival }: Taking,
  reactionId: MessageId,
): boolean {
  const reaction = core.store.reaction(reactionId);
  if (reaction?.sender !== arrival.sender) return reaction !== undefined;
  changes.write("reaction.delete", reactionId, arrival.sender);
  changes.upsert(conversation.conversationId, reaction.targetId);
  return true;
}

async function takeUnopenable(taking: Taking, code: ErrorCode): Promise<void> {
  const { core, changes, conversation, arrival } = taking;
  const unopenable = { sender: arrival.sender, sequence: arrival.sequence, code };
  await noteUnopenable(core, changes, conversation, { ...unopenable, raw: arrival.content });
}
