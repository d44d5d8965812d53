import { describe, expect, test } from "vitest";
import { toHex } from "#protocol";
import { createHpke } from "../../../../crypto/mls/hpke/hpke.ts";
import {
  createDhkemNist,
  createDhkemX25519,
  createDhkemX448,
} from "../../../../crypto/mls/hpke/dhkem.ts";
import { createMlKem1024Kem, createXWingKem } from "../../../../crypto/mls/hpke/seed-kem.ts";
import { sodiumCryptoProvider } from "../../../../crypto/mls/provider.ts";
import { supportedSuites } from "../../../../crypto/mls/suites.ts";
import { aes256Gcm, digest, loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { fromHex } from "../../../support/vectors.ts";
import { ciphersuites, getCiphersuiteFromName, type CiphersuiteName } from "ts-mls";

const primitives = await loadPrimitives();

describe("deriving an X-Wing key pair", () => {
  test("follows draft-ietf-hpke-pq, not draft-connolly-cfrg-xwing-kem", () => {
    const inputKey = new Uint8Array(32).fill(7);
    const { privateKey, publicKey } = createXWingKem(primitives).deriveKeyPair(inputKey);
    // LabeledDerive spelled out: ikm, version, "KEM" and its id, length and label, length of the output.
    const labeled = Buffer.concat([
      inputKey,
      Buffer.from("HPKE-v1KEM"),
      Buffer.from([0x64, 0x7a, 0, 13]),
      Buffer.from("DeriveKeyPair"),
      Buffer.from([0, 32]),
    ]);
    expect(privateKey).toEqual(primitives.shake256(labeled, 32));
    expect(publicKey).toEqual(primitives.xwing.publicKeyOf(privateKey));
    // Pinned on the day when the whole suite gave the draft's published answers for KEM 0x647a: a change here breaks every group.
    expect(toHex(digest("SHA-256", publicKey))).toBe(
      "e81b9a08d54218efb0cee652505b8d615d58473da3f7ae0bfcac23becb446e65",
    );
  });
});

describe("deriving an ML-KEM-1024 key pair", () => {
  test("gives the seed of which the public key is made", () => {
    const { privateKey, publicKey } = createMlKem1024Kem(primitives).deriveKeyPair(
      // The input of draft-ietf-hpke-pq's vector for this mechanism, whose message opened on the day this was pinned.
      fromHex(
        "ece1c121b5cc978bdce5eb8d60e9ff101d65b94379898e800c37f79164a25d03" +
          "264a357df7cd28214b11e171c94dea2338b736e7dbb6f00a0b1b280ae6ad1ba4",
      ),
    );
    expect(privateKey.length).toBe(64);
    expect(publicKey).toEqual(primitives.mlKem1024.publicKeyOf(privateKey));
    expect(toHex(digest("SHA-256", publicKey))).toBe(
      "121abb2e70d21f6bead6d5cdf57f9cbc3dc460081b36007054cb01963b6f6140",
    );
  });
});

describe.each([
  ["DHKEM(X25519)", createDhkemX25519(primitives)],
  ["DHKEM(X448)", createDhkemX448(primitives)],
  ["DHKEM(P-256)", createDhkemNist(primitives, "P-256")],
  ["DHKEM(P-384)", createDhkemNist(primitives, "P-384")],
  ["DHKEM(P-521)", createDhkemNist(primitives, "P-521")],
  ["X-Wing", createXWingKem(primitives)],
  ["ML-KEM-1024", createMlKem1024Kem(primitives)],
])("HPKE with %s", (_name, kem) => {
  const hpke = createHpke({ kem, hash: "SHA-384", aead: aes256Gcm, aeadId: 2 });
  const { publicKey, privateKey } = kem.generateKeyPair();
  const binding = { info: Uint8Array.of(1, 2), aad: Uint8Array.of(3) };
  const plaintext = primitives.random(50);

  test("opens what was sealed for the key under the same info and data only", () => {
    const { encapsulated, ciphertext } = hpke.seal(publicKey, binding, plaintext);
    expect(hpke.open(privateKey, encapsulated, binding, ciphertext)).toEqual(plaintext);
    const other = kem.generateKeyPair();
    expect(hpke.open(other.privateKey, encapsulated, binding, ciphertext)).toBeUndefined();
    for (const wrong of [{ info: new Uint8Array(0) }, { aad: new Uint8Array(0) }]) {
      expect(
        hpke.open(privateKey, encapsulated, { ...binding, ...wrong }, ciphertext),
      ).toBeUndefined();
    }
  });

  test("both sides export the same secret, another for each context", () => {
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
    const sent = hpke.sendExport(publicKey, binding.info, one, 40);
    const received = (context: Uint8Array): Uint8Array =>
      hpke.receiveExport(privateKey, { ...sent, info: binding.info }, context, 40);
    expect(received(one)).toEqual(sent.secret);
    expect(received(two)).not.toEqual(sent.secret);
  });
});

describe("the provider", () => {
  test("gives the suites of Sotto and no other", async () => {
    const given: string[] = [];
    for (const name of Object.keys(ciphersuites) as CiphersuiteName[]) {
      try {
        given.push(
          (await sodiumCryptoProvider.getCiphersuiteImpl(getCiphersuiteFromName(name))).name,
        );
      } catch (error) {
        expect(error).toMatchObject({ code: "argument-invalid" });
      }
    }
    expect(given.sort()).toEqual([...supportedSuites].sort());
  });
});
