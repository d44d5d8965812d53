import {
  AppError,
  type ConversationId,
  type CryptoWorker,
  type ErrorCode,
  type MessageId,
  type UserId,
} from "#protocol";
import type { MessageKind } from "../store/rows.ts";
import type { Changes } from "./changes.ts";
import type { MessageEnd } from "./timers.ts";

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
  readonly body: Uint8Array | null;
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
    message.body,
    message.replyTo,
    message.code,
    message.owed,
  );
  changes.write("conversation.setShown", conversationId, order, message.sentAtMs);
  changes.deadlines.push({ messageId, deadlineMs: end.endsAtMs });
  changes.upsert(conversationId, messageId);
}

/** Seals one body. */
export async function sealBody(
  worker: CryptoWorker,
  messageId: MessageId,
  expiresAtMs: number,
  plain: Uint8Array,
): Promise<Uint8Array> {
  const { sealed } = await worker.call("body.seal", { items: [{ messageId, expiresAtMs, plain }] });
  const [body] = sealed;
  if (body === undefined) throw new AppError("internal", { data: { method: "body.seal" } });
  return body;
}
