import type { Decoder } from "ts-mls";
import { AppError } from "#protocol";

/** Rows by name, in clear; null: to be deleted. */
export type PieceMap = Map<string, Uint8Array | null>;

/** Finds a stored row. @throws AppError `vault-damaged` when it is missing */
export type PieceReader = (name: string) => Uint8Array;

/** Sealed rows are ours, so they needn't be the only encoding; but they end where they should. */
export function decodeStored<Value>(decode: Decoder<Value>, bytes: Uint8Array): Value {
  const decoded = decode(bytes, 0);
  if (decoded?.[1] !== bytes.length) {
    throw new AppError("vault-damaged", { data: { reason: "a row of group state" } });
  }
  return decoded[0];
}

/** How far above the leaves a node stands. Source: RFC 9420 appendix C. */
export function levelOf(nodeIndex: number): number {
  return 31 - Math.clz32(~nodeIndex & (nodeIndex + 1));
}
