import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equalBytes, toHex } from "#protocol";
import {
  aes128Gcm,
  aes256Gcm,
  digest,
  equalConstantTime,
  hkdf,
  hkdfExpand,
  hmac,
  loadPrimitives,
  SecretBytes,
  verifyHmac,
  wipe,
  xaes256Gcm,
  xwingSizes,
} from "../../../../crypto/primitives/index.ts";
import { fromHex } from "../../../support/vectors.ts";

const primitives = await loadPrimitives();
const { ed25519, x25519, xwing, chacha20Poly1305 } = primitives;
const invalid = expect.objectContaining({ code: "argument-invalid" }) as Error;

describe("SecretBytes", () => {
  test("never show in text, JSON, inspection or a copy for another thread", () => {
    const secret = new SecretBytes(Uint8Array.of(222, 173, 190, 239));
    const shown = [
      String(secret),
      JSON.stringify({ secret }),
      inspect({ nested: { secret } }, { depth: 9, showHidden: true }),
      JSON.stringify(structuredClone(secret)),
    ].join();
    expect(shown).not.toMatch(/222|173|deadbeef/iu);
    expect(shown).toContain("[secret]");
  });

  test("are zero and out of reach once wiped", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const secret = new SecretBytes(bytes);
    expect(secret.use((lent) => lent.length)).toBe(3);
    secret.wipe();
    secret.wipe();
    expect([...bytes]).toEqual([0, 0, 0]);
    expect(() => secret.use((lent) => lent)).toThrow(
      expect.objectContaining({ code: "not-ready" }) as Error,
    );
  });
});

describe("bytes", () => {
  test("are compared as equal only when they are", () => {
    expect(equalConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equalConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equalConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  });

  test("that are drawn at random have an array of their own and differ", () => {
    const [one, two] = [primitives.random(32), primitives.random(32)];
    expect(one.buffer.byteLength).toBe(32);
    expect(equalBytes(one, two)).toBe(false);
  });

  test("are wiped where they are", () => {
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
    wipe(one, undefined, two);
    expect([...one, ...two]).toEqual([0, 0]);
  });
});

describe.each([
  ["AES-128-GCM", aes128Gcm],
  ["AES-256-GCM", aes256Gcm],
  ["XAES-256-GCM", xaes256Gcm],
  ["ChaCha20-Poly1305", chacha20Poly1305],
])("%s", (_name, aead) => {
  test("opens what it sealed, and nothing that differs in a byte", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(),
        (plain, aad, where) => {
          const [key, nonce] = [
            primitives.random(aead.keyBytes),
            primitives.random(aead.nonceBytes),
          ];
          const sealed = aead.seal(key, nonce, aad, plain);
          expect(sealed).toHaveLength(plain.length + aead.tagBytes);
          expect(sealed.buffer.byteLength).toBe(sealed.length);
          expect(aead.open(key, nonce, aad, sealed)).toEqual(plain);
          const flip = (bytes: Uint8Array): Uint8Array =>
            bytes.map((byte, at) => (at === where % bytes.length ? byte ^ 0x40 : byte));
          expect(aead.open(key, nonce, aad, flip(sealed))).toBeUndefined();
          expect(aead.open(key, flip(nonce), aad, sealed)).toBeUndefined();
          expect(aead.open(flip(key), nonce, aad, sealed)).toBeUndefined();
          expect(aead.open(key, nonce, Uint8Array.of(...aad, 0), sealed)).toBeUndefined();
          expect(aead.open(key, nonce, aad, sealed.slice(0, -1))).toBeUndefined();
        },
      ),
      { numRuns: 50 },
    );
  });

  test("opens nothing shorter than a tag, and refuses keys and nonces of other sizes", () => {
    const [key, nonce] = [primitives.random(aead.keyBytes), primitives.random(aead.nonceBytes)];
    const none = new Uint8Array(0);
    expect(aead.open(key, nonce, none, new Uint8Array(aead.tagBytes - 1))).toBeUndefined();
    expect(() => aead.seal(key.slice(1), nonce, none, none)).toThrow(invalid);
    expect(() => aead.seal(key, nonce.slice(1), none, none)).toThrow(invalid);
    expect(() => aead.open(key, new Uint8Array(0), none, new Uint8Array(20))).toThrow(invalid);
  });
});

test("XAES-256-GCM gives the first published answer too, whose subkey needs no reduction", () => {
  const sealed = xaes256Gcm.seal(
    fromHex("01".repeat(32)),
    new TextEncoder().encode("ABCDEFGHIJKLMNOPQRSTUVWX"),
    new Uint8Array(0),
    new TextEncoder().encode("XAES-256-GCM"),
  );
  expect(toHex(sealed)).toBe("ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
});

describe("hashing", () => {
  test("HMAC agrees with Node's own, for keys shorter and longer than a block", async () => {
    const { createHmac } = await import("node:crypto");
    for (const [name, nodeName] of [
      ["SHA-256", "sha256"],
      ["SHA-384", "sha384"],
      ["SHA-512", "sha512"],
    ] as const) {
      for (const size of [0, 1, 63, 64, 65, 127, 128, 129, 300]) {
        const [key, data] = [primitives.random(size), primitives.random(size * 3)];
        const expected = createHmac(nodeName, key).update(data).digest();
        expect(equalBytes(hmac(name, key, data), expected)).toBe(true);
        expect(verifyHmac(name, key, data, expected)).toBe(true);
        expect(verifyHmac(name, key, data, expected.subarray(1))).toBe(false);
      }
    }
  });

  test("HKDF stretches to 255 blocks and no further", () => {
    const key = primitives.random(32);
    const info = new Uint8Array(3);
    expect(hkdfExpand("SHA-256", key, info, 255 * 32)).toHaveLength(255 * 32);
    expect(() => hkdfExpand("SHA-256", key, info, 255 * 32 + 1)).toThrow(invalid);
  });

  test("HKDF takes no salt for a salt of zeroes", () => {
    const [key, info] = [primitives.random(32), new Uint8Array(0)];
    const without = hkdf("SHA-384", key, { info, sizeBytes: 20 });
    const zeroes = hkdf("SHA-384", key, { salt: new Uint8Array(48), info, sizeBytes: 20 });
    expect(without).toEqual(zeroes);
  });

  test("a digest has an array of its own", () => {
    expect(digest("SHA-256", new Uint8Array(1)).buffer.byteLength).toBe(32);
  });
});

describe("Ed25519", () => {
  const { publicKey, privateKey } = ed25519.generateKeyPair();
  const message = primitives.random(100);
  const signature = ed25519.sign(privateKey, message);

  test("verifies its own signatures, and says no to everything else without throwing", () => {
    expect(ed25519.verify(publicKey, message, signature)).toBe(true);
    expect(ed25519.verify(publicKey, message.slice(1), signature)).toBe(false);
    expect(ed25519.verify(publicKey, message, signature.slice(1))).toBe(false);
    expect(ed25519.verify(publicKey.slice(1), message, signature)).toBe(false);
    expect(ed25519.verify(new Uint8Array(32).fill(0xff), message, signature)).toBe(false);
  });

  test("refuses private keys of another size", () => {
    expect(() => ed25519.sign(new Uint8Array(31), message)).toThrow(invalid);
  });
});

describe("X25519", () => {
  test("two sides agree, and points of small order are refused", () => {
    const [a, b] = [primitives.random(32), primitives.random(32)];
    expect(x25519.agree(a, x25519.publicKeyOf(b))).toEqual(x25519.agree(b, x25519.publicKeyOf(a)));
    expect(() => x25519.agree(a, new Uint8Array(32))).toThrow(invalid);
    expect(() => x25519.agree(a, Uint8Array.of(1, ...new Uint8Array(31)))).toThrow(invalid);
    expect(() => x25519.agree(a, new Uint8Array(33))).toThrow(invalid);
  });
});

describe("X-Wing", () => {
  const privateKey = primitives.random(xwingSizes.privateKeyBytes);
  const publicKey = xwing.publicKeyOf(privateKey);

  test("both sides get the same secret, another each time", () => {
    const [one, two] = [xwing.encapsulate(publicKey), xwing.encapsulate(publicKey)];
    expect(one.encapsulated).toHaveLength(xwingSizes.encapsulationBytes);
    expect(xwing.decapsulate(privateKey, one.encapsulated)).toEqual(one.sharedSecret);
    expect(equalBytes(one.sharedSecret, two.sharedSecret)).toBe(false);
  });

  test("an altered encapsulation gives another secret, not an error that tells", () => {
    const { encapsulated, sharedSecret } = xwing.encapsulate(publicKey);
    const altered = encapsulated.map((byte, at) => (at === 5 ? byte ^ 1 : byte));
    expect(equalBytes(xwing.decapsulate(privateKey, altered), sharedSecret)).toBe(false);
  });

  test("keys and encapsulations of other sizes, and keys out of range, are refused", () => {
    expect(() => xwing.encapsulate(publicKey.slice(1))).toThrow(invalid);
    expect(() => xwing.encapsulate(new Uint8Array(publicKey.length).fill(0xff))).toThrow(invalid);
    expect(() => xwing.decapsulate(privateKey, new Uint8Array(3))).toThrow(invalid);
    expect(() => xwing.publicKeyOf(new Uint8Array(31))).toThrow(invalid);
  });
});

test("Argon2id refuses costs that the machine doesn't have", () => {
  const cost = { passes: 1, memoryBytes: 2 ** 50 };
  expect(() => primitives.argon2id(new Uint8Array(1), new Uint8Array(16), cost, 32)).toThrow(
    invalid,
  );
});
