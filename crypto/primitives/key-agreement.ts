import { diffieHellman } from "node:crypto";
import { AppError } from "#protocol";
import { createKeyObjects, curveKeyBytes, rawPublicKey, type NistCurve } from "./key-objects.ts";

/** Diffie-Hellman key agreement on raw keys. */
export interface KeyAgreement {
  readonly privateKeyBytes: number;
  readonly publicKeyBytes: number;
  /** @throws AppError `argument-invalid` for what is no private key */
  publicKeyOf(privateKey: Uint8Array): Uint8Array;
  /**
   * Secret: the result; its caller wipes it.
   *
   * @throws AppError `argument-invalid` for what are no keys, and for public keys of small order (RFC 9180 §7.1.4)
   */
  agree(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
}

/**
 * X25519, or ECDH on a NIST curve, whose public keys are uncompressed points and whose result is the x-coordinate.
 *
 * Source: RFC 7748 §5, §6.1; NIST SP 800-56A §5.7.1.2.
 */
export function createKeyAgreement(curve: "X25519" | NistCurve): KeyAgreement {
  const keys = createKeyObjects(curve);
  return {
    ...curveKeyBytes(curve),
    publicKeyOf: (privateKey) => rawPublicKey(curve, keys.privateKey(privateKey)),
    agree(privateKey, publicKey) {
      const privateObject = keys.privateKey(privateKey);
      const publicObject = keys.publicKey(publicKey);
      let shared: Uint8Array;
      try {
        shared = new Uint8Array(
          diffieHellman({ privateKey: privateObject, publicKey: publicObject }),
        );
      } catch (cause) {
        // Both OpenSSL and BoringSSL refuse a shared secret of zeroes.
        throw new AppError("argument-invalid", { cause });
      }
      if (shared.every((byte) => byte === 0)) throw new AppError("argument-invalid");
      return shared;
    },
  };
}
