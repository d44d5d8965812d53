import {
  decodeCbor,
  decodeRoomState,
  encodeCbor,
  isErrorCode,
  type BlockingCode,
  type ConversationId,
  type ConversationKind,
  type DeviceId,
  type ErrorCode,
  type GroupMember,
  type KeyLeaf,
  type MessageId,
  type RoomState,
  type SuiteName,
  type TimerOrigin,
  type UserId,
} from "#protocol";
import type { Row } from "../../vault/index.ts";
import { bytes, leafOf, nullable, number, text } from "./columns.ts";

/** Where a conversation stands for this account. */
export type ConversationState = "creating" | "active" | "leaving" | "left" | "removed";

/** A row of `conversations`. */
export interface StoredConversation {
  readonly conversationId: ConversationId;
  readonly state: ConversationState;
  readonly kind: ConversationKind;
  readonly peer: UserId | null;
  readonly roomState: RoomState;
  readonly members: readonly GroupMember[];
  readonly epoch: number;
  readonly suite: SuiteName;
  readonly authenticator: string;
  readonly cursor: number;
  readonly lastActivityMs: number;
  readonly nextOrder: number;
  readonly lastOrder: number;
  readonly readOrder: number;
  readonly unopenable: number;
  /** How many of those came after all, and how many were over when they were asked for. */
  readonly recovered: number;
  readonly overdue: number;
  /** The epoch in which this device joined, or joined anew. */
  readonly sinceEpoch: number;
  readonly pinned: boolean;
  readonly muted: boolean;
  readonly hidden: boolean;
  readonly draft: Draft | null;
  /** Why its log can't be read on; null when it can. */
  readonly blocked: BlockingCode | null;
  /** Entries of this epoch that never came or can't be read, and that no gap has told of. */
  readonly lost: number;
  /** Its group's state was rolled back or led astray: nothing may be encrypted by it. */
  readonly stale: boolean;
  /** Where in the log the present epoch began; null when that isn't known. */
  readonly epochStart: number | null;
  /** The place in the log where a commit was found void last; 0: none was. */
  readonly reopenedAt: number;
  /** Others see another epoch than this device. */
  readonly doubtful: boolean;
}

/** What was typed and not sent, sealed like a message of its own. */
export interface Draft {
  readonly draftId: MessageId;
  readonly endsAtMs: number;
  readonly leaf: KeyLeaf;
  readonly sealed: Uint8Array;
}

const maxMembersBytes = 8 * 1024 * 1024;

/** Members as they are stored. */
export function encodeMembers(members: readonly GroupMember[]): Uint8Array {
  return encodeCbor(members.map(({ userId, deviceId }) => [userId, deviceId]));
}

/** @param stored - what {@link encodeMembers} gave */
export function decodeMembers(stored: Uint8Array): readonly GroupMember[] {
  const pairs = decodeCbor(stored, maxMembersBytes) as readonly (readonly [UserId, DeviceId])[];
  return pairs.map(([userId, deviceId]) => ({ userId, deviceId }));
}

/** The columns of a conversation's row that take long to read in a large group. */
export interface GroupColumns {
  readonly roomState: RoomState;
  readonly members: readonly GroupMember[];
}

/** Reads {@link GroupColumns}. */
export function groupColumnsOf(row: Row): GroupColumns {
  return {
    roomState: decodeRoomState(bytes(row, "room_state")),
    members: decodeMembers(bytes(row, "members")),
  };
}

/** Reads a row of `conversations`. */
export function conversationOf(row: Row, { roomState, members }: GroupColumns): StoredConversation {
  return {
    conversationId: text(row, "conversation_id") as ConversationId,
    state: text(row, "state") as ConversationState,
    kind: text(row, "kind") as ConversationKind,
    peer: nullable(text, row, "peer") as UserId | null,
    roomState,
    members,
    epoch: number(row, "epoch"),
    suite: text(row, "suite") as SuiteName,
    authenticator: text(row, "authenticator"),
    cursor: number(row, "cursor"),
    lastActivityMs: number(row, "last_activity_ms"),
    nextOrder: number(row, "next_order"),
    lastOrder: number(row, "last_order"),
    readOrder: number(row, "read_order"),
    unopenable: number(row, "unopenable"),
    recovered: number(row, "recovered"),
    overdue: number(row, "overdue"),
    sinceEpoch: number(row, "since_epoch"),
    pinned: number(row, "pinned") === 1,
    muted: number(row, "muted") === 1,
    hidden: number(row, "hidden") === 1,
    blocked: nullable(text, row, "blocked") as BlockingCode | null,
    lost: number(row, "lost"),
    stale: number(row, "stale") === 1,
    epochStart: nullable(number, row, "epoch_start"),
    reopenedAt: number(row, "reopened_at"),
    doubtful: number(row, "doubtful") === 1,
    draft: draftOf(row),
  };
}

function draftOf(row: Row): Draft | null {
  const leaf = leafOf(row, "draft_hour", "draft_leaf");
  if (leaf === null) return null;
  return {
    draftId: text(row, "draft_id") as MessageId,
    endsAtMs: number(row, "draft_ends_ms"),
    leaf,
    sealed: bytes(row, "draft"),
  };
}

/** What a row of `messages` is. */
export type MessageKind = "text" | "recalled" | "unopenable" | "system";

/** How far an own message is. */
export type SendState =
  | { readonly kind: "waiting" }
  | { readonly kind: "sent" }
  | { readonly kind: "failed"; readonly code: ErrorCode };

/** Stands in the place of a sender whom nothing but the relay names. */
export const nobody = "" as UserId;

/** A row of `messages`. */
export interface StoredMessage {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  readonly order: number;
  readonly kind: MessageKind;
  readonly sender: UserId;
  readonly own: boolean;
  readonly sentAtMs: number;
  readonly endsAtMs: number;
  readonly origin: TimerOrigin;
  readonly originSeconds: number;
  readonly burnSeconds: number | null;
  readonly revealed: boolean;
  readonly burnsAtMs: number | null;
  readonly deadlineMs: number;
  readonly state: SendState | null;
  readonly sequence: number | null;
  readonly epoch: number;
  readonly body: Uint8Array | null;
  /** What the body is sealed under; null: there is none, or no more. */
  readonly leaf: KeyLeaf | null;
  readonly edited: boolean;
  /** The place in the log of the edit that its text is from; 0: none of another device's. */
  readonly editSequence: number;
  readonly replyTo: MessageId | null;
  readonly code: ErrorCode;
  /** How many arrivals it stands for; more than one only where none could be opened. */
  readonly missing: number;
}

function sendStateOf(row: Row): SendState | null {
  switch (row["state"]) {
    case "waiting":
      return { kind: "waiting" };
    case "failed":
      return { kind: "failed", code: errorCode(row, "failure") };
    case "sent":
      return { kind: "sent" };
    default:
      return null;
  }
}

/** A code that an older or newer version wrote may be unknown here. */
function errorCode(row: Row, column: string): ErrorCode {
  const code = row[column];
  return isErrorCode(code) ? code : "message-unopenable";
}

/** Reads a row of `messages`. */
export function messageOf(row: Row): StoredMessage {
  return {
    messageId: text(row, "message_id") as MessageId,
    conversationId: text(row, "conversation_id") as ConversationId,
    order: number(row, "ord"),
    kind: text(row, "kind") as MessageKind,
    sender: text(row, "sender_user") as UserId,
    own: number(row, "own") === 1,
    sentAtMs: number(row, "sent_ms"),
    endsAtMs: number(row, "ends_ms"),
    origin: text(row, "origin") as TimerOrigin,
    originSeconds: number(row, "origin_seconds"),
    burnSeconds: nullable(number, row, "burn_seconds"),
    revealed: number(row, "revealed") === 1,
    burnsAtMs: nullable(number, row, "burns_ms"),
    deadlineMs: number(row, "deadline_ms"),
    state: sendStateOf(row),
    sequence: nullable(number, row, "sequence"),
    epoch: number(row, "epoch"),
    body: nullable(bytes, row, "body"),
    leaf: leafOf(row),
    edited: number(row, "edited") === 1,
    editSequence: number(row, "edit_sequence"),
    replyTo: nullable(text, row, "reply_to") as MessageId | null,
    code: errorCode(row, "code"),
    missing: number(row, "missing"),
  };
}

/**
 * What an outbox item is: a message, what changes one, its recall, receipts, a request for what is missing, an answer to one, a farewell,
 * ciphertext to be dropped, or a recalled message of which only the relay knows whether it is out.
 */
export type OutboxKind =
  "text" | "control" | "recall" | "status" | "request" | "answer" | "leave" | "drop" | "withdrawn";

/** A row of `outbox`. */
export interface StoredOutboxItem {
  readonly itemId: MessageId;
  readonly conversationId: ConversationId;
  readonly kind: OutboxKind;
  readonly targetId: MessageId | null;
  readonly endsAtMs: number;
  /** What content and ciphertext are sealed under; a farewell's proposals hold nothing and are not. */
  readonly leaf: KeyLeaf | null;
  readonly content: Uint8Array | null;
  readonly epoch: number | null;
  readonly ciphertext: Uint8Array | null;
  readonly sequence: number | null;
  /** Only the relay knows whether it was sent: the vault was rolled back. */
  readonly doubtful: boolean;
}

/** Reads a row of `outbox`. */
export function outboxItemOf(row: Row): StoredOutboxItem {
  return {
    itemId: text(row, "item_id") as MessageId,
    conversationId: text(row, "conversation_id") as ConversationId,
    kind: text(row, "kind") as OutboxKind,
    targetId: nullable(text, row, "target_id") as MessageId | null,
    endsAtMs: number(row, "ends_ms"),
    leaf: leafOf(row),
    content: nullable(bytes, row, "content"),
    epoch: nullable(number, row, "epoch"),
    ciphertext: nullable(bytes, row, "ciphertext"),
    sequence: nullable(number, row, "sequence"),
    doubtful: number(row, "doubtful") === 1,
  };
}
