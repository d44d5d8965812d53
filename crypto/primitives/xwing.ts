import { AppError } from "#protocol";
import type { RandomSource } from "./bytes.ts";
import type { Sodium } from "./sodium.ts";

/** Sizes of the X-Wing KEM, bytes. Source: draft-connolly-cfrg-xwing-kem-10 §5.1. */
export const xwingSizes = {
  publicKeyBytes: 1216,
  privateKeyBytes: 32,
  encapsulationBytes: 1120,
  sharedSecretBytes: 32,
  encapsulationSeedBytes: 64,
} as const;

/** A sender's half of a key encapsulation. Secret: `sharedSecret`; its caller wipes it. */
export interface Encapsulation {
  readonly encapsulated: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

/**
 * The hybrid of ML-KEM-768 and X25519, from libsodium. A private key is the 32-byte seed, never an expanded ML-KEM key
 * (the draft's §5.5.2 tells why).
 *
 * Source: draft-connolly-cfrg-xwing-kem-10; the same as MLKEM768-X25519 of draft-irtf-cfrg-concrete-hybrid-kems.
 */
export interface XWing {
  /** @throws AppError `argument-invalid` for a private key of another size */
  publicKeyOf(privateKey: Uint8Array): Uint8Array;
  /** @throws AppError `argument-invalid` for a public key that isn't one */
  encapsulate(publicKey: Uint8Array): Encapsulation;
  /**
   * Never tells whether `encapsulated` was made for this key: ML-KEM rejects implicitly (FIPS 203 §6.3).
   *
   * @throws AppError `argument-invalid` for inputs of another size
   */
  decapsulate(privateKey: Uint8Array, encapsulated: Uint8Array): Uint8Array;
}

export function createXWing(sodium: Sodium, random: RandomSource): XWing {
  return {
    publicKeyOf: (privateKey) =>
      checked(() => sodium.crypto_kem_xwing_seed_keypair(privateKey).publicKey),
    encapsulate: (publicKey) =>
      checked(() => {
        const seed = random(xwingSizes.encapsulationSeedBytes);
        const made = sodium.crypto_kem_xwing_enc_deterministic(publicKey, seed);
        seed.fill(0);
        return { encapsulated: made.ciphertext, sharedSecret: made.sharedSecret };
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
