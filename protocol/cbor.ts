import { decode, encode, rfc8949EncodeOptions, Tokenizer, Type } from "cborg";
import { equalBytes } from "./bytes.ts";
import { readCborHead, skipCborItem } from "./cbor-items.ts";
import { AppError } from "./errors.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * Arrays and maps inside each other that are read at the most: far above what any of our structures has, far below what would
 * exhaust a stack.
 */
export const maxCborDepth = 32;

/** What has no CBOR of its own, or would come back as something else, is a mistake of ours and is refused at once. */
const unsupportedTypes = [
  ...["undefined", "symbol", "bigint", "Function", "Date", "Error", "Set", "Tagged"],
  ...["ArrayBuffer", "SharedArrayBuffer", "DataView", "Uint8ClampedArray"],
  ...["Int8Array", "Int16Array", "Int32Array", "BigInt64Array"],
  ...["Uint16Array", "Uint32Array", "BigUint64Array", "Float32Array", "Float64Array"],
];

function refuseType(_value: unknown, type: string): never {
  throw new AppError("internal", { data: { reason: `no CBOR of ${type}` } });
}

function checkNumber(value: number): null {
  if (Number.isFinite(value)) return null;
  throw new AppError("internal", { data: { reason: "no CBOR of a number that isn't finite" } });
}

function checkText(text: string): null {
  if (text.isWellFormed()) return null;
  throw new AppError("argument-invalid", { data: { reason: "lone surrogate" } });
}

const encodeOptions = {
  ...rfc8949EncodeOptions,
  typeEncoders: {
    ...Object.fromEntries(unsupportedTypes.map((type) => [type, refuseType])),
    number: checkNumber,
    string: checkText,
  },
};

/**
 * Deterministic CBOR: the same value always gives the same bytes. Takes null, booleans, finite numbers, well-formed text,
 * `Uint8Array`s, arrays, plain objects and `Map`s; no bigints: every number we exchange is exact in a double.
 *
 * @throws AppError `argument-invalid` for text with half a surrogate pair, `internal` for values of other kinds
 * Source: RFC 8949 §4.2.1.
 */
export function encodeCbor(value: unknown): Uint8Array {
  try {
    // cborg gives a Buffer in Node, often a view of a shared pool; callers transfer, slice and compare plain arrays.
    return new Uint8Array(encode(value, encodeOptions));
  } catch (error) {
    throw error instanceof AppError ? error : new AppError("internal", { cause: error });
  }
}

/** Keeps a byte order mark at the start of a text, which cborg drops. */
class ExactTokenizer extends Tokenizer {
  override next(): ReturnType<Tokenizer["next"]> {
    const start = this.pos();
    const token = super.next();
    if (!Type.equals(token.type, Type.string)) return token;
    const text = this.data.subarray(readCborHead(this.data, start).next, this.pos());
    if (text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf) token.value = decodeUtf8(text);
    return token;
  }
}

/**
 * Reads one deterministic CBOR item that fills `bytes` entirely.
 *
 * @param bytes - from outside; checked for size first
 * @param maxBytes - largest input that is looked at, bytes
 * @param maps - `object` gives plain objects (string keys only), `map` gives `Map`s (any keys)
 * @throws AppError `frame-too-large` or `frame-malformed` (also for input that does not re-encode to the same bytes, and for
 *   more than {@link maxCborDepth} levels)
 */
export function decodeCbor(
  bytes: Uint8Array,
  maxBytes: number,
  maps: "object" | "map" = "object",
): unknown {
  if (bytes.length > maxBytes) {
    throw new AppError("frame-too-large", { data: { sizeBytes: bytes.length, maxBytes } });
  }
  // First without recursion that input could drive: cborg's own has no limit.
  skipCborItem(bytes, 0, maxCborDepth);
  const options = {
    strict: true,
    allowIndefinite: false,
    allowUndefined: false,
    allowNaN: false,
    allowInfinity: false,
    allowBigInt: false,
    rejectDuplicateMapKeys: true,
    useMaps: maps === "map",
  };
  // A plain view, so that byte strings are copied out even when a Buffer comes in.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  let value: unknown;
  let again: Uint8Array;
  try {
    value = decode(plain, { ...options, tokenizer: new ExactTokenizer(plain, options) });
    again = encodeCbor(value);
  } catch (cause) {
    throw new AppError("frame-malformed", { cause });
  }
  if (!equalBytes(again, bytes)) {
    throw new AppError("frame-malformed", { data: { reason: "not deterministic CBOR" } });
  }
  return value;
}
