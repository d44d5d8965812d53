import { sign, verify, type KeyObject } from "node:crypto";
import { AppError } from "#protocol";
import { wipe, type RandomSource } from "./bytes.ts";
import {
  createKeyObjects,
  curveKeyBytes,
  isCurvePrivateKey,
  rawPublicKey,
  type NistCurve,
} from "./key-objects.ts";
import type { SignatureScheme } from "./signature.ts";

const hashNames: Readonly<Record<NistCurve, string>> = {
  "P-256": "sha256",
  "P-384": "sha384",
  "P-521": "sha512",
};

/** The bits that a private key's first byte may have: the order of P-521 has 521 of 528. */
function firstByteMask(curve: NistCurve): number {
  return curve === "P-521" ? 0x01 : 0xff;
}

const maxCandidates = 256;

/**
 * The first of `candidates` that is a private key of the curve; the others are wiped.
 *
 * Source: RFC 9180 §7.1.3 for derived keys; those drawn at random are chosen the same way.
 *
 * @param candidate - gives the candidate number 0, 1, …
 * @throws AppError `internal` when none of 256 is, which has a chance of 2^-8192
 */
export function firstPrivateKey(
  curve: NistCurve,
  candidate: (number: number) => Uint8Array,
): Uint8Array {
  for (let number = 0; number < maxCandidates; number++) {
    const bytes = candidate(number);
    bytes.set([(bytes[0] ?? 0) & firstByteMask(curve)]);
    if (isCurvePrivateKey(curve, bytes)) return bytes;
    wipe(bytes);
  }
  throw new AppError("internal", { data: { curve } });
}

/**
 * ECDSA with the hash of the curve's strength. Private keys are big-endian numbers, public keys uncompressed points, signatures
 * DER.
 *
 * Source: FIPS 186-5 §6; RFC 9420 §5.1.1, RFC 8446 §4.2.3 (form of the signatures).
 *
 * @param random - where private keys come from; the numbers that sign come from Node's own source
 */
export function createEcdsa(curve: NistCurve, random: RandomSource): SignatureScheme {
  const keys = createKeyObjects(curve);
  const { privateKeyBytes, publicKeyBytes } = curveKeyBytes(curve);
  const hashName = hashNames[curve];
  const publicKeyOf = (privateKey: Uint8Array): Uint8Array =>
    rawPublicKey(curve, keys.privateKey(privateKey));

  function publicKeyObject(raw: Uint8Array): KeyObject | null {
    try {
      return keys.publicKey(raw);
    } catch {
      return null;
    }
  }

  return {
    publicKeyOf,
    generateKeyPair() {
      const privateKey = firstPrivateKey(curve, () => random(privateKeyBytes));
      return { privateKey, publicKey: publicKeyOf(privateKey) };
    },
    sign(privateKey, message) {
      const key = keys.privateKey(privateKey);
      return new Uint8Array(sign(hashName, message, { key, dsaEncoding: "der" }));
    },
    verify(publicKey, message, signature) {
      if (publicKey.length !== publicKeyBytes) return false;
      const key = publicKeyObject(publicKey);
      return key !== null && verify(hashName, message, { key, dsaEncoding: "der" }, signature);
    },
  };
}
