import { describe, expect, test } from "vitest";
import { argon2id as nobleArgon2id } from "@noble/hashes/argon2.js";
import { knownAnswers } from "../../../../crypto/primitives/known-answers.ts";
import { rareAnswers } from "../../../../crypto/primitives/known-answers-rare.ts";
import {
  checkKnownAnswers,
  checkRarePrimitives,
  loadPrimitivesUnderTest,
  runSelfTest,
} from "../../../../crypto/primitives/self-test.ts";

const primitives = await loadPrimitivesUnderTest();

describe("the self-test", () => {
  test("passes on this machine", async () => {
    expect(await runSelfTest()).toMatchObject({ tests: knownAnswers.length });
  });

  test("has an answer for every primitive", () => {
    expect(knownAnswers.map(({ name }) => name)).toEqual([
      "SHA-256",
      "SHA-384",
      "SHA-512",
      "HMAC-SHA-256",
      "HMAC-SHA-384",
      "HMAC-SHA-512",
      "HKDF-SHA-256",
      "AES-128-GCM",
      "AES-256-GCM",
      "XAES-256-GCM",
      "ChaCha20-Poly1305",
      "Ed25519 sign",
      "Ed25519 verify",
      "X25519",
      "X-Wing",
      "SHAKE256",
      "Argon2id",
      "ECDSA P256",
      "ECDSA P384",
      "ECDSA P521",
      "ECDH P-256",
      "ECDH P-384",
      "ECDH P-521",
    ]);
  });

  test("checks what only some suites use when asked to", async () => {
    await checkRarePrimitives(["X448", "Ed448", "ML-KEM-1024", "ML-DSA-87"]);
    const broken = { ...primitives, x448: { ...primitives.x448, agree: () => new Uint8Array(56) } };
    expect(() => {
      checkKnownAnswers(broken, Object.values(rareAnswers));
    }).toThrow(
      expect.objectContaining({ code: "crypto-self-test-failed", data: { primitive: "X448" } }),
    );
  });

  test("names the primitive that answers wrongly", () => {
    const broken = {
      ...primitives,
      x25519: { ...primitives.x25519, agree: () => new Uint8Array(32) },
    };
    expect(() => {
      checkKnownAnswers(broken);
    }).toThrow(
      expect.objectContaining({ code: "crypto-self-test-failed", data: { primitive: "X25519" } }),
    );
  });

  test("names the primitive that throws", () => {
    const broken = {
      ...primitives,
      shake256: () => {
        throw new Error("not in this build");
      },
    };
    expect(() => {
      checkKnownAnswers(broken);
    }).toThrow(
      expect.objectContaining({ code: "crypto-self-test-failed", data: { primitive: "SHAKE256" } }),
    );
  });

  test("notices an AEAD that opens what was damaged", () => {
    const credulous = {
      ...primitives,
      chacha20Poly1305: {
        ...primitives.chacha20Poly1305,
        open: (_key: Uint8Array, _nonce: Uint8Array, _aad: Uint8Array, sealed: Uint8Array) =>
          sealed.slice(0, -16),
      },
    };
    expect(() => {
      checkKnownAnswers(credulous);
    }).toThrow(expect.objectContaining({ code: "crypto-self-test-failed" }));
  });

  test("knows an Argon2id answer that another implementation gives too", () => {
    const answer = nobleArgon2id("password", new Uint8Array(16), { t: 1, m: 8, p: 1, dkLen: 32 });
    expect(Buffer.from(answer).toString("hex")).toBe(
      knownAnswers.find(({ name }) => name === "Argon2id")?.expected,
    );
  });
});
