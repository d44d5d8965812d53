import { createCipheriv, createSecretKey } from "node:crypto";
import { AppError, concatBytes } from "#protocol";
import { aes256Gcm, type Aead } from "./aead.ts";
import { wipe } from "./bytes.ts";

const keyBytes = 32;
const nonceBytes = 24;
const blockBytes = 16;

/**
 * AES-256-GCM with 192-bit nonces, which may be drawn at random as often as one likes: the first half of the nonce derives a
 * key, the second half is GCM's own nonce.
 *
 * Source: C2SP XAES-256-GCM (key derivation: NIST SP 800-108r1 counter mode with CMAC).
 */
export const xaes256Gcm: Aead = {
  keyBytes,
  nonceBytes,
  tagBytes: aes256Gcm.tagBytes,
  seal: (key, nonce, aad, plaintext) =>
    withDerivedKey(key, nonce, (derived, rest) => aes256Gcm.seal(derived, rest, aad, plaintext)),
  open: (key, nonce, aad, ciphertext) =>
    withDerivedKey(key, nonce, (derived, rest) => aes256Gcm.open(derived, rest, aad, ciphertext)),
};

/** How much of a nonce derives the key of AES-256-GCM, bytes; the rest is GCM's own nonce. */
export const xaesDerivingBytes = 12;

/**
 * The key of AES-256-GCM that all nonces with this beginning derive; what it seals under the rest of such a nonce, the long-lived key opens.
 *
 * Secret: the result, which its owner wipes.
 *
 * @param nonceStart - {@link xaesDerivingBytes}
 * @returns 32 bytes
 */
export function deriveXaesKey(key: Uint8Array, nonceStart: Uint8Array): Uint8Array {
  const nonce = concatBytes(nonceStart, new Uint8Array(nonceBytes - xaesDerivingBytes));
  return withDerivedKey(key, nonce, (derived) => new Uint8Array(derived));
}

function withDerivedKey<Result>(
  key: Uint8Array,
  nonce: Uint8Array,
  use: (derivedKey: Uint8Array, restOfNonce: Uint8Array) => Result,
): Result {
  if (key.length !== keyBytes || nonce.length !== nonceBytes) {
    throw new AppError("argument-invalid", {
      data: { keyBytes: key.length, nonceBytes: nonce.length },
    });
  }
  // Whole blocks without chaining: exactly the raw block cipher that CMAC asks for.
  const cipher = createCipheriv("aes-256-ecb", createSecretKey(key), null).setAutoPadding(false);
  const subkey = doubled(cipher.update(new Uint8Array(blockBytes)));
  const blocks = new Uint8Array(2 * blockBytes);
  for (const counter of [1, 2]) {
    // Counter, label "X", separator, context.
    const block = concatBytes(
      Uint8Array.of(0, counter, 0x58, 0),
      nonce.subarray(0, xaesDerivingBytes),
    );
    block.forEach((byte, at) => {
      blocks[(counter - 1) * blockBytes + at] = byte ^ (subkey[at] ?? 0);
    });
  }
  const derivedKey = cipher.update(blocks);
  try {
    return use(derivedKey, nonce.subarray(xaesDerivingBytes));
  } finally {
    wipe(derivedKey, subkey, blocks);
  }
}

/** Multiplication by x in GF(2^128). Source: NIST SP 800-38B §6.1. */
function doubled(block: Uint8Array): Uint8Array {
  const result = new Uint8Array(block.length);
  let carry = 0;
  for (let at = block.length - 1; at >= 0; at--) {
    const byte = block[at] ?? 0;
    result[at] = (byte << 1) | carry;
    carry = byte >> 7;
  }
  result[block.length - 1] = (result[block.length - 1] ?? 0) ^ (carry * 0x87);
  return result;
}
