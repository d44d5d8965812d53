import { AppError } from "#protocol";
import type { Encapsulation } from "../../primitives/index.ts";

/** A raw HPKE key pair. Secret: `privateKey`; its owner wipes it. */
export interface KemKeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** A key encapsulation mechanism in the form HPKE asks for. Source: RFC 9180 §4. */
export interface Kem {
  /** Source: IANA registry "HPKE KEM Identifiers". */
  readonly id: number;
  readonly publicKeyBytes: number;
  readonly privateKeyBytes: number;
  generateKeyPair(): KemKeyPair;
  deriveKeyPair(inputKey: Uint8Array): KemKeyPair;
  /** @throws AppError `argument-invalid` for a public key that isn't one */
  encapsulate(publicKey: Uint8Array): Encapsulation;
  /** @throws AppError `argument-invalid` */
  decapsulate(privateKey: Uint8Array, encapsulated: Uint8Array): Uint8Array;
}

/** @throws AppError `argument-invalid` unless `key` has `sizeBytes` */
export function ensureKeySize(key: Uint8Array, sizeBytes: number): Uint8Array {
  if (key.length === sizeBytes) return key;
  throw new AppError("argument-invalid", { data: { keyBytes: key.length } });
}
