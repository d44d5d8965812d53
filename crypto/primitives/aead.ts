import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import { AppError } from "#protocol";
import { plainBytes } from "./bytes.ts";
import type { Sodium } from "./sodium.ts";

/** Authenticated encryption: the tag stands at the end of the ciphertext. Source: RFC 5116 §5. */
export interface Aead {
  readonly keyBytes: number;
  readonly nonceBytes: number;
  readonly tagBytes: number;
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /**
   * @returns `undefined` when the ciphertext is not what `key`, `nonce` and `aad` sealed
   * @throws AppError `argument-invalid` for a key or nonce of the wrong size
   */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    ciphertext: Uint8Array,
  ): Uint8Array | undefined;
}

const nonceBytes = 12;
const tagBytes = 16;

function checkSizes(keyBytes: number, key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== keyBytes || nonce.length !== nonceBytes) {
    throw new AppError("argument-invalid", {
      data: { keyBytes: key.length, nonceBytes: nonce.length },
    });
  }
}

/** Keys go to Node as `KeyObject`s: to find out that an array is none costs it more than the encryption of a message. */
function createAesGcm(nodeName: "aes-128-gcm" | "aes-256-gcm", keyBytes: number): Aead {
  const options = { authTagLength: tagBytes };
  return {
    keyBytes,
    nonceBytes,
    tagBytes,
    seal(key, nonce, aad, plaintext) {
      checkSizes(keyBytes, key, nonce);
      const cipher = createCipheriv(nodeName, createSecretKey(key), nonce, options);
      cipher.setAAD(aad);
      const sealed = new Uint8Array(plaintext.length + tagBytes);
      sealed.set(cipher.update(plaintext));
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return sealed;
    },
    open(key, nonce, aad, ciphertext) {
      checkSizes(keyBytes, key, nonce);
      const size = ciphertext.length - tagBytes;
      if (size < 0) return undefined;
      const decipher = createDecipheriv(nodeName, createSecretKey(key), nonce, options);
      decipher.setAAD(aad);
      decipher.setAuthTag(ciphertext.subarray(size));
      const opened = plainBytes(decipher.update(ciphertext.subarray(0, size)));
      try {
        decipher.final();
      } catch {
        // Nothing of an unauthenticated plaintext may be seen.
        opened.fill(0);
        return undefined;
      }
      return opened;
    },
  };
}

/** AES-128-GCM. Source: NIST SP 800-38D. */
export const aes128Gcm: Aead = createAesGcm("aes-128-gcm", 16);

/** AES-256-GCM. Source: NIST SP 800-38D. */
export const aes256Gcm: Aead = createAesGcm("aes-256-gcm", 32);

/** ChaCha20-Poly1305, from libsodium: BoringSSL's Node has no such cipher. Source: RFC 8439 §2.8. */
export function createChaCha20Poly1305(sodium: Sodium): Aead {
  const keyBytes = 32;
  return {
    keyBytes,
    nonceBytes,
    tagBytes,
    seal(key, nonce, aad, plaintext) {
      checkSizes(keyBytes, key, nonce);
      return sodium.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, aad, null, nonce, key);
    },
    open(key, nonce, aad, ciphertext) {
      checkSizes(keyBytes, key, nonce);
      if (ciphertext.length < tagBytes) return undefined;
      try {
        return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, ciphertext, aad, nonce, key);
      } catch {
        return undefined;
      }
    },
  };
}
