import {
  concatBytes,
  equalBytes,
  fromBase64url,
  idToBytes,
  toBase64url,
  type CodeVerdict,
  type NetworkId,
  type UserId,
} from "#protocol";
import { digest } from "../primitives/index.ts";

/*
 * Safety numbers: 60 digits that two people compare over another channel, and a code for a picture. Both are made of the two account keys and
 * whose they are, so they are the same for both exactly when neither was given another key for the other.
 *
 * Source: "WhatsApp Encryption Overview. Technical White Paper", chapter "Verifying Keys": numeric fingerprints of an iterated SHA-512, and a code of a version,
 * both people and both keys. Ours hashes the network and a label too, and the code carries fingerprints in place of keys.
 */

/** One person in the comparison. */
export interface FingerprintedPerson {
  readonly networkId: NetworkId;
  readonly userId: UserId;
  /** Ed25519, 32 bytes. */
  readonly accountKey: Uint8Array;
}

/** How often each side is hashed: what makes looking for another key with the same digits dear. Source: as above. */
const iterations = 5200;
const label = new TextEncoder().encode("Sotto 1.0 Safety number");
const chunkBytes = 5;
const chunks = 6;
const chunkDigits = 5;

const codePrefix = "sotto-verify:";
const codeVersion = 1;
const userIdBytes = 16;
const fingerprintBytes = 32;
const sideBytes = userIdBytes + fingerprintBytes;
const codeBytes = 1 + 2 * sideBytes;

/** SHA-512, iterated over the key. @returns 64 bytes */
function fingerprintOf({ networkId, userId, accountKey }: FingerprintedPerson): Uint8Array {
  const start = concatBytes(label, accountKey, idToBytes(networkId), idToBytes(userId));
  let hash = digest("SHA-512", concatBytes(start, accountKey));
  for (let round = 1; round < iterations; round++) {
    hash = digest("SHA-512", concatBytes(hash, accountKey));
  }
  return hash;
}

/** Six groups of five digits: each five bytes, big-endian, modulo 100,000. */
function digitsOf(fingerprint: Uint8Array): string {
  let digits = "";
  for (let chunk = 0; chunk < chunks; chunk++) {
    let value = 0;
    for (const byte of fingerprint.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes)) {
      value = value * 256 + byte;
    }
    digits += String(value % 100_000).padStart(chunkDigits, "0");
  }
  return digits;
}

/** A person's side of a code: their id, and the first 32 bytes of their fingerprint. */
function sideOf(person: FingerprintedPerson): Uint8Array {
  return concatBytes(idToBytes(person.userId), fingerprintOf(person).subarray(0, fingerprintBytes));
}

/** @returns 60 digits, the same whoever of the two asks; and the code that `own` shows to `other`, text */
export function safetyNumber(
  own: FingerprintedPerson,
  other: FingerprintedPerson,
): { readonly digits: string; readonly code: string } {
  const halves = [own, other].map((person) => digitsOf(fingerprintOf(person)));
  const code = concatBytes(Uint8Array.of(codeVersion), sideOf(own), sideOf(other));
  return {
    digits: halves.toSorted().join(""),
    code: `${codePrefix}${toBase64url(code)}`,
  };
}

/**
 * What a code says that somebody shows.
 *
 * @param text - from a picture, anything
 */
export function compareCode(
  own: FingerprintedPerson,
  other: FingerprintedPerson,
  text: string,
): CodeVerdict {
  const read = readCode(text);
  if (read === null) return "unreadable";
  if (read === "newer") return "newer";
  const [mine, theirs] = [sideOf(own), sideOf(other)];
  const isOf = (side: Uint8Array, person: Uint8Array): boolean =>
    equalBytes(side.subarray(0, userIdBytes), person.subarray(0, userIdBytes));
  if (isOf(read.shown, mine)) return "own";
  if (!isOf(read.shown, theirs)) return "other-person";
  if (!isOf(read.seen, mine)) return "other-reader";
  return equalBytes(read.shown, theirs) && equalBytes(read.seen, mine) ? "matches" : "differs";
}

/** The side of who shows a code, and the side of whom they have opened it for. */
function readCode(
  text: string,
): { readonly shown: Uint8Array; readonly seen: Uint8Array } | "newer" | null {
  if (!text.startsWith(codePrefix)) return null;
  const bytes = fromBase64url(text.slice(codePrefix.length));
  if (bytes === undefined || bytes.length === 0) return null;
  if (bytes[0] !== codeVersion) return "newer";
  if (bytes.length !== codeBytes) return null;
  return { shown: bytes.slice(1, 1 + sideBytes), seen: bytes.slice(1 + sideBytes) };
}
