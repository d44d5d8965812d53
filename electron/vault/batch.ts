import * as v from "valibot";
import {
  bytesSchema,
  countSchema,
  decodeCbor,
  encodeCbor,
  exactBytesSchema,
  parse,
} from "#protocol";
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

/** Canonical CBOR. */
export function encodeBatch(batch: Batch): Uint8Array {
  return encodeCbor([batch.snapshotTag, batch.sequence, batch.newTexts, batch.transactions]);
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
