import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes as nodeRandomBytes,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { ed25519PublicKeyBytes, ed25519SignatureBytes } from "#protocol";

// The only file of relay/ that imports node:crypto. It takes only what Electron's BoringSSL has too: SHA-256, Ed25519, random bytes.

/** Where random bytes come from; a port, so that tests can choose them. */
export type Random = (sizeBytes: number) => Uint8Array;

/** The DER that stands before a raw Ed25519 key. Source: RFC 8410 §4 (SubjectPublicKeyInfo) and §7 (PKCS #8). */
const publicKeyPrefix = Buffer.from("302a300506032b6570032100", "hex");
const privateKeyPrefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** Bytes from the system's random generator. */
export const systemRandom: Random = (sizeBytes) => new Uint8Array(nodeRandomBytes(sizeBytes));

/** SHA-256, 32 bytes. Source: FIPS 180-4. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** Compares secrets in constant time. */
export function equalSecrets(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * The raw public key of an Ed25519 seed. Source: RFC 8032 §5.1.5.
 *
 * @param seed - 32 bytes; secret
 */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKeyObject(seed)).export({ format: "der", type: "spki" });
  return new Uint8Array(spki.subarray(publicKeyPrefix.length));
}

/**
 * Source: RFC 8032 §5.1.6.
 *
 * @param seed - 32 bytes; secret
 */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKeyObject(seed)));
}

/**
 * Source: RFC 8032 §5.1.7.
 *
 * @returns `false` for a wrong signature, and for keys and signatures that are none
 */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== ed25519PublicKeyBytes) return false;
  if (signature.length !== ed25519SignatureBytes) return false;
  try {
    const key = Buffer.concat([publicKeyPrefix, publicKey]);
    return verify(null, message, { key, format: "der", type: "spki" }, signature);
  } catch {
    // A library that refuses the key as no point on the curve says that nothing can be signed with it.
    return false;
  }
}

function privateKeyObject(seed: Uint8Array): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({
    key: Buffer.concat([privateKeyPrefix, seed]),
    format: "der",
    type: "pkcs8",
  });
}
