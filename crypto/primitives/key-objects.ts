import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { AppError, concatBytes } from "#protocol";
import { wipe } from "./bytes.ts";

/** The curves whose raw keys we import. */
export type Curve = "Ed25519" | "X25519";

/** Raw keys of both curves, public and private, bytes. */
export const curveKeyBytes = 32;

// The constant DER in front of a raw key. Source: RFC 8410 §4 (public), §7 (private).
const publicPrefix: Readonly<Record<Curve, Uint8Array>> = {
  Ed25519: Buffer.from("302a300506032b6570032100", "hex"),
  X25519: Buffer.from("302a300506032b656e032100", "hex"),
};
const privatePrefix: Readonly<Record<Curve, Uint8Array>> = {
  Ed25519: Buffer.from("302e020100300506032b657004220420", "hex"),
  X25519: Buffer.from("302e020100300506032b656e04220420", "hex"),
};

/** Turns raw keys into Node's `KeyObject`s, and remembers them as long as the raw key's array lives. */
export interface KeyObjects {
  /** @throws AppError `argument-invalid` for a key of another size */
  privateKey(raw: Uint8Array): KeyObject;
  /** @throws AppError `argument-invalid` for a key of another size */
  publicKey(raw: Uint8Array): KeyObject;
}

/**
 * Importing a key costs as much as using it. The cache is keyed by the identity of the array, so that callers who keep their
 * keys (a group's state does) import each one once; wiping an array wipes nothing here before the array itself is collected.
 */
export function createKeyObjects(curve: Curve): KeyObjects {
  const privateKeys = new WeakMap<Uint8Array, KeyObject>();
  const publicKeys = new WeakMap<Uint8Array, KeyObject>();

  function importPrivate(raw: Uint8Array): KeyObject {
    const der = Buffer.from(concatBytes(privatePrefix[curve], raw));
    try {
      return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    } finally {
      wipe(der);
    }
  }

  function importPublic(raw: Uint8Array): KeyObject {
    const der = Buffer.from(concatBytes(publicPrefix[curve], raw));
    return createPublicKey({ key: der, format: "der", type: "spki" });
  }

  return {
    privateKey: (raw) => remembered(privateKeys, raw, importPrivate),
    publicKey: (raw) => remembered(publicKeys, raw, importPublic),
  };
}

function remembered(
  cache: WeakMap<Uint8Array, KeyObject>,
  raw: Uint8Array,
  importKey: (raw: Uint8Array) => KeyObject,
): KeyObject {
  const known = cache.get(raw);
  if (known !== undefined) return known;
  if (raw.length !== curveKeyBytes) {
    throw new AppError("argument-invalid", { data: { keyBytes: raw.length } });
  }
  const imported = importKey(raw);
  cache.set(raw, imported);
  return imported;
}

/** The raw public key that belongs to a private one. */
export function rawPublicKey(curve: Curve, privateKey: KeyObject): Uint8Array {
  const der = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return new Uint8Array(der.subarray(publicPrefix[curve].length));
}
