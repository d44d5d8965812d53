import { concatBytes, encodeCbor, type FrameKey } from "#protocol";
import {
  deriveXaesKey,
  hkdf,
  SecretBytes,
  xaes256Gcm,
  xaesDerivingBytes,
  type RandomSource,
} from "../primitives/index.ts";

/*
 * Everything that is stored is sealed with XAES-256-GCM under random nonces, log frames included. A nonce made of a frame's
 * sequence number would be shorter, but a crash after the write and before the acknowledgement cuts the frame off and seals
 * another one under the same number: AES-GCM doesn't survive that (docs/adr/0009).
 */

const { nonceBytes, tagBytes } = xaes256Gcm;

/** How many bytes sealing adds. */
const boxOverheadBytes = nonceBytes + tagBytes;

/** What a box is bound to: a purpose and a place, which opening must name again. */
export type BoxPlace = readonly [
  purpose: string,
  ...place: (string | number | boolean | Uint8Array)[],
];

/** Seals and opens for one purpose. Secret: holds a key; {@link Box.wipe} when its vault is locked. */
export interface Box {
  /** @returns nonce, ciphertext and, in the last 16 bytes, the tag */
  seal(place: BoxPlace, plain: Uint8Array): Uint8Array;
  /** @returns undefined unless `sealed` was sealed by this key for this place */
  open(place: BoxPlace, sealed: Uint8Array): Uint8Array | undefined;
  /**
   * A key for one thing that somebody else seals, with another random half of a nonce and a place as {@link open} will name it. It opens nothing
   * else. Secret: the result.
   */
  giveKey(): FrameKey;
  wipe(): void;
}

/**
 * Seals with a key that the caller holds.
 *
 * @returns nonce, ciphertext and, in the last 16 bytes, the tag
 */
export function sealWith(
  key: Uint8Array,
  random: RandomSource,
  place: BoxPlace,
  plain: Uint8Array,
): Uint8Array {
  const nonce = random(nonceBytes);
  return concatBytes(nonce, xaes256Gcm.seal(key, nonce, encodeCbor(place), plain));
}

/** @returns undefined unless `sealed` was sealed by this key for this place */
export function openWith(
  key: Uint8Array,
  place: BoxPlace,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < boxOverheadBytes) return undefined;
  const nonce = sealed.subarray(0, nonceBytes);
  return xaes256Gcm.open(key, nonce, encodeCbor(place), sealed.subarray(nonceBytes));
}

/** A box that owns `key`. */
export function createBox(key: SecretBytes, random: RandomSource): Box {
  return {
    seal: (place, plain) => key.use((bytes) => sealWith(bytes, random, place, plain)),
    open: (place, sealed) => key.use((bytes) => openWith(bytes, place, sealed)),
    giveKey() {
      const nonceStart = random(xaesDerivingBytes);
      return { nonceStart, key: key.use((bytes) => deriveXaesKey(bytes, nonceStart)) };
    },
    wipe() {
      key.wipe();
    },
  };
}

/**
 * A key for one purpose, from which neither `parent` nor a key for another purpose follows. Source: RFC 5869.
 *
 * Secret: the result; its owner wipes it.
 *
 * @param purpose - the label, and what narrows it down
 */
export function deriveKey(parent: Uint8Array, purpose: BoxPlace): SecretBytes {
  const info = encodeCbor(["Sotto 1.0", ...purpose]);
  return new SecretBytes(hkdf("SHA-256", parent, { info, sizeBytes: xaes256Gcm.keyBytes }));
}
