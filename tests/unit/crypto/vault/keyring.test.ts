import { describe, expect, test, vi } from "vitest";
import { encodeCbor, equalBytes, idFromBytes, type KeyringRecord, type VaultId } from "#protocol";
import { digest, systemRandom } from "../../../../crypto/primitives/index.ts";
import { createBox, deriveKey } from "../../../../crypto/vault/box.ts";
import { createKeys, openKeyring, sealKeyring } from "../../../../crypto/vault/keyring.ts";
import { createVaultKey, revisionOf } from "../../../../crypto/vault/vault-key.ts";

const place = {
  vaultId: idFromBytes<VaultId>(new Uint8Array(16).fill(3)),
  revision: 5,
  slots: [],
};
const vaultKey = createVaultKey(5, systemRandom);

/** A record whose sealed part is whatever is wanted, sealed as it should be. */
function sealed(content: unknown): KeyringRecord {
  const box = createBox(deriveKey(vaultKey, ["keyring", place.vaultId]), systemRandom);
  const slots = digest("SHA-256", encodeCbor(place.slots));
  const bound = ["keyring", place.vaultId, place.revision, slots] as const;
  return { ...place, sealedKeyring: box.seal(bound, encodeCbor(content)) };
}

const good = {
  format: 2,
  rootKey: new Uint8Array(32),
  generations: [[1, new Uint8Array(32)]],
  tree: new Uint8Array(1),
};

describe("the sealed part of a keyring", () => {
  test("comes back as it was", () => {
    const keys = createKeys(systemRandom);
    const sealedKeyring = sealKeyring(place, vaultKey, keys, systemRandom);
    const opened = openKeyring({ ...place, sealedKeyring }, vaultKey, systemRandom);
    expect([...opened.generations.keys()]).toEqual([1, 2]);
    expect(opened.tree.encode()).toEqual(keys.tree.encode());
    for (const generation of [1, 2]) {
      const key = keys.generations.get(generation)?.use((bytes) => bytes.slice());
      expect(opened.generations.get(generation)?.use((bytes) => bytes.slice())).toEqual(key);
    }
    expect(opened.rootKey.use((bytes) => bytes.slice())).toEqual(
      keys.rootKey.use((bytes) => bytes.slice()),
    );
  });

  test.each<[string, unknown, string]>([
    ["a later format", { format: 3, anything: true }, "vault-newer-format"],
    ["no format", { rootKey: new Uint8Array(32) }, "vault-damaged"],
    ["an earlier format", { ...good, format: 1 }, "vault-damaged"],
    ["a short root key", { ...good, rootKey: new Uint8Array(31) }, "vault-damaged"],
    ["a generation without a key", { ...good, generations: [[1]] }, "vault-damaged"],
    ["a tree that isn't one", { ...good, tree: Uint8Array.of(255) }, "vault-damaged"],
    ["something more", { ...good, more: 1 }, "vault-damaged"],
  ])("is refused with %s", (_, content, code) => {
    expect(() => openKeyring(sealed(content), vaultKey, systemRandom)).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });

  test.each<[string, typeof good]>([
    ["a tree that isn't one", { ...good, tree: Uint8Array.of(255) }],
    ["an earlier format", { ...good, format: 1 }],
    ["a later format", { ...good, format: 3 }],
  ])("leaves no key in memory when it is refused with %s", (_, content) => {
    const secret = new Uint8Array(32).fill(5);
    const record = sealed({ ...content, rootKey: secret, generations: [[1, secret]] });
    let wiped = 0;
    const spy = vi.spyOn(Uint8Array.prototype, "fill").mockImplementation(function (
      this: Uint8Array,
      value,
    ) {
      if (equalBytes(this, secret)) wiped += 1;
      for (let at = 0; at < this.length; at++) this[at] = value;
      return this;
    });
    expect(() => openKeyring(record, vaultKey, systemRandom)).toThrow();
    spy.mockRestore();
    expect(wiped).toBe(2);
  });

  test("is taken when it has all that it should", () => {
    expect(openKeyring(sealed(good), vaultKey, systemRandom).tree.nodes).toBe(0);
  });
});

describe("a vault key", () => {
  test("says which revision it is for", () => {
    for (const revision of [0, 1, 255, 256, 2 ** 32 + 7, 2 ** 48 - 1]) {
      const key = createVaultKey(revision, systemRandom);
      expect(key).toHaveLength(32);
      expect(revisionOf(key)).toBe(revision);
    }
    expect(() => createVaultKey(2 ** 48, systemRandom)).toThrow(/internal/u);
    expect(revisionOf(new Uint8Array(31))).toBeUndefined();
  });
});
