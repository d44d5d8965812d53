import { concatBytes } from "./bytes.ts";
import { AppError } from "./errors.ts";
import { decodeUtf8 } from "./utf8.ts";

/*
 * Walks deterministic CBOR without making values of it: to bound its nesting before anything recursive sees it, and to keep
 * items of unknown meaning as the bytes they are.
 */

/** Major types. Source: RFC 8949 §3.1. */
export const cborMajor = {
  unsigned: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  tag: 6,
  simple: 7,
} as const;

/** The first bytes of an item: its major type and its argument (a value, a length or a count). */
export interface CborHead {
  readonly major: number;
  /** Exact up to 2^53 - 1. */
  readonly argument: number;
  /** Offset of what follows the head. */
  readonly next: number;
}

function malformed(reason: string): AppError {
  return new AppError("frame-malformed", { data: { reason } });
}

/**
 * Reads an item's head.
 *
 * @throws AppError `frame-malformed` when it is cut off, longer than needed, or of indefinite length
 * Source: RFC 8949 §3 and §4.2.1.
 */
export function readCborHead(bytes: Uint8Array, at: number): CborHead {
  const initial = bytes[at];
  if (initial === undefined) throw malformed("CBOR is cut off");
  const major = initial >> 5;
  const additional = initial & 31;
  if (additional < 24) return { major, argument: additional, next: at + 1 };
  if (additional > 27) throw malformed("CBOR of indefinite or reserved length");
  const sizeBytes = 1 << (additional - 24);
  const next = at + 1 + sizeBytes;
  if (next > bytes.length) throw malformed("CBOR is cut off");
  let argument = 0;
  for (const byte of bytes.subarray(at + 1, next)) argument = argument * 256 + byte;
  const smallest = sizeBytes === 1 ? 24 : 2 ** (sizeBytes * 4);
  if (major !== cborMajor.simple && argument < smallest) {
    throw malformed("CBOR head is longer than needed");
  }
  return { major, argument, next };
}

/** The shortest head with this argument. Source: RFC 8949 §4.2.1. */
export function encodeCborHead(major: number, argument: number): Uint8Array {
  if (!Number.isSafeInteger(argument) || argument < 0) {
    throw new AppError("argument-invalid", { data: { reason: "not a CBOR argument" } });
  }
  const initial = major << 5;
  if (argument < 24) return Uint8Array.of(initial | argument);
  const power = argument < 2 ** 8 ? 0 : argument < 2 ** 16 ? 1 : argument < 2 ** 32 ? 2 : 3;
  const head = new Uint8Array(1 + (1 << power));
  head[0] = initial | (24 + power);
  let rest = argument;
  for (let index = head.length - 1; index > 0; index -= 1) {
    head[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return head;
}

/** Left comes before right in a deterministic map: bytewise order of the encoded keys. Source: RFC 8949 §4.2.1. */
function compareCborKeys(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * The offset after the item at `at`.
 *
 * @param depthLeft - how many arrays, maps and tags may still stand inside each other, this one included
 * @throws AppError `frame-malformed` when the item isn't deterministic CBOR, or is nested deeper
 */
export function skipCborItem(bytes: Uint8Array, at: number, depthLeft: number): number {
  const { major, argument, next } = readCborHead(bytes, at);
  switch (major) {
    case cborMajor.unsigned:
    case cborMajor.negative:
      return next;
    case cborMajor.bytes:
    case cborMajor.text: {
      const end = next + argument;
      if (end > bytes.length) throw malformed("CBOR is cut off");
      if (major === cborMajor.text) decodeUtf8(bytes.subarray(next, end));
      return end;
    }
    case cborMajor.simple:
      checkSimple(bytes, at, next);
      return next;
    default:
      break;
  }
  if (depthLeft <= 0) throw malformed("CBOR is nested too deeply");
  if (major === cborMajor.map) return skipMap(bytes, next, argument, depthLeft - 1);
  const items = major === cborMajor.tag ? 1 : argument;
  if (items > bytes.length - next) throw malformed("CBOR is cut off");
  let end = next;
  for (let index = 0; index < items; index += 1) end = skipCborItem(bytes, end, depthLeft - 1);
  return end;
}

function skipMap(bytes: Uint8Array, at: number, entries: number, depthLeft: number): number {
  if (entries * 2 > bytes.length - at) throw malformed("CBOR is cut off");
  let end = at;
  let previousKey: Uint8Array | undefined;
  for (let index = 0; index < entries; index += 1) {
    const keyEnd = skipCborItem(bytes, end, depthLeft);
    const key = bytes.subarray(end, keyEnd);
    if (previousKey !== undefined && compareCborKeys(previousKey, key) >= 0) {
      throw malformed("CBOR map keys repeat or are out of order");
    }
    previousKey = key;
    end = skipCborItem(bytes, keyEnd, depthLeft);
  }
  return end;
}

/** Simple values and floats. Source: RFC 8949 §3.3 and §4.2.1, shortest float first. */
function checkSimple(bytes: Uint8Array, at: number, next: number): void {
  const sizeBytes = next - at - 1;
  if (sizeBytes === 0) {
    const value = (bytes[at] ?? 0) & 31;
    if (value < 20) throw malformed("CBOR simple value without meaning");
    return;
  }
  if (sizeBytes === 1) throw malformed("CBOR simple value without meaning");
  const view = new DataView(bytes.buffer, bytes.byteOffset + at + 1, sizeBytes);
  if (sizeBytes === 2) {
    const half = view.getUint16(0);
    const isNaN = (half & 0x7c00) === 0x7c00 && (half & 0x03ff) !== 0;
    if (isNaN && half !== 0x7e00) throw malformed("CBOR float isn't the one NaN");
    return;
  }
  const value = sizeBytes === 4 ? view.getFloat32(0) : view.getFloat64(0);
  const fitsShorter = sizeBytes === 4 ? fitsHalf(value) : Object.is(Math.fround(value), value);
  if (Number.isNaN(value) || fitsShorter) throw malformed("CBOR float is longer than needed");
}

/** Whether a number has an exact binary16 form: 11 significant bits, lowest bit 2^-24 at the least. */
function fitsHalf(value: number): boolean {
  if (value === 0 || Math.abs(value) === Infinity) return true;
  if (Math.abs(value) > 65_504) return false;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -14);
  return Number.isInteger(value / 2 ** (exponent - 10));
}

/**
 * The items of an array that fills `bytes` entirely, as they stand.
 *
 * @param maxDepth - how many arrays, maps and tags may stand inside each other, the outer array included
 * @throws AppError `frame-malformed`
 */
export function splitCborArray(bytes: Uint8Array, maxDepth: number): readonly Uint8Array[] {
  const head = readCborHead(bytes, 0);
  if (head.major !== cborMajor.array) throw malformed("not a CBOR array");
  return splitItems(bytes, head.next, head.argument, maxDepth - 1);
}

/**
 * The keys and values of a map that fills `bytes` entirely, as they stand, in the map's order.
 *
 * @param maxDepth - how many arrays, maps and tags may stand inside each other, the map included
 * @throws AppError `frame-malformed`
 */
export function splitCborMap(
  bytes: Uint8Array,
  maxDepth: number,
): readonly (readonly [key: Uint8Array, value: Uint8Array])[] {
  const head = readCborHead(bytes, 0);
  if (head.major !== cborMajor.map) throw malformed("not a CBOR map");
  if (skipCborItem(bytes, 0, maxDepth) !== bytes.length) {
    throw malformed("CBOR is followed by more");
  }
  const items = splitItems(bytes, head.next, head.argument * 2, maxDepth - 1);
  const entries: [Uint8Array, Uint8Array][] = [];
  for (let index = 0; index + 1 < items.length; index += 2) {
    const [key, value] = items.slice(index, index + 2);
    if (key !== undefined && value !== undefined) entries.push([key, value]);
  }
  return entries;
}

function splitItems(
  bytes: Uint8Array,
  first: number,
  count: number,
  depthLeft: number,
): readonly Uint8Array[] {
  if (count > bytes.length - first) throw malformed("CBOR is cut off");
  const items: Uint8Array[] = [];
  let at = first;
  for (let index = 0; index < count; index += 1) {
    const end = skipCborItem(bytes, at, depthLeft);
    items.push(bytes.subarray(at, end));
    at = end;
  }
  if (at !== bytes.length) throw malformed("CBOR is followed by more");
  return items;
}

/** An array of items that are CBOR already. */
export function joinCborArray(items: readonly Uint8Array[]): Uint8Array {
  return concatBytes(encodeCborHead(cborMajor.array, items.length), ...items);
}

/** A map of entries whose keys and values are CBOR already, put in deterministic order. */
export function joinCborMap(
  entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[],
): Uint8Array {
  const sorted = entries.toSorted(([left], [right]) => compareCborKeys(left, right));
  return concatBytes(encodeCborHead(cborMajor.map, entries.length), ...sorted.flat());
}
