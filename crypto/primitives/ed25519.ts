import { sign, verify } from "node:crypto";
import { ed25519SignatureBytes } from "#protocol";
import type { RandomSource } from "./bytes.ts";
import { createKeyObjects, curveKeyBytes, rawPublicKey } from "./key-objects.ts";
import type { SignatureScheme } from "./signature.ts";

/** Ed25519 signatures; a private key is the 32-byte seed. Source: RFC 8032 §5.1. */
export type Ed25519 = SignatureScheme;

/** @param random - where seeds come from */
export function createEd25519(random: RandomSource): Ed25519 {
  const keys = createKeyObjects("Ed25519");
  const { privateKeyBytes, publicKeyBytes } = curveKeyBytes("Ed25519");
  const publicKeyOf = (privateKey: Uint8Array): Uint8Array =>
    rawPublicKey("Ed25519", keys.privateKey(privateKey));
  return {
    publicKeyOf,
    generateKeyPair() {
      const privateKey = random(privateKeyBytes);
      return { privateKey, publicKey: publicKeyOf(privateKey) };
    },
    sign: (privateKey, message) => new Uint8Array(sign(null, message, keys.privateKey(privateKey))),
    verify(publicKey, message, signature) {
      if (publicKey.length !== publicKeyBytes || signature.length !== ed25519SignatureBytes) {
        return false;
      }
      return verify(null, message, keys.publicKey(publicKey), signature);
    },
  };
}
