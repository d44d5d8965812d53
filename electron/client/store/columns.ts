import { AppError, type KeyLeaf } from "#protocol";
import type { Row } from "../../vault/index.ts";

function wrong(column: string): AppError {
  return new AppError("internal", { data: { reason: "unexpected column", column } });
}

/** A text column. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw wrong(column);
  return value;
}

/** A number column. */
export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw wrong(column);
  return value;
}

/** A byte string column. */
export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw wrong(column);
  return value;
}

/** A column that may be null, read with `read` where it isn't. */
export function nullable<Value>(
  read: (row: Row, column: string) => Value,
  row: Row,
  column: string,
): Value | null {
  return row[column] === null || row[column] === undefined ? null : read(row, column);
}

/** The leaf of a sealed column; null where nothing is sealed. */
export function leafOf(row: Row, hour = "hour", leaf = "leaf"): KeyLeaf | null {
  return row[leaf] === null || row[leaf] === undefined
    ? null
    : { hour: number(row, hour), leaf: number(row, leaf) };
}
