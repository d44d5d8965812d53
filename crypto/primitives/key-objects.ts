import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { AppError, concatBytes } from "#protocol";
import { wipe } from "./bytes.ts";

/** The NIST curves. Source: NIST SP 800-186 §3.2.1. */
export type NistCurve = "P-256" | "P-384" | "P-521";

/** The curves whose raw keys Node's crypto computes with, OpenSSL's and BoringSSL's alike. */
export type Curve = "Ed25519" | "X25519" | NistCurve;

interface CurveFacts {
  readonly privateKeyBytes: number;
  readonly publicKeyBytes: number;
  /** The constant DER in front of a raw private key, PKCS #8. */
  readonly privatePrefix: Uint8Array;
  /** The constant DER in front of a raw public key, SubjectPublicKeyInfo. */
  readonly publicPrefix: Uint8Array;
  /** Private keys are numbers from 1 to below it; null: they are any bytes. */
  readonly order: Uint8Array | null;
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

// Source of the prefixes: RFC 8410 §4, §7 (Edwards and Montgomery curves); RFC 5480 §2, RFC 5915 §3 (NIST curves, whose public
// keys are uncompressed points). Source of the orders: NIST SP 800-186 §3.2.1.
const curves: Readonly<Record<Curve, CurveFacts>> = {
  Ed25519: {
    privateKeyBytes: 32,
    publicKeyBytes: 32,
    privatePrefix: hex("302e020100300506032b657004220420"),
    publicPrefix: hex("302a300506032b6570032100"),
    order: null,
  },
  X25519: {
    privateKeyBytes: 32,
    publicKeyBytes: 32,
    privatePrefix: hex("302e020100300506032b656e04220420"),
    publicPrefix: hex("302a300506032b656e032100"),
    order: null,
  },
  "P-256": {
    privateKeyBytes: 32,
    publicKeyBytes: 65,
    privatePrefix: hex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420"),
    publicPrefix: hex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
    order: hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
  },
  "P-384": {
    privateKeyBytes: 48,
    publicKeyBytes: 97,
    privatePrefix: hex("304e020100301006072a8648ce3d020106052b81040022043730350201010430"),
    publicPrefix: hex("3076301006072a8648ce3d020106052b81040022036200"),
    order: hex(
      "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    ),
  },
  "P-521": {
    privateKeyBytes: 66,
    publicKeyBytes: 133,
    privatePrefix: hex("3060020100301006072a8648ce3d020106052b81040023044930470201010442"),
    publicPrefix: hex("30819b301006072a8648ce3d020106052b8104002303818600"),
    order: hex(
      "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa" +
        "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
  },
};

/** The sizes of a curve's raw keys, bytes. */
export function curveKeyBytes(curve: Curve): {
  readonly privateKeyBytes: number;
  readonly publicKeyBytes: number;
} {
  const { privateKeyBytes, publicKeyBytes } = curves[curve];
  return { privateKeyBytes, publicKeyBytes };
}

/** Whether `candidate` is a private key of the curve. */
export function isCurvePrivateKey(curve: Curve, candidate: Uint8Array): boolean {
  const { privateKeyBytes, order } = curves[curve];
  if (candidate.length !== privateKeyBytes) return false;
  if (order === null) return true;
  return candidate.some((byte) => byte !== 0) && Buffer.compare(candidate, order) < 0;
}

/** Turns raw keys into Node's `KeyObject`s, and remembers them as long as the raw key's array lives. */
export interface KeyObjects {
  /** @throws AppError `argument-invalid` for what is no private key of the curve */
  privateKey(raw: Uint8Array): KeyObject;
  /** @throws AppError `argument-invalid` for what is no public key of the curve */
  publicKey(raw: Uint8Array): KeyObject;
}

/**
 * Importing a key costs as much as using it. The cache is keyed by the identity of the array, so that callers who keep their
 * keys (a group's state does) import each one once; wiping an array wipes nothing here before the array itself is collected.
 */
export function createKeyObjects(curve: Curve): KeyObjects {
  const { privatePrefix, publicPrefix, publicKeyBytes } = curves[curve];
  const privateKeys = new WeakMap<Uint8Array, KeyObject>();
  const publicKeys = new WeakMap<Uint8Array, KeyObject>();

  function importPrivate(raw: Uint8Array): KeyObject {
    if (!isCurvePrivateKey(curve, raw)) throw notAKey(raw);
    const der = Buffer.from(concatBytes(privatePrefix, raw));
    try {
      return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    } finally {
      wipe(der);
    }
  }

  function importPublic(raw: Uint8Array): KeyObject {
    if (raw.length !== publicKeyBytes) throw notAKey(raw);
    const der = Buffer.from(concatBytes(publicPrefix, raw));
    try {
      return createPublicKey({ key: der, format: "der", type: "spki" });
    } catch (cause) {
      // Not a point of the curve.
      throw new AppError("argument-invalid", { cause });
    }
  }

  return {
    privateKey: (raw) => remembered(privateKeys, raw, importPrivate),
    publicKey: (raw) => remembered(publicKeys, raw, importPublic),
  };
}

function notAKey({ length }: Uint8Array): AppError {
  return new AppError("argument-invalid", { data: { keyBytes: length } });
}

function remembered(
  cache: WeakMap<Uint8Array, KeyObject>,
  raw: Uint8Array,
  importKey: (raw: Uint8Array) => KeyObject,
): KeyObject {
  const known = cache.get(raw);
  if (known !== undefined) return known;
  const imported = importKey(raw);
  cache.set(raw, imported);
  return imported;
}

/** The raw public key that belongs to a private one. */
export function rawPublicKey(curve: Curve, privateKey: KeyObject): Uint8Array {
  const der = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return new Uint8Array(der.subarray(curves[curve].publicPrefix.length));
}
