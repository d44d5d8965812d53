import { ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { AppError } from "#protocol";
import { wipe, type RandomSource } from "./bytes.ts";
import type { KeyEncapsulation } from "./key-encapsulation.ts";

const seedBytes = 64;
const publicKeyBytes = 1568;
const encapsulationBytes = 1568;
const randomnessBytes = 32;

function requireSize(bytes: Uint8Array, sizeBytes: number): void {
  if (bytes.length === sizeBytes) return;
  throw new AppError("argument-invalid", { data: { sizeBytes: bytes.length } });
}

const modulus = 3329;
/** Of a public key: its numbers, two in three bytes; what follows is a seed. */
const numbersBytes = publicKeyBytes - 32;

/**
 * The check of numbers below q that encapsulation begins with: the library's own lets every number of twelve bits pass.
 *
 * Source: FIPS 203 §7.2, modulus check.
 */
function requirePublicKey(publicKey: Uint8Array): void {
  requireSize(publicKey, publicKeyBytes);
  for (let at = 0; at < numbersBytes; at += 3) {
    const [low = 0, middle = 0, high = 0] = publicKey.subarray(at, at + 3);
    const [one, two] = [low | ((middle & 0x0f) << 8), (middle >> 4) | (high << 4)];
    if (one >= modulus || two >= modulus) {
      throw new AppError("argument-invalid", { data: { reason: "not an ML-KEM key" } });
    }
  }
}

/** The library's secret is a view of more bytes than it says. */
function takenOver(secret: Uint8Array): Uint8Array {
  const own = secret.slice();
  wipe(secret);
  return own;
}

/**
 * ML-KEM-1024, from the noble library: neither BoringSSL nor libsodium has it. A private key is the 64-byte seed `d || z`, from
 * which the rest is computed at each use and wiped.
 *
 * Source: FIPS 203 §7, §8.
 *
 * @param random - where the randomness of encapsulation comes from
 */
export function createMlKem1024(random: RandomSource): KeyEncapsulation {
  function keysOf(privateKey: Uint8Array) {
    requireSize(privateKey, seedBytes);
    return ml_kem1024.keygen(privateKey);
  }

  return {
    privateKeyBytes: seedBytes,
    publicKeyBytes,
    publicKeyOf(privateKey) {
      const { publicKey, secretKey } = keysOf(privateKey);
      wipe(secretKey);
      return publicKey;
    },
    encapsulate(publicKey) {
      requirePublicKey(publicKey);
      const message = random(randomnessBytes);
      const { cipherText, sharedSecret } = ml_kem1024.encapsulate(publicKey, message);
      wipe(message);
      return { encapsulated: cipherText, sharedSecret: takenOver(sharedSecret) };
    },
    decapsulate(privateKey, encapsulated) {
      requireSize(encapsulated, encapsulationBytes);
      const { secretKey } = keysOf(privateKey);
      const sharedSecret = ml_kem1024.decapsulate(encapsulated, secretKey);
      wipe(secretKey);
      return takenOver(sharedSecret);
    },
  };
}
