import { encodeCbor } from "#protocol";
import type { SqlValue } from "./types.ts";

/** Major types. Source: RFC 8949 §3.1. */
const major = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4 } as const;
const nullByte = 0xf6;
const largestHeadBytes = 9;
const firstNonAscii = 0x80;

const utf8 = new TextEncoder();

/**
 * Writes the deterministic CBOR of a batch, a part at a time and with few allocations: what a commit waits for. The bytes are those that
 * `encodeCbor` gives.
 */
export class CborWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;

  /** @param sizeBytes - about what will be written: more makes it grow */
  constructor(sizeBytes: number) {
    this.#bytes = new Uint8Array(sizeBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The head of an array, whose items are written next. */
  array(items: number): void {
    this.#head(major.array, items);
  }

  /** @throws AppError as `encodeCbor` */
  value(value: SqlValue): void {
    if (value === null) this.#byte(nullByte);
    else if (typeof value === "string") this.#text(value);
    else if (typeof value !== "number") this.#sized(major.bytes, value);
    else if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.#raw(encodeCbor(value));
    else if (value < 0) this.#head(major.negative, -1 - value);
    else this.#head(major.unsigned, value);
  }

  /** What was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #text(text: string): void {
    const { length } = text;
    this.#reserve(length);
    const begin = this.#at;
    this.#head(major.text, length);
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code >= firstNonAscii) {
        this.#at = begin;
        this.#otherText(text);
        return;
      }
      this.#bytes[this.#at + index] = code;
    }
    this.#at += length;
  }

  #otherText(text: string): void {
    // It refuses halves of surrogate pairs, which an encoder replaces.
    if (text.isWellFormed()) this.#sized(major.text, utf8.encode(text));
    else this.#raw(encodeCbor(text));
  }

  #sized(type: number, bytes: Uint8Array): void {
    this.#head(type, bytes.length);
    this.#raw(bytes);
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = byte;
  }

  /** The shortest one. Source: RFC 8949 §4.2.1. */
  #head(type: number, argument: number): void {
    this.#reserve(0);
    const initial = type << 5;
    const at = this.#at;
    if (argument < 24) {
      this.#bytes[at] = initial | argument;
      this.#at += 1;
    } else if (argument < 2 ** 8) {
      this.#bytes[at] = initial | 24;
      this.#bytes[at + 1] = argument;
      this.#at += 2;
    } else if (argument < 2 ** 16) {
      this.#bytes[at] = initial | 25;
      this.#view.setUint16(at + 1, argument);
      this.#at += 3;
    } else if (argument < 2 ** 32) {
      this.#bytes[at] = initial | 26;
      this.#view.setUint32(at + 1, argument);
      this.#at += 5;
    } else {
      this.#bytes[at] = initial | 27;
      this.#view.setUint32(at + 1, Math.floor(argument / 2 ** 32));
      this.#view.setUint32(at + 5, argument % 2 ** 32);
      this.#at += 9;
    }
  }

  /** Room for so many bytes and a head. */
  #reserve(sizeBytes: number): void {
    const needed = this.#at + largestHeadBytes + sizeBytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    // Its content was somebody's messages.
    this.#bytes.fill(0);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
