import * as openssl from "node:crypto";
import { describe, expect, test } from "vitest";
import { concatBytes, equalBytes } from "#protocol";
import { loadPrimitives, type SignatureName } from "../../../../crypto/primitives/index.ts";
import { fromHex } from "../../../support/vectors.ts";

const primitives = await loadPrimitives();
const { signatures, ecdh, x448, mlKem1024 } = primitives;
const invalid = expect.objectContaining({ code: "argument-invalid" }) as Error;
const message = Buffer.from("a message");

/** Sizes of public keys, bytes. Source: FIPS 186-5, RFC 8032, FIPS 204 §4. */
const schemes: readonly (readonly [SignatureName, number])[] = [
  ["Ed25519", 32],
  ["Ed448", 57],
  ["P256", 65],
  ["P384", 97],
  ["P521", 133],
  ["ML-DSA-87", 2592],
];

describe.each(schemes)("%s", (name, publicKeyBytes) => {
  const scheme = signatures[name];
  const { publicKey, privateKey } = scheme.generateKeyPair();
  const signature = scheme.sign(privateKey, message);

  test("verifies what it signed, and nothing else", () => {
    expect(publicKey.length).toBe(publicKeyBytes);
    expect(scheme.publicKeyOf(privateKey)).toEqual(publicKey);
    expect(scheme.verify(publicKey, message, signature)).toBe(true);
    expect(scheme.verify(publicKey, Buffer.from("another"), signature)).toBe(false);
    expect(scheme.verify(scheme.generateKeyPair().publicKey, message, signature)).toBe(false);
    const damaged = signature.slice();
    damaged.set([(signature.at(-1) ?? 0) ^ 1], signature.length - 1);
    expect(scheme.verify(publicKey, message, damaged)).toBe(false);
  });

  test("takes keys and signatures of other sizes for wrong ones", () => {
    const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(1);
    expect(scheme.verify(cut(publicKey), message, signature)).toBe(false);
    expect(scheme.verify(publicKey, message, cut(signature))).toBe(false);
    expect(scheme.verify(publicKey, message, new Uint8Array(0))).toBe(false);
    expect(() => scheme.sign(cut(privateKey), message)).toThrow(invalid);
    expect(() => scheme.publicKeyOf(cut(privateKey))).toThrow(invalid);
  });
});

describe("ECDSA", () => {
  test("takes a point that is on no curve for a wrong key", () => {
    const { publicKey, privateKey } = signatures.P256.generateKeyPair();
    const signature = signatures.P256.sign(privateKey, message);
    const off = publicKey.slice();
    off.set([(publicKey[64] ?? 0) ^ 1], 64);
    expect(signatures.P256.verify(off, message, signature)).toBe(false);
  });

  test.each(["P256", "P384", "P521"] as const)("%s refuses private keys out of range", (name) => {
    const { privateKey } = signatures[name].generateKeyPair();
    for (const byte of [0, 255]) {
      const key = new Uint8Array(privateKey.length).fill(byte);
      expect(() => signatures[name].sign(key, message)).toThrow(invalid);
    }
  });
});

describe.each([
  ["X448", x448],
  ["ECDH P-256", ecdh["P-256"]],
  ["ECDH P-384", ecdh["P-384"]],
  ["ECDH P-521", ecdh["P-521"]],
])("%s", (_name, agreement) => {
  const privateKeyOf = (last: number): Uint8Array => {
    const key = new Uint8Array(agreement.privateKeyBytes);
    key.set([7, last], key.length - 2);
    return key;
  };

  test("gives both sides the same secret", () => {
    const [one, two] = [privateKeyOf(1), privateKeyOf(2)];
    const secret = agreement.agree(one, agreement.publicKeyOf(two));
    expect(agreement.agree(two, agreement.publicKeyOf(one))).toEqual(secret);
    expect(secret.some((byte) => byte !== 0)).toBe(true);
  });

  test("refuses what is no public key", () => {
    const own = privateKeyOf(1);
    for (const sizeBytes of [0, agreement.publicKeyBytes - 1, agreement.publicKeyBytes]) {
      expect(() => agreement.agree(own, new Uint8Array(sizeBytes))).toThrow(invalid);
    }
  });
});

// OpenSSL has both, BoringSSL has neither: it stands beside ours here only. Prefixes of the keys: RFC 9935 §6, RFC 9881 §6.
describe("the post-quantum primitives agree with OpenSSL's", () => {
  const privateKeyOf = (prefix: string, seed: Uint8Array): openssl.KeyObject =>
    openssl.createPrivateKey({
      key: Buffer.from(concatBytes(fromHex(prefix), seed)),
      format: "der",
      type: "pkcs8",
    });
  const rawPublicKey = (key: openssl.KeyObject, sizeBytes: number): Uint8Array =>
    new Uint8Array(
      openssl.createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-sizeBytes),
    );

  test("ML-KEM-1024", () => {
    const seed = primitives.random(64);
    const key = privateKeyOf("3054020100300b060960864801650304040304428040", seed);
    const publicKey = mlKem1024.publicKeyOf(seed);
    expect(rawPublicKey(key, publicKey.length)).toEqual(publicKey);
    const ours = mlKem1024.encapsulate(publicKey);
    expect(equalBytes(openssl.decapsulate(key, ours.encapsulated), ours.sharedSecret)).toBe(true);
    const theirs = openssl.encapsulate(openssl.createPublicKey(key));
    const received = mlKem1024.decapsulate(seed, new Uint8Array(theirs.ciphertext));
    expect(equalBytes(received, theirs.sharedKey)).toBe(true);
  });

  test("ML-DSA-87", () => {
    const seed = primitives.random(32);
    const key = privateKeyOf("3034020100300b060960864801650304031304228020", seed);
    const scheme = signatures["ML-DSA-87"];
    const publicKey = scheme.publicKeyOf(seed);
    expect(rawPublicKey(key, publicKey.length)).toEqual(publicKey);
    expect(openssl.verify(null, message, key, scheme.sign(seed, message))).toBe(true);
    const theirs = openssl.sign(null, message, key);
    expect(scheme.verify(publicKey, message, theirs)).toBe(true);
  });
});

describe("ML-KEM-1024", () => {
  const seed = primitives.random(64);
  const publicKey = mlKem1024.publicKeyOf(seed);

  test("never tells that an encapsulation was made for another key", () => {
    const sent = mlKem1024.encapsulate(publicKey);
    const other = mlKem1024.decapsulate(primitives.random(64), sent.encapsulated);
    expect(other.length).toBe(32);
    expect(other).not.toEqual(sent.sharedSecret);
  });

  test("refuses what is no key and no encapsulation", () => {
    const numbersTooLarge = publicKey.slice().fill(0xff, 0, 3);
    expect(() => mlKem1024.encapsulate(numbersTooLarge)).toThrow(invalid);
    expect(() => mlKem1024.encapsulate(publicKey.subarray(1))).toThrow(invalid);
    expect(() => mlKem1024.publicKeyOf(seed.subarray(1))).toThrow(invalid);
    expect(() => mlKem1024.decapsulate(seed, new Uint8Array(1567))).toThrow(invalid);
  });
});
