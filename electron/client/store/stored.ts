import type { ConversationId, KeyLeaf, MessageId, UserId } from "#protocol";
import type { Row } from "../../vault/index.ts";
import { text } from "./columns.ts";

/** What one reader has done with an own message. */
export interface StoredReceipt {
  readonly userId: UserId;
  readonly deliveredAtMs: number | null;
  readonly readAtMs: number | null;
  readonly burned: boolean;
}

/** A reaction, its emoji still sealed. */
export interface StoredReaction {
  readonly reactionId: MessageId;
  readonly sender: UserId;
  readonly endsAtMs: number;
  /** Its message's. */
  readonly leaf: KeyLeaf;
  readonly body: Uint8Array;
}

/** Where a message is. */
export interface MessagePlace {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
}

/** Reads a {@link MessagePlace}. */
export function placeOf(row: Row): MessagePlace {
  return {
    messageId: text(row, "message_id") as MessageId,
    conversationId: text(row, "conversation_id") as ConversationId,
  };
}

/** Leaves that wait for the destruction of their keys. */
export interface Doomed {
  readonly leaves: readonly KeyLeaf[];
  /** Up to which of them these are. */
  readonly lastId: number;
}

/** A message whose end has come. */
export interface DueMessage {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  readonly own: boolean;
  readonly sequence: number | null;
  readonly burned: boolean;
  readonly endsAtMs: number;
}

/** A key package of this device, as long as a Welcome may come that was made for it. */
export interface KeptKeyPackage {
  /** Its private part. */
  readonly sealed: Uint8Array;
  readonly lastResort: boolean;
}
