import fc from "fast-check";
import { expect, test } from "vitest";
import {
  prepareXaesKey,
  sealPrepared,
  SecretBytes,
  systemRandom,
  xaes256Gcm,
} from "../../../../crypto/primitives/index.ts";
import { createBox } from "../../../../crypto/vault/box.ts";

const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test("a key prepared for a nonce seals what the whole cipher seals", () => {
  fc.assert(
    fc.property(
      exactly(32),
      exactly(24),
      fc.uint8Array(),
      fc.uint8Array(),
      (key, nonce, aad, plaintext) => {
        const prepared = prepareXaesKey(key, nonce);
        const sealed = sealPrepared(prepared, nonce, { aad, plaintext });
        expect(sealed).toEqual(xaes256Gcm.seal(key, nonce, aad, plaintext));
      },
    ),
  );
});

test("a box draws a nonce for each thing that it seals, prepared for or not", () => {
  const nonces: Uint8Array[] = [];
  const box = createBox(new SecretBytes(systemRandom(32)), (sizeBytes) => {
    const nonce = systemRandom(sizeBytes);
    nonces.push(nonce);
    return nonce;
  });
  const plain = Uint8Array.of(1, 2, 3);
  const sealed = [false, true, true, false].map((isPrepared, index) => {
    if (isPrepared) {
      box.prepare();
      box.prepare();
    }
    return box.seal(["frame", index], plain);
  });
  expect(sealed.map((bytes) => bytes.slice(0, 24))).toEqual(nonces);
  expect(new Set(nonces.map(String)).size).toBe(4);
  expect(sealed.map((bytes, index) => box.open(["frame", index], bytes))).toEqual(
    sealed.map(() => plain),
  );
  expect(box.open(["frame", 2], sealed[1]!)).toBeUndefined();
});

test("a box that was wiped seals nothing, with what was prepared either", () => {
  const box = createBox(new SecretBytes(systemRandom(32)), systemRandom);
  box.prepare();
  box.wipe();
  expect(() => box.seal(["frame"], new Uint8Array())).toThrow();
  expect(() => {
    box.prepare();
  }).toThrow();
});
