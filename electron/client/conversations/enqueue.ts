import {
  encodeMessage,
  roomUri,
  saltBytes,
  userUri,
  type ConversationId,
  type EncodedMessage,
  type MessageId,
  type MessageIntent,
} from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { sealBody } from "../core/insert-message.ts";
import type { OutboxKind } from "../store/rows.ts";

/** Something to be sent. */
export interface Outgoing {
  readonly conversationId: ConversationId;
  readonly kind: Exclude<OutboxKind, "leave" | "drop" | "withdrawn">;
  readonly intent: MessageIntent;
  readonly endsAtMs: number;
  readonly burnSeconds: number | null;
  /** The message it belongs to and ends with; null for what stands alone. */
  readonly targetId: MessageId | null;
}

/** Writes a message of ours; `messageId` and end are what all others will see. */
export function composeMessage(core: Core, outgoing: Outgoing): EncodedMessage {
  const { networkId, userId } = core.self;
  return encodeMessage(outgoing.intent, {
    salt: core.random(saltBytes),
    senderUri: userUri(networkId, userId),
    roomUri: roomUri(networkId, outgoing.conversationId),
    expiresAtMs: outgoing.endsAtMs,
    burnSeconds: outgoing.burnSeconds,
  });
}

/** Puts a composed and sealed message into the outbox. */
export function insertOutboxItem(
  changes: Changes,
  { conversationId, kind, targetId }: Outgoing,
  item: SealedOutgoing,
): void {
  const { messageId, expiresAtMs, content } = item;
  // A text ends with the message that it is.
  const endsWith = kind === "text" ? messageId : targetId;
  changes.write(
    "outbox.insert",
    messageId,
    conversationId,
    kind,
    endsWith,
    expiresAtMs,
    content,
    null,
  );
  changes.deadlines.push({ messageId, deadlineMs: expiresAtMs });
  changes.outboxes.add(conversationId);
}

/** What {@link insertOutboxItem} takes. */
export interface SealedOutgoing {
  readonly messageId: MessageId;
  readonly expiresAtMs: number;
  readonly content: Uint8Array;
}

/** Composes a message and seals it for the outbox. @throws AppError `message-too-long`, `argument-invalid` */
export async function sealOutgoing(core: Core, outgoing: Outgoing): Promise<SealedOutgoing> {
  const { messageId, expiresAtMs, bytes } = composeMessage(core, outgoing);
  const content = await sealBody(core.worker, messageId, expiresAtMs, bytes);
  return { messageId, expiresAtMs, content };
}

/** Composes a message and puts it into the outbox. @throws AppError `message-too-long`, `argument-invalid` */
export async function enqueue(
  core: Core,
  changes: Changes,
  outgoing: Outgoing,
): Promise<SealedOutgoing> {
  const sealed = await sealOutgoing(core, outgoing);
  insertOutboxItem(changes, outgoing, sealed);
  return sealed;
}

/** Lets the relay drop the ciphertext of an own message. */
export function enqueueDrop(
  core: Core,
  changes: Changes,
  drop: {
    readonly conversationId: ConversationId;
    readonly sequence: number;
    /** The relay drops it by itself then, milliseconds. */
    readonly endsAtMs: number;
  },
): void {
  const { conversationId, sequence, endsAtMs } = drop;
  const itemId = core.localId();
  changes.write("outbox.insert", itemId, conversationId, "drop", null, endsAtMs, null, sequence);
  changes.outboxes.add(conversationId);
}
