import type { BlobId, ConversationId, Deadline, MessageId } from "#protocol";
import type { Row, SqlValue, Vault } from "../../vault/index.ts";
import type { QueryName } from "../sql/queries.ts";
import { nullable, number, text } from "./columns.ts";
import { placeOf, type Doomed, type DueMessage, type MessagePlace } from "./stored.ts";

/** See {@link Ends.endingBetween}. */
const pieceMessages = 500;

/** Reads of the vault about what ends, has ended, and whose keys are to be destroyed. */
export class Ends {
  readonly #vault: Vault;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  #read(query: QueryName, ...params: readonly SqlValue[]): readonly Row[] {
    return this.#vault.read(query, params);
  }

  #first(query: QueryName, ...params: readonly SqlValue[]): Row | undefined {
    return this.#read(query, ...params)[0];
  }

  /** The first messages that have ended by a time, as the statements of a sweep take them. */
  due(nowMs: number, limit: number): readonly DueMessage[] {
    return this.#read("dueMessages", nowMs, limit).map((row) => ({
      messageId: text(row, "message_id") as MessageId,
      conversationId: text(row, "conversation_id") as ConversationId,
      own: number(row, "own") === 1,
      sequence: nullable(number, row, "sequence"),
      burned: row["burns_ms"] !== null,
      endsAtMs: number(row, "ends_ms"),
    }));
  }

  /** Messages whose end lies after one time and not after another, in pieces: ten thousand rows at once hold everything else up. */
  *endingBetween(afterMs: number, untilMs: number): Generator<readonly MessagePlace[]> {
    // Whole milliseconds: behind every message that ends at `afterMs`.
    let [fromMs, fromId] = [afterMs + 1, ""];
    for (;;) {
      const rows = this.#read("messagesBetween", fromMs, fromId, untilMs, pieceMessages);
      if (rows.length > 0) yield rows.map(placeOf);
      const last = rows.at(-1);
      if (last === undefined || rows.length < pieceMessages) return;
      [fromMs, fromId] = [number(last, "deadline_ms"), text(last, "message_id")];
    }
  }

  /** Whether there is a message of {@link endingBetween}. */
  endsBetween(afterMs: number, untilMs: number): boolean {
    return this.#first("messagesBetween", afterMs + 1, "", untilMs, 1) !== undefined;
  }

  /** Messages that quote one of {@link endingBetween}, and go on. */
  quotingBetween(afterMs: number, untilMs: number): readonly MessagePlace[] {
    return this.#read("quotingBetween", afterMs, untilMs).map(placeOf);
  }

  dueReactions(
    nowMs: number,
  ): readonly { readonly targetId: MessageId; readonly conversationId: ConversationId }[] {
    return this.#read("dueReactions", nowMs).map((row) => ({
      targetId: text(row, "target_id") as MessageId,
      conversationId: text(row, "conversation_id") as ConversationId,
    }));
  }

  dueDrafts(nowMs: number): readonly ConversationId[] {
    return this.#read("dueDrafts", nowMs).map(
      (row) => text(row, "conversation_id") as ConversationId,
    );
  }

  hasDueItems(nowMs: number): boolean {
    return this.#first("dueItems", nowMs) !== undefined;
  }

  /** Everything that ends by a time. */
  deadlines(untilMs: number): readonly Deadline[] {
    return this.#read("deadlines", untilMs).map((row) => ({
      messageId: text(row, "message_id") as MessageId,
      deadlineMs: number(row, "deadline_ms"),
    }));
  }

  /** How many leaves of a bucket have been given out. */
  leavesOf(hour: number): number {
    const row = this.#first("bucket", hour);
    return row === undefined ? 0 : number(row, "next");
  }

  /** Whether leaves wait for the destruction of their keys, and whether the most pressing one has time. */
  dooms(): "none" | "waiting" | "pressing" {
    const row = this.#first("dooms");
    if (row === undefined) return "none";
    return number(row, "waits") === 1 ? "waiting" : "pressing";
  }

  doomed(): Doomed {
    const rows = this.#read("doomed");
    const last = rows.at(-1);
    return {
      leaves: rows.map((row) => ({ hour: number(row, "hour"), leaf: number(row, "leaf") })),
      lastId: last === undefined ? 0 : number(last, "doom_id"),
    };
  }

  /** Attachments whose message is gone. */
  doomedBlobs(): readonly BlobId[] {
    return this.#read("doomedBlobs").map((row) => text(row, "blob_id") as BlobId);
  }

  /** How many messages of people end after one time and not after another. */
  countEnding(afterMs: number, untilMs: number): number {
    return number(this.#first("messageCount", afterMs, untilMs) ?? { count: 0 }, "count");
  }
}
