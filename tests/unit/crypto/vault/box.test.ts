import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeCbor, concatBytes } from "#protocol";
import {
  aes256Gcm,
  deriveXaesKey,
  SecretBytes,
  systemRandom,
  xaes256Gcm,
} from "../../../../crypto/primitives/index.ts";
import { createBox } from "../../../../crypto/vault/box.ts";

const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test("the key that a nonce's beginning derives seals, under its end, what the whole cipher seals", () => {
  fc.assert(
    fc.property(
      exactly(32),
      exactly(24),
      fc.uint8Array(),
      fc.uint8Array(),
      (key, nonce, aad, plaintext) => {
        const derived = deriveXaesKey(key, nonce.subarray(0, 12));
        const sealed = aes256Gcm.seal(derived, nonce.subarray(12), aad, plaintext);
        expect(sealed).toEqual(xaes256Gcm.seal(key, nonce, aad, plaintext));
      },
    ),
  );
});

test("a box draws a nonce for each thing that it seals", () => {
  const box = createBox(new SecretBytes(systemRandom(32)), systemRandom);
  const plain = Uint8Array.of(1, 2, 3);
  const sealed = [0, 1, 2, 3].map((index) => box.seal(["frame", index], plain));
  expect(new Set(sealed.map((bytes) => String(bytes.slice(0, 24)))).size).toBe(4);
  expect(sealed.map((bytes, index) => box.open(["frame", index], bytes))).toEqual(
    sealed.map(() => plain),
  );
  expect(box.open(["frame", 2], sealed[1]!)).toBeUndefined();
});

test("a key that a box gives away seals what the box opens, at its place alone; no two are the same", () => {
  const box = createBox(new SecretBytes(systemRandom(32)), systemRandom);
  const given = Array.from({ length: 100 }, () => box.giveKey());
  for (const [index, { key, nonceStart }] of given.entries()) {
    const nonceEnd = systemRandom(12);
    const plain = Uint8Array.of(index);
    const content = aes256Gcm.seal(key, nonceEnd, encodeCbor(["frame", index]), plain);
    const sealed = concatBytes(nonceStart, nonceEnd, content);
    expect(box.open(["frame", index], sealed)).toEqual(plain);
    expect(box.open(["frame", index + 1], sealed)).toBeUndefined();
  }
  expect(new Set(given.map(({ nonceStart }) => String(nonceStart))).size).toBe(100);
  expect(new Set(given.map(({ key }) => String(key))).size).toBe(100);
});

test("a box that was wiped seals nothing, and gives no key", () => {
  const box = createBox(new SecretBytes(systemRandom(32)), systemRandom);
  box.wipe();
  expect(() => box.seal(["frame"], new Uint8Array())).toThrow();
  expect(() => box.giveKey()).toThrow();
});
