import { AppError } from "#protocol";
import { wipe, type RandomSource } from "./bytes.ts";
import type { KeyEncapsulation } from "./key-encapsulation.ts";
import type { Sodium } from "./sodium.ts";

/** Sizes of the X-Wing KEM, bytes. Source: draft-connolly-cfrg-xwing-kem-10 §5.1. */
export const xwingSizes = {
  publicKeyBytes: 1216,
  privateKeyBytes: 32,
  encapsulationBytes: 1120,
  sharedSecretBytes: 32,
  encapsulationSeedBytes: 64,
} as const;

/**
 * The hybrid of ML-KEM-768 and X25519, from libsodium. A private key is the 32-byte seed, never an expanded ML-KEM key
 * (the draft's §5.5.2 tells why).
 *
 * Source: draft-connolly-cfrg-xwing-kem-10; the same as MLKEM768-X25519 of draft-irtf-cfrg-concrete-hybrid-kems.
 */
export type XWing = KeyEncapsulation;

export function createXWing(sodium: Sodium, random: RandomSource): XWing {
  return {
    privateKeyBytes: xwingSizes.privateKeyBytes,
    publicKeyBytes: xwingSizes.publicKeyBytes,
    publicKeyOf: (privateKey) =>
      checked(() => {
        const pair = sodium.crypto_kem_xwing_seed_keypair(privateKey);
        wipe(pair.privateKey);
        return pair.publicKey;
      }),
    encapsulate: (publicKey) =>
      checked(() => {
        const seed = random(xwingSizes.encapsulationSeedBytes);
        try {
          const made = sodium.crypto_kem_xwing_enc_deterministic(publicKey, seed);
          return { encapsulated: made.ciphertext, sharedSecret: made.sharedSecret };
        } finally {
          wipe(seed);
        }
      }),
    decapsulate: (privateKey, encapsulated) =>
      checked(() => sodium.crypto_kem_xwing_dec(encapsulated, privateKey)),
  };
}

function checked<Result>(compute: () => Result): Result {
  try {
    return compute();
  } catch (cause) {
    throw new AppError("argument-invalid", { cause });
  }
}
