import { sign, verify } from "node:crypto";
import { ed25519SignatureBytes } from "#protocol";
import type { RandomSource } from "./bytes.ts";
import { createKeyObjects, curveKeyBytes, rawPublicKey } from "./key-objects.ts";

/** A signature key pair, raw. Secret: `privateKey` (the 32-byte seed); its owner wipes it. */
export interface SignatureKeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** Ed25519 signatures. Source: RFC 8032 §5.1. */
export interface Ed25519 {
  generateKeyPair(): SignatureKeyPair;
  /** @returns the raw public key of a 32-byte seed */
  publicKeyOf(privateKey: Uint8Array): Uint8Array;
  sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array;
  /** @returns `false` for a wrong signature and for keys and signatures of the wrong size */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

/** @param random - where seeds come from */
export function createEd25519(random: RandomSource): Ed25519 {
  const keys = createKeyObjects("Ed25519");
  const publicKeyOf = (privateKey: Uint8Array): Uint8Array =>
    rawPublicKey("Ed25519", keys.privateKey(privateKey));
  return {
    publicKeyOf,
    generateKeyPair() {
      const privateKey = random(curveKeyBytes);
      return { privateKey, publicKey: publicKeyOf(privateKey) };
    },
    sign: (privateKey, message) => new Uint8Array(sign(null, message, keys.privateKey(privateKey))),
    verify(publicKey, message, signature) {
      if (publicKey.length !== curveKeyBytes || signature.length !== ed25519SignatureBytes) {
        return false;
      }
      return verify(null, message, keys.publicKey(publicKey), signature);
    },
  };
}
