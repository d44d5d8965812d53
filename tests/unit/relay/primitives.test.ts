import { describe, expect, test } from "vitest";
import { toHex } from "#protocol";
import {
  ed25519PublicKey,
  equalSecrets,
  sha256,
  signEd25519,
  systemRandom,
  verifyEd25519,
} from "../../../relay/primitives.ts";

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

// RFC 8032 §7.1, TEST 1 to 3.
const vectors = [
  {
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  },
  {
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  },
  {
    seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature:
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  },
] as const;

describe("Ed25519", () => {
  test.each(vectors)("agrees with RFC 8032 §7.1 ($publicKey)", (vector) => {
    const seed = bytes(vector.seed);
    const message = bytes(vector.message);
    expect(toHex(ed25519PublicKey(seed))).toBe(vector.publicKey);
    expect(toHex(signEd25519(seed, message))).toBe(vector.signature);
    expect(verifyEd25519(bytes(vector.publicKey), message, bytes(vector.signature))).toBe(true);
  });

  test("refuses a changed message, signature or key, and keys and signatures that are none", () => {
    const [, { publicKey, message, signature }] = vectors;
    const verify = (key: Uint8Array, text: Uint8Array, signed: Uint8Array): boolean =>
      verifyEd25519(key, text, signed);
    const [key, text, signed] = [bytes(publicKey), bytes(message), bytes(signature)] as const;
    expect(verify(key, bytes("73"), signed)).toBe(false);
    expect(verify(key, text, signed.with(3, signed[3]! ^ 1))).toBe(false);
    expect(verify(key.with(3, key[3]! ^ 1), text, signed)).toBe(false);
    expect(verify(key.subarray(1), text, signed)).toBe(false);
    expect(verify(new Uint8Array(), text, signed)).toBe(false);
    expect(verify(key, text, signed.subarray(1))).toBe(false);
    expect(verify(new Uint8Array(32).fill(0xff), text, signed)).toBe(false);
  });
});

describe("SHA-256 and comparison", () => {
  test("agrees with FIPS 180-4's example", () => {
    expect(toHex(sha256(new TextEncoder().encode("abc")))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  test("secrets are equal only when every byte is", () => {
    const secret = systemRandom(32);
    expect(equalSecrets(secret, Uint8Array.from(secret))).toBe(true);
    expect(equalSecrets(secret, secret.with(31, secret[31]! ^ 1))).toBe(false);
    expect(equalSecrets(secret, secret.subarray(1))).toBe(false);
  });
});
