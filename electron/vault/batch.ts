import * as v from "valibot";
import { bytesSchema, countSchema, decodeCbor, exactBytesSchema, parse } from "#protocol";
import { CborWriter } from "./cbor-writer.ts";
import type { BoundSql } from "./database.ts";
import { maxSealedBytes, tagBytes } from "./frames.ts";
import type { SqlValue } from "./types.ts";

/** A statement as it is replayed: its text's place among those the log has named so far, from 0, and its parameters. */
export type StoredStatement = readonly [sql: number, ...params: readonly SqlValue[]];
/** All or nothing. */
export type StoredTransaction = readonly StoredStatement[];

/**
 * The content of one frame: transactions that became durable together.
 *
 * A log holds the text of its statements itself, each once, so that it is replayed as it was written even when a newer app has
 * changed its catalogue.
 */
export interface Batch {
  /** In a generation's first frame the tag of the snapshot it continues, so that no other snapshot can be put under it; else null. */
  readonly snapshotTag: Uint8Array | null;
  /** The vault's sequence before the first of {@link transactions}. */
  readonly sequence: number;
  /** Texts that this frame uses and no frame before it did. */
  readonly newTexts: readonly string[];
  /** None: a mark that a vault was closed in good order, which proves the frame before it whole. */
  readonly transactions: readonly StoredTransaction[];
}

const valueSchema = v.union([
  v.null(),
  v.pipe(v.number(), v.finite()),
  v.string(),
  bytesSchema(maxSealedBytes),
]);

const batchSchema = v.strictTuple([
  v.nullable(exactBytesSchema(tagBytes)),
  countSchema,
  v.array(v.string()),
  v.array(v.array(v.tupleWithRest([countSchema], valueSchema))),
]);

/** Room in {@link encodeBatch} for what isn't a transaction, bytes: texts of new statements let it grow. */
const headroomBytes = 256;

/** Canonical CBOR. @param sizeBytes - about how long its transactions are */
export function encodeBatch(batch: Batch, sizeBytes = 0): Uint8Array {
  const writer = new CborWriter(sizeBytes + headroomBytes);
  writer.array(4);
  writer.value(batch.snapshotTag);
  writer.value(batch.sequence);
  writer.array(batch.newTexts.length);
  for (const sql of batch.newTexts) writer.value(sql);
  writer.array(batch.transactions.length);
  for (const transaction of batch.transactions) {
    writer.array(transaction.length);
    for (const statement of transaction) {
      writer.array(statement.length);
      for (const value of statement) writer.value(value);
    }
  }
  return writer.finish();
}

/** @throws AppError `frame-malformed` */
export function decodeBatch(plain: Uint8Array): Batch {
  const [snapshotTag, sequence, newTexts, transactions] = parse(
    batchSchema,
    decodeCbor(plain, maxSealedBytes),
  );
  return { snapshotTag, sequence, newTexts, transactions };
}

/** Whether a value comes back from SQLite, and from the log, as it went in. */
export function isStorable(value: unknown): value is SqlValue {
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
    case "string":
      // sql.js takes a leading byte order mark for one, and off.
      return value.isWellFormed() && !value.startsWith("\u{feff}");
    default:
      return value === null || value instanceof Uint8Array;
  }
}

/** The largest transaction, bytes as {@link sizeOf} counts them: well below a frame's limit. */
export const maxTransactionBytes = 32 * 1024 * 1024;

const bytesPerValue = 9;
const bytesPerCharacter = 3;

/** About what a transaction takes in a log, bytes; rather too much. */
export function sizeOf(transaction: readonly BoundSql[]): number {
  let sizeBytes = 0;
  for (const { params } of transaction) {
    sizeBytes += bytesPerValue * (params.length + 1);
    for (const value of params) {
      if (typeof value === "string") sizeBytes += bytesPerCharacter * value.length;
      else if (value instanceof Uint8Array) sizeBytes += value.length;
    }
  }
  return sizeBytes;
}
