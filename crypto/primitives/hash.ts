import { hash } from "node:crypto";
import { AppError, concatBytes } from "#protocol";
import { equalConstantTime, ownBytes, wipe } from "./bytes.ts";

/** The hash functions that both OpenSSL and BoringSSL have. Source: FIPS 180-4. */
export type HashName = "SHA-256" | "SHA-384" | "SHA-512";

interface HashFacts {
  readonly nodeName: string;
  readonly sizeBytes: number;
  readonly blockBytes: number;
}

const hashes: Readonly<Record<HashName, HashFacts>> = {
  "SHA-256": { nodeName: "sha256", sizeBytes: 32, blockBytes: 64 },
  "SHA-384": { nodeName: "sha384", sizeBytes: 48, blockBytes: 128 },
  "SHA-512": { nodeName: "sha512", sizeBytes: 64, blockBytes: 128 },
};

/** The size of a hash, bytes. */
export function hashSizeBytes(name: HashName): number {
  return hashes[name].sizeBytes;
}

/** The hash of `data`. */
export function digest(name: HashName, data: Uint8Array): Uint8Array {
  return ownBytes(hash(hashes[name].nodeName, data, "buffer"));
}

/**
 * HMAC from two one-shot hashes: on the same OpenSSL a third of the time of `createHmac`, whose set-up costs more than the
 * hashing, and MLS derives six keys per message.
 *
 * Source: RFC 2104 §2.
 */
export function hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  const { nodeName, sizeBytes, blockBytes } = hashes[name];
  const inner = new Uint8Array(blockBytes + data.length);
  const outer = new Uint8Array(blockBytes + sizeBytes);
  const blockKey = key.length > blockBytes ? digest(name, key) : key;
  for (let at = 0; at < blockBytes; at++) {
    const byte = blockKey[at] ?? 0;
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  inner.set(data, blockBytes);
  outer.set(hash(nodeName, inner, "buffer"), blockBytes);
  const tag = ownBytes(hash(nodeName, outer, "buffer"));
  wipe(inner, outer);
  if (blockKey !== key) wipe(blockKey);
  return tag;
}

/** Whether `tag` is the HMAC of `data`, in constant time. */
export function verifyHmac(
  name: HashName,
  key: Uint8Array,
  data: Uint8Array,
  tag: Uint8Array,
): boolean {
  return equalConstantTime(hmac(name, key, data), tag);
}

/** Source: RFC 5869 §2.2. An empty salt counts as zeroes of the hash's size. */
export function hkdfExtract(name: HashName, salt: Uint8Array, secret: Uint8Array): Uint8Array {
  return hmac(name, salt, secret);
}

/**
 * Source: RFC 5869 §2.3.
 *
 * @param sizeBytes - at most 255 times the hash's size
 * @throws AppError `argument-invalid` for a longer one
 */
export function hkdfExpand(
  name: HashName,
  pseudorandomKey: Uint8Array,
  info: Uint8Array,
  sizeBytes: number,
): Uint8Array {
  const blockBytes = hashSizeBytes(name);
  const blocks = Math.ceil(sizeBytes / blockBytes);
  if (blocks > 255) throw new AppError("argument-invalid", { data: { sizeBytes } });
  const output = new Uint8Array(blocks * blockBytes);
  let previous: Uint8Array = new Uint8Array(0);
  for (let counter = 1; counter <= blocks; counter++) {
    previous = hmac(name, pseudorandomKey, concatBytes(previous, info, Uint8Array.of(counter)));
    output.set(previous, (counter - 1) * blockBytes);
  }
  return output.length === sizeBytes ? output : output.slice(0, sizeBytes);
}

/** Extract, then expand. Source: RFC 5869 §2. */
export function hkdf(
  name: HashName,
  secret: Uint8Array,
  options: { readonly salt?: Uint8Array; readonly info: Uint8Array; readonly sizeBytes: number },
): Uint8Array {
  const pseudorandomKey = hkdfExtract(name, options.salt ?? new Uint8Array(0), secret);
  const output = hkdfExpand(name, pseudorandomKey, options.info, options.sizeBytes);
  wipe(pseudorandomKey);
  return output;
}
