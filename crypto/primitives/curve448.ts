import { ed448, x448 } from "@noble/curves/ed448.js";
import { AppError } from "#protocol";
import type { RandomSource } from "./bytes.ts";
import type { KeyAgreement } from "./key-agreement.ts";
import type { SignatureScheme } from "./signature.ts";

const ed448KeyBytes = 57;
const ed448SignatureBytes = 114;
const x448KeyBytes = 56;

function requireSize(bytes: Uint8Array, sizeBytes: number): void {
  if (bytes.length === sizeBytes) return;
  throw new AppError("argument-invalid", { data: { keyBytes: bytes.length } });
}

/**
 * Ed448 signatures, from the noble library: BoringSSL has none. A private key is the 57-byte seed. Source: RFC 8032 §5.2.
 *
 * @param random - where seeds come from
 */
export function createEd448(random: RandomSource): SignatureScheme {
  const publicKeyOf = (privateKey: Uint8Array): Uint8Array => {
    requireSize(privateKey, ed448KeyBytes);
    return ed448.getPublicKey(privateKey);
  };
  return {
    publicKeyOf,
    generateKeyPair() {
      const privateKey = random(ed448KeyBytes);
      return { privateKey, publicKey: publicKeyOf(privateKey) };
    },
    sign(privateKey, message) {
      requireSize(privateKey, ed448KeyBytes);
      return ed448.sign(message, privateKey);
    },
    verify(publicKey, message, signature) {
      if (publicKey.length !== ed448KeyBytes || signature.length !== ed448SignatureBytes) {
        return false;
      }
      // As RFC 8032 has it: one encoding of a point, and no other.
      return ed448.verify(signature, message, publicKey, { zip215: false });
    },
  };
}

/** X448 key agreement, from the noble library: BoringSSL has none. Source: RFC 7748 §5, §6.2. */
export const x448Agreement: KeyAgreement = {
  privateKeyBytes: x448KeyBytes,
  publicKeyBytes: x448KeyBytes,
  publicKeyOf(privateKey) {
    requireSize(privateKey, x448KeyBytes);
    return x448.getPublicKey(privateKey);
  },
  agree(privateKey, publicKey) {
    requireSize(privateKey, x448KeyBytes);
    requireSize(publicKey, x448KeyBytes);
    try {
      // Refuses a shared secret of zeroes.
      return x448.getSharedSecret(privateKey, publicKey);
    } catch (cause) {
      throw new AppError("argument-invalid", { cause });
    }
  },
};
