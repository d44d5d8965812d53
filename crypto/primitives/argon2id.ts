import sodium from "libsodium-wrappers-sumo";
import { AppError } from "#protocol";

/** What a password hash costs whoever guesses. */
export interface Argon2idCost {
  /** Passes over the memory, at least 1. */
  readonly passes: number;
  readonly memoryBytes: number;
}

/** The salt of a password hash, bytes. */
export const argon2idSaltBytes = 16;

/**
 * Stretches a passphrase into a key. Blocks its thread: about a second for the costs that key slots use.
 *
 * Secret: the result; its caller wipes it.
 * Source: RFC 9106, Argon2id version 0x13, one lane; from libsodium's sumo build, the only one that has it.
 */
export type Argon2id = (
  passphrase: Uint8Array,
  salt: Uint8Array,
  cost: Argon2idCost,
  sizeBytes: number,
) => Uint8Array;

/** Waits until libsodium can be used. */
export async function loadArgon2id(): Promise<Argon2id> {
  await sodium.ready;
  return (passphrase, salt, cost, sizeBytes) => {
    try {
      return sodium.crypto_pwhash(
        sizeBytes,
        passphrase,
        salt,
        cost.passes,
        cost.memoryBytes,
        sodium.crypto_pwhash_ALG_ARGON2ID13,
      );
    } catch (cause) {
      throw new AppError("argument-invalid", { cause, data: { memoryBytes: cost.memoryBytes } });
    }
  };
}
