import type {
  ConversationId,
  DeviceId,
  KeyLeaf,
  MessageId,
  NumberRange,
  SuiteName,
  UserId,
} from "#protocol";
import type { Row, SqlValue, Vault } from "../../vault/index.ts";
import type { QueryName } from "../sql/queries.ts";
import { bytes, leafOf, nullable, number, text } from "./columns.ts";
import type { OutboxKind } from "./rows.ts";

/** What a {@link Gap} is known by. */
export interface GapKey {
  /** Whose it is; null: only its place in the log is known, and nobody is believed who it is of. */
  readonly deviceId: DeviceId | null;
  /** 0 where the device isn't known. */
  readonly epoch: number;
  /** The generation in its epoch, or else the sequence number in the log. */
  readonly number: number;
}

/** A message that never came or can't be opened, and is asked for again. */
export interface Gap extends GapKey {
  /** Where its message belongs in the conversation. */
  readonly order: number;
  /** The line that stands for it; null while it is only asked for. */
  readonly lineId: MessageId | null;
  readonly asked: number;
  readonly nextAtMs: number;
  readonly showsAtMs: number;
  readonly endsAtMs: number;
}

/** Something that this device has sent. */
export interface StoredSent {
  readonly itemId: MessageId;
  /** `over`: nothing of it is left. */
  readonly kind: OutboxKind | "over";
  readonly targetId: MessageId | null;
  readonly epoch: number;
  /** null: it was found out only that it was sent. */
  readonly generation: number | null;
  readonly sequence: number;
  readonly takenAtMs: number;
  readonly endsAtMs: number;
  readonly content: Uint8Array | null;
  readonly leaf: KeyLeaf | null;
}

/** What changes a message that isn't here yet. */
export interface StoredOrphan {
  readonly messageId: MessageId;
  readonly sender: UserId;
  readonly sequence: number;
  readonly epoch: number;
  readonly sentAtMs: number;
  readonly content: Uint8Array;
  readonly leaf: KeyLeaf;
}

/** To what answers to this device alone are sealed in a conversation, while something is missing there. */
export interface StoredAnswerKey {
  readonly suite: SuiteName;
  readonly publicKey: Uint8Array;
  readonly sealedPrivate: Uint8Array;
}

/** As whose answers those are noted that everybody could read. */
export const everybody = "";

/** A row's first three parameters. @returns device (empty for none), epoch, number */
export function keyColumns({ deviceId, epoch, number: place }: GapKey) {
  return [deviceId ?? "", epoch, place] as const;
}

function gapOf(row: Row): Gap {
  const deviceId = text(row, "device_id");
  return {
    deviceId: deviceId === "" ? null : (deviceId as DeviceId),
    epoch: number(row, "epoch"),
    number: number(row, "number"),
    order: number(row, "ord"),
    lineId: nullable(text, row, "line_id") as MessageId | null,
    asked: number(row, "asked"),
    nextAtMs: number(row, "next_ms"),
    showsAtMs: number(row, "shows_ms"),
    endsAtMs: number(row, "ends_ms"),
  };
}

function sentOf(row: Row): StoredSent {
  return {
    itemId: text(row, "item_id") as MessageId,
    kind: text(row, "kind") as StoredSent["kind"],
    targetId: nullable(text, row, "target_id") as MessageId | null,
    epoch: number(row, "epoch"),
    generation: nullable(number, row, "generation"),
    sequence: number(row, "sequence"),
    takenAtMs: number(row, "taken_ms"),
    endsAtMs: number(row, "ends_ms"),
    content: nullable(bytes, row, "content"),
    leaf: leafOf(row),
  };
}

/** Reads of the vault about what is missing, here or elsewhere. */
export class Missing {
  readonly #vault: Vault;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  #read(query: QueryName, ...params: readonly SqlValue[]): readonly Row[] {
    return this.#vault.read(query, params);
  }

  #count(query: QueryName, ...params: readonly SqlValue[]): number {
    return number(this.#read(query, ...params)[0] ?? { count: 0 }, "count");
  }

  /** What is asked for in a conversation, in its order. */
  gaps(conversationId: ConversationId): readonly Gap[] {
    return this.#read("gaps", conversationId).map(gapOf);
  }

  gap(conversationId: ConversationId, key: GapKey): Gap | undefined {
    const row = this.#read("gap", conversationId, ...keyColumns(key))[0];
    return row === undefined ? undefined : gapOf(row);
  }

  gapCount(conversationId: ConversationId): number {
    return this.#count("gapCount", conversationId);
  }

  /** How many of them a line stands for. */
  shownCount(conversationId: ConversationId): number {
    return this.#count("gapsShown", conversationId);
  }

  /** Whether something that a line stands for is still asked for. */
  isAskedFor(lineId: MessageId): boolean {
    return this.#count("gapsOfLine", lineId) > 0;
  }

  /** Conversations in which something is missing, or waits for what is. */
  conversations(): readonly ConversationId[] {
    const rows = [...this.#read("allGaps"), ...this.#read("orphanConversations")];
    return [...new Set(rows.map((row) => text(row, "conversation_id") as ConversationId))];
  }

  /** Whether something of a kind waits to be sent. */
  hasOutboxItem(conversationId: ConversationId, kind: OutboxKind): boolean {
    return this.#read("outboxHasKind", conversationId, kind).length > 0;
  }

  sentByGeneration(
    conversationId: ConversationId,
    epoch: number,
    { first, last }: NumberRange,
  ): readonly StoredSent[] {
    return this.#read("sentByGeneration", conversationId, epoch, first, last).map(sentOf);
  }

  sentBySequence(
    conversationId: ConversationId,
    { first, last }: NumberRange,
  ): readonly StoredSent[] {
    return this.#read("sentBySequence", conversationId, first, last).map(sentOf);
  }

  /** Where a message was said again. */
  answersWith(messageId: MessageId): readonly Pick<StoredSent, "sequence" | "endsAtMs">[] {
    return this.#read("sentAnswers", messageId).map((row) => ({
      sequence: number(row, "sequence"),
      endsAtMs: number(row, "ends_ms"),
    }));
  }

  /** The epoch in which a device was added; 0: it was here before this one. */
  joinedIn(conversationId: ConversationId, deviceId: DeviceId): number {
    const row = this.#read("join", conversationId, deviceId)[0];
    return row === undefined ? 0 : number(row, "epoch");
  }

  /** The epoch in which the newest of some devices was added; 0: all of them were here before this one. */
  lastJoin(conversationId: ConversationId, devices: ReadonlySet<DeviceId>): number {
    const rows = this.#read("joins", conversationId);
    const present = rows.filter((row) => devices.has(text(row, "device_id") as DeviceId));
    return Math.max(0, ...present.map((row) => number(row, "epoch")));
  }

  answerKey(conversationId: ConversationId): StoredAnswerKey | undefined {
    const [row] = this.#read("answerKey", conversationId);
    if (row === undefined) return undefined;
    return {
      suite: text(row, "suite") as SuiteName,
      publicKey: bytes(row, "public_key"),
      sealedPrivate: bytes(row, "sealed"),
    };
  }

  /** When something was last said again so that a device could read it; 0: never. */
  saidAgainAtMs(conversationId: ConversationId, itemId: MessageId, deviceId: DeviceId): number {
    const [row] = this.#read("answerOfItem", conversationId, itemId, deviceId);
    return row === undefined ? 0 : (nullable(number, row, "last_ms") ?? 0);
  }

  /** How often something was answered to a device. */
  answered(
    conversationId: ConversationId,
    deviceId: DeviceId,
    answer: { readonly kind: "request" | "item"; readonly itemId: MessageId },
  ): number {
    const { kind, itemId } = answer;
    const row = this.#read("answer", conversationId, deviceId, kind, itemId)[0];
    return row === undefined ? 0 : number(row, "times");
  }

  /** How much was answered to a device since a time. */
  answeredSince(
    conversationId: ConversationId,
    deviceId: DeviceId,
    answers: { readonly kind: "request" | "item"; readonly sinceMs: number },
  ): number {
    const { kind, sinceMs } = answers;
    return this.#count("answersSince", conversationId, deviceId, kind, sinceMs);
  }

  /** Whether all of a conversation was deleted here while its messages came over. */
  isHistoryOver(conversationId: ConversationId): boolean {
    return this.#read("historyOver", conversationId).length > 0;
  }

  /** Whether something waits for a message that isn't here. */
  hasOrphans(conversationId: ConversationId): boolean {
    return this.#read("hasOrphans", conversationId).length > 0;
  }

  /** What waited for messages that are here now. */
  adoptable(conversationId: ConversationId): readonly StoredOrphan[] {
    return this.#read("adoptable", conversationId).map((row) => ({
      messageId: text(row, "message_id") as MessageId,
      sender: text(row, "sender_user") as UserId,
      sequence: number(row, "sequence"),
      epoch: number(row, "epoch"),
      sentAtMs: number(row, "sent_ms"),
      content: bytes(row, "content"),
      leaf: { hour: number(row, "hour"), leaf: number(row, "leaf") },
    }));
  }
}
