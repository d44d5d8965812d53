import type { ConversationId, ErrorCode, KeyLeaf, MessageId, UserId } from "#protocol";
import type { MessageKind } from "../store/rows.ts";
import type { Changes } from "./changes.ts";
import type { MessageEnd } from "./timers.ts";

/** A sealed body and the leaf it is sealed under. */
export interface SealedUnder {
  readonly leaf: KeyLeaf;
  readonly sealed: Uint8Array;
}

/** A new row of `messages`, its body sealed. */
export interface NewMessage {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  readonly order: number;
  readonly kind: MessageKind;
  readonly sender: UserId;
  readonly own: boolean;
  readonly sentAtMs: number;
  readonly end: MessageEnd;
  readonly state: "waiting" | "sent" | null;
  readonly sequence: number | null;
  readonly epoch: number;
  /** null: it has none. */
  readonly body: SealedUnder | null;
  readonly replyTo: MessageId | null;
  readonly code: ErrorCode | null;
  /** The receipt its sender is owed: 0 none, 1 delivered. */
  readonly owed: 0 | 1;
}

/** Adds a message to a conversation. */
export function insertMessage(changes: Changes, message: NewMessage): void {
  const { messageId, conversationId, order, end } = message;
  changes.write(
    "message.insert",
    messageId,
    conversationId,
    order,
    message.kind,
    message.sender,
    message.own ? 1 : 0,
    message.sentAtMs,
    end.endsAtMs,
    end.origin,
    end.originSeconds,
    end.burnSeconds,
    message.state,
    message.sequence,
    message.epoch,
    message.body?.sealed ?? null,
    message.replyTo,
    message.code,
    message.owed,
    message.body?.leaf.hour ?? null,
    message.body?.leaf.leaf ?? null,
  );
  changes.write("conversation.setShown", conversationId, order, message.sentAtMs);
  changes.deadlines.push({ messageId, deadlineMs: end.endsAtMs });
  changes.upsert(conversationId, messageId);
}
