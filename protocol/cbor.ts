import { decode, encode, rfc8949EncodeOptions } from "cborg";
import { AppError } from "./errors.ts";
import { equalBytes } from "./bytes.ts";

/**
 * Deterministic CBOR: the same value always gives the same bytes.
 * Source: RFC 8949 §4.2.1.
 */
export function encodeCbor(value: unknown): Uint8Array {
  // cborg gives a Buffer in Node, often a view of a shared pool; callers transfer, slice and compare plain arrays.
  return new Uint8Array(encode(value, rfc8949EncodeOptions));
}

/**
 * Reads one deterministic CBOR item that fills `bytes` entirely.
 *
 * @param bytes - from outside; checked for size first
 * @param maxBytes - largest input that is looked at, bytes
 * @param maps - `object` gives plain objects (string keys only), `map` gives `Map`s (any keys)
 * @throws AppError `frame-too-large` or `frame-malformed` (also for input that does not re-encode to the same bytes)
 */
export function decodeCbor(
  bytes: Uint8Array,
  maxBytes: number,
  maps: "object" | "map" = "object",
): unknown {
  if (bytes.length > maxBytes) {
    throw new AppError("frame-too-large", { data: { sizeBytes: bytes.length, maxBytes } });
  }
  let value: unknown;
  try {
    value = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowNaN: false,
      allowInfinity: false,
      rejectDuplicateMapKeys: true,
      useMaps: maps === "map",
    });
  } catch (cause) {
    throw new AppError("frame-malformed", { cause });
  }
  if (!equalBytes(encodeCbor(value), bytes)) {
    throw new AppError("frame-malformed", { data: { reason: "not deterministic CBOR" } });
  }
  return value;
}
