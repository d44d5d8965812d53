import { diffieHellman } from "node:crypto";
import { AppError } from "#protocol";
import { createKeyObjects, rawPublicKey } from "./key-objects.ts";

/** X25519 key agreement on raw 32-byte keys. Source: RFC 7748 §5, §6.1. */
export interface X25519 {
  publicKeyOf(privateKey: Uint8Array): Uint8Array;
  /**
   * Secret: the result; its caller wipes it.
   *
   * @throws AppError `argument-invalid` for keys of the wrong size and for public keys of small order (RFC 9180 §7.1.4)
   */
  agree(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
}

export function createX25519(): X25519 {
  const keys = createKeyObjects("X25519");
  return {
    publicKeyOf: (privateKey) => rawPublicKey("X25519", keys.privateKey(privateKey)),
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
