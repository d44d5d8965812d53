import {
  AppError,
  decodeCbor,
  type ConversationId,
  type DeviceId,
  type GroupMember,
  type KeyPackageRef,
  type MessageId,
  type PersonRecords,
  type StoredGroupPiece,
  type UserId,
} from "#protocol";
import type { Row, SqlValue, Vault } from "../../vault/index.ts";
import type { QueryName } from "../sql/queries.ts";
import { bytes, nullable, number, text } from "./columns.ts";
import {
  conversationOf,
  groupColumnsOf,
  messageOf,
  outboxItemOf,
  type ConversationState,
  type GroupColumns,
  type StoredConversation,
  type StoredMessage,
  type StoredOutboxItem,
} from "./rows.ts";
import { Ends } from "./ends.ts";
import { Trusted } from "./trusted.ts";
import { Mendings } from "./mendings.ts";
import { Missing } from "./missing.ts";
import type { KeptKeyPackage, StoredReaction, StoredReceipt } from "./stored.ts";

export type { DueMessage, KeptKeyPackage, StoredReaction, StoredReceipt } from "./stored.ts";

/** Whether this device is in a conversation's group, so that its log is read. */
export function isLive(state: ConversationState): boolean {
  return state !== "left" && state !== "removed";
}

const maxEntryBytes = 256 * 1024;
/** More unread messages are as many as these. */
const mostUnread = 1000;

/** What `read` makes of a row that is there. */
function ifFound<Value>(row: Row | undefined, read: (row: Row) => Value): Value | undefined {
  return row === undefined ? undefined : read(row);
}

/** Reads of the vault, typed. All are answered from memory. */
export class Store {
  readonly vault: Vault;
  readonly ends: Ends;
  readonly trusted: Trusted;
  readonly missing: Missing;
  readonly mendings: Mendings;
  readonly #groups = new Map<
    string,
    { readonly room: Uint8Array; readonly members: Uint8Array; readonly columns: GroupColumns }
  >();

  constructor(vault: Vault) {
    this.vault = vault;
    this.ends = new Ends(vault);
    this.trusted = new Trusted(vault);
    this.missing = new Missing(vault);
    this.mendings = new Mendings(vault);
  }

  #read(query: QueryName, ...params: readonly SqlValue[]): readonly Row[] {
    return this.vault.read(query, params);
  }

  #first(query: QueryName, ...params: readonly SqlValue[]): Row | undefined {
    return this.#read(query, ...params)[0];
  }

  directory(): readonly PersonRecords[] {
    // Only `Directory` writes these, and the vault gives back what was written or fails.
    return this.#read("directory").map(
      (row) => decodeCbor(bytes(row, "entry"), maxEntryBytes) as PersonRecords,
    );
  }

  keyPackage(ref: KeyPackageRef): KeptKeyPackage | undefined {
    return ifFound(this.#first("keyPackage", ref), (row) => ({
      sealed: bytes(row, "sealed"),
      lastResort: number(row, "last_resort") === 1,
    }));
  }

  /** When the oldest one-time key package was made that nobody has used, milliseconds. */
  oldestOneTimeMadeAtMs(): number | null {
    const row = this.#first("oldestOneTime");
    return row === undefined ? null : nullable(number, row, "created_ms");
  }

  /** When this device's leaf in a conversation was new last, milliseconds; 0: there is no such conversation. */
  refreshedAtMs(conversationId: ConversationId): number {
    return ifFound(this.#first("leafAge", conversationId), (row) => number(row, "renewed_ms")) ?? 0;
  }

  /** When the newest last-resort key package was made, milliseconds. */
  lastResortMadeAtMs(): number | null {
    const row = this.#first("lastResort");
    return row === undefined ? null : nullable(number, row, "created_ms");
  }

  conversations(): readonly StoredConversation[] {
    return this.#read("conversations").map((row) => this.#conversationOf(row));
  }

  /** What a large group's members are is read again only when it has changed. */
  #conversationOf(row: Row): StoredConversation {
    const id = text(row, "conversation_id");
    const [room, members] = [bytes(row, "room_state"), bytes(row, "members")];
    const known = this.#groups.get(id);
    const same =
      known !== undefined &&
      Buffer.compare(known.room, room) === 0 &&
      Buffer.compare(known.members, members) === 0;
    const columns = same ? known.columns : groupColumnsOf(row);
    if (!same) this.#groups.set(id, { room, members, columns });
    return conversationOf(row, columns);
  }

  conversation(conversationId: ConversationId): StoredConversation | undefined {
    return ifFound(this.#first("conversation", conversationId), (row) => this.#conversationOf(row));
  }

  /** @throws AppError `not-found` */
  ensureConversation(conversationId: ConversationId): StoredConversation {
    const conversation = this.conversation(conversationId);
    if (conversation === undefined) throw new AppError("not-found");
    return conversation;
  }

  conversationStates(): readonly Pick<
    StoredConversation,
    "conversationId" | "state" | "cursor" | "stale"
  >[] {
    return this.#read("conversationStates").map((row) => ({
      conversationId: text(row, "conversation_id") as ConversationId,
      state: text(row, "state") as ConversationState,
      cursor: number(row, "cursor"),
      stale: number(row, "stale") === 1,
    }));
  }

  /** Conversations that are to be joined anew. */
  staleConversations(): readonly ConversationId[] {
    return this.#conversationIds("staleConversations");
  }

  directWith(peer: UserId): ConversationId | undefined {
    return this.#conversationIds("directWith", peer)[0];
  }

  #conversationIds(query: QueryName, ...params: readonly SqlValue[]): readonly ConversationId[] {
    return this.#read(query, ...params).map(
      (row) => text(row, "conversation_id") as ConversationId,
    );
  }

  pieces(conversationId: ConversationId): readonly StoredGroupPiece[] {
    return this.#read("pieces", conversationId).map((row) => ({
      name: text(row, "name"),
      sealed: bytes(row, "sealed"),
    }));
  }

  /** A conversation's intent and offer, as {@link "../conversations/intent.ts"} encodes them. */
  intent(
    conversationId: ConversationId,
  ): { intent: Uint8Array; attempts: number; offer: Uint8Array | null } | undefined {
    return ifFound(this.#first("intent", conversationId), (row) => ({
      intent: bytes(row, "intent"),
      attempts: number(row, "attempts"),
      offer: nullable(bytes, row, "offer"),
    }));
  }

  /** Conversations that wait for what they lack to be read on. */
  conversationsBlocked(): readonly ConversationId[] {
    return this.#conversationIds("blocked");
  }

  /** Kept Welcomes that may still be joined by, in order, as `Inbox` encodes them. */
  welcomes(): readonly Uint8Array[] {
    return this.#read("welcomes").map((row) => bytes(row, "entry"));
  }

  /** Conversations to which this device was invited by a Welcome that it can't join by. */
  invitations(): readonly ConversationId[] {
    return this.#conversationIds("emptyWelcomes");
  }

  /** The generation that is next of a sender in an epoch. */
  nextGeneration(conversationId: ConversationId, deviceId: DeviceId, epoch: number): number {
    const row = this.#first("generation", conversationId, deviceId, epoch);
    return row === undefined ? 0 : number(row, "next");
  }

  conversationsWithIntent(): readonly ConversationId[] {
    return this.#conversationIds("intents");
  }

  leavers(conversationId: ConversationId): readonly UserId[] {
    return this.#read("leavers", conversationId).map((row) => text(row, "user_id") as UserId);
  }

  conversationsWithLeavers(): readonly ConversationId[] {
    return this.#conversationIds("allLeavers");
  }

  message(messageId: MessageId): StoredMessage | undefined {
    return ifFound(this.#first("message", messageId), messageOf);
  }

  /**
   * A message of this conversation that hasn't ended.
   *
   * @throws AppError `not-found`
   */
  ensureMessage(
    conversationId: ConversationId,
    messageId: MessageId,
    nowMs: number,
  ): StoredMessage {
    const message = this.message(messageId);
    if (message?.conversationId === conversationId && message.deadlineMs > nowMs) return message;
    throw new AppError("not-found");
  }

  /** Messages before an order, oldest first. */
  page(
    conversationId: ConversationId,
    beforeOrder: number,
    { limit, nowMs }: { readonly limit: number; readonly nowMs: number },
  ): readonly StoredMessage[] {
    return this.#read("page", conversationId, beforeOrder, nowMs, limit).map(messageOf).reverse();
  }

  /** Messages after an order, oldest first. */
  pageAfter(
    conversationId: ConversationId,
    afterOrder: number,
    { limit, nowMs }: { readonly limit: number; readonly nowMs: number },
  ): readonly StoredMessage[] {
    return this.#read("pageAfter", conversationId, afterOrder, nowMs, limit).map(messageOf);
  }

  /** How many items all conversations have. Counted without reading them. */
  itemCount(): number {
    return this.#count("itemCount");
  }

  hasBefore(conversationId: ConversationId, order: number, nowMs: number): boolean {
    return this.#first("hasBefore", conversationId, order, nowMs) !== undefined;
  }

  firstUnread(
    conversation: Pick<StoredConversation, "conversationId" | "readOrder">,
    nowMs: number,
  ): { readonly messageId: MessageId; readonly order: number } | null {
    const { conversationId, readOrder } = conversation;
    const row = this.#first("firstUnread", conversationId, readOrder, nowMs);
    return row === undefined
      ? null
      : { messageId: text(row, "message_id") as MessageId, order: number(row, "ord") };
  }

  /** Up to {@link mostUnread}. */
  unreadCount(
    conversation: Pick<StoredConversation, "conversationId" | "readOrder">,
    nowMs: number,
  ): number {
    const { conversationId, readOrder } = conversation;
    return this.#count("unreadCount", conversationId, readOrder, nowMs, mostUnread);
  }

  countSince(conversationId: ConversationId, order: number, nowMs: number): number {
    return this.#count("countSince", conversationId, order, nowMs);
  }

  #count(query: QueryName, ...params: readonly SqlValue[]): number {
    const row = this.#first(query, ...params);
    return row === undefined ? 0 : number(row, "count");
  }

  /** The newest item of a conversation, unless that has ended. */
  newest(
    { conversationId, lastOrder }: Pick<StoredConversation, "conversationId" | "lastOrder">,
    nowMs: number,
  ): StoredMessage | undefined {
    return ifFound(this.#first("newestFrom", conversationId, lastOrder, nowMs), messageOf);
  }

  #messageIds(query: QueryName, ...params: readonly SqlValue[]): readonly MessageId[] {
    return this.#read(query, ...params).map((row) => text(row, "message_id") as MessageId);
  }

  quotedBy(messageId: MessageId): readonly MessageId[] {
    return this.#messageIds("quotedBy", messageId);
  }

  /** Own burn-on-read messages that wait for readers. */
  waitingToBurn(conversationId: ConversationId): readonly StoredMessage[] {
    return this.#read("waitingToBurn", conversationId).map(messageOf);
  }

  messagesOf(conversationId: ConversationId): readonly MessageId[] {
    return this.#messageIds("messagesOf", conversationId);
  }

  /** Own messages of a conversation that the relay hasn't taken. */
  waitingIn(conversationId: ConversationId): readonly MessageId[] {
    return this.#messageIds("waitingIn", conversationId);
  }

  /** Of those that are said to have failed, the ones that still go out if this device comes back. */
  heldIn(conversationId: ConversationId): readonly MessageId[] {
    return this.#messageIds("heldIn", conversationId);
  }

  /** Conversations in which a message ends in a span of time. */
  conversationsEnding(afterMs: number, untilMs: number): ReadonlySet<ConversationId> {
    return new Set(this.#conversationIds("endingBy", afterMs, untilMs));
  }

  /** Messages whose receipts are to be sent. */
  owing(
    conversationId: ConversationId,
    nowMs: number,
    limit: number,
  ): readonly {
    readonly messageId: MessageId;
    readonly owed: number;
    readonly endsAtMs: number;
  }[] {
    return this.#read("owing", conversationId, nowMs, limit).map((row) => ({
      messageId: text(row, "message_id") as MessageId,
      owed: number(row, "owed"),
      endsAtMs: number(row, "ends_ms"),
    }));
  }

  conversationsOwing(): readonly ConversationId[] {
    return this.#conversationIds("allOwing");
  }

  reactions(targetId: MessageId, nowMs: number): readonly StoredReaction[] {
    return this.#read("reactions", targetId, nowMs).map((row) => ({
      reactionId: text(row, "reaction_id") as MessageId,
      sender: text(row, "sender_user") as UserId,
      endsAtMs: number(row, "ends_ms"),
      leaf: { hour: number(row, "hour"), leaf: number(row, "leaf") },
      body: bytes(row, "body"),
    }));
  }

  reaction(reactionId: MessageId): { readonly targetId: MessageId; sender: UserId } | undefined {
    return ifFound(this.#first("reaction", reactionId), (row) => ({
      targetId: text(row, "target_id") as MessageId,
      sender: text(row, "sender_user") as UserId,
    }));
  }

  receipts(messageId: MessageId): readonly StoredReceipt[] {
    return this.#read("receipts", messageId).map((row) => ({
      userId: text(row, "user_id") as UserId,
      deliveredAtMs: nullable(number, row, "delivered_ms"),
      readAtMs: nullable(number, row, "read_ms"),
      burned: number(row, "burned") === 1,
    }));
  }

  /** The receipt that a message's sender has, or is to get. */
  owedOf(messageId: MessageId): number {
    const row = this.#first("message", messageId);
    return row === undefined ? 0 : number(row, "owed");
  }

  outboxNext(conversationId: ConversationId, nowMs: number): StoredOutboxItem | undefined {
    return ifFound(this.#first("outboxNext", conversationId, nowMs), outboxItemOf);
  }

  outboxItem(itemId: MessageId): StoredOutboxItem | undefined {
    return ifFound(this.#first("outboxItem", itemId), outboxItemOf);
  }

  /** The item that became the MLS message of this digest. */
  outboxByDigest(conversationId: ConversationId, digest: Uint8Array): StoredOutboxItem | undefined {
    return ifFound(this.#first("outboxByDigest", conversationId, digest), outboxItemOf);
  }

  conversationsWithOutbox(): readonly ConversationId[] {
    return this.#conversationIds("outboxConversations");
  }
}

/** The people of a list of members, each once, in order. */
export function peopleOf(members: readonly GroupMember[]): readonly UserId[] {
  return [...new Set(members.map(({ userId }) => userId))];
}
