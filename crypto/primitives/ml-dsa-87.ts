import { ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import { AppError } from "#protocol";
import { wipe, type RandomSource } from "./bytes.ts";
import type { SignatureScheme } from "./signature.ts";

const seedBytes = 32;
const publicKeyBytes = 2592;
const signatureBytes = 4627;
const hedgeBytes = 32;

/**
 * ML-DSA-87 with an empty context, from the noble library: neither BoringSSL nor libsodium has it. A private key is the 32-byte
 * seed, from which the rest is computed at each use and wiped; signing is hedged.
 *
 * Source: FIPS 204 §5, §3.6.3 (seeds); draft-ietf-tls-mldsa (empty context).
 *
 * @param random - where seeds and hedges come from
 */
export function createMlDsa87(random: RandomSource): SignatureScheme {
  function keysOf(privateKey: Uint8Array) {
    if (privateKey.length !== seedBytes) {
      throw new AppError("argument-invalid", { data: { keyBytes: privateKey.length } });
    }
    return ml_dsa87.keygen(privateKey);
  }

  function publicKeyOf(privateKey: Uint8Array): Uint8Array {
    const { publicKey, secretKey } = keysOf(privateKey);
    wipe(secretKey);
    return publicKey;
  }

  return {
    publicKeyOf,
    generateKeyPair() {
      const privateKey = random(seedBytes);
      return { privateKey, publicKey: publicKeyOf(privateKey) };
    },
    sign(privateKey, message) {
      const { secretKey } = keysOf(privateKey);
      const extraEntropy = random(hedgeBytes);
      const signature = ml_dsa87.sign(message, secretKey, { extraEntropy });
      wipe(secretKey, extraEntropy);
      return signature;
    },
    verify(publicKey, message, signature) {
      if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false;
      return ml_dsa87.verify(signature, message, publicKey);
    },
  };
}
