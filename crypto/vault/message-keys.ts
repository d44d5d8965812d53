import { encodeCbor, type BodyItem } from "#protocol";
import { hkdfExpand, wipe, type SecretBytes } from "../primitives/index.ts";
import { deriveKey } from "./box.ts";

/**
 * Where the keys of stored bodies come from. The place of the puncturable tree of `vault.md`, which will also be asked to
 * destroy one; until then a key can always be derived again from the root key.
 */
export interface MessageKeys {
  /**
   * Lends the key of a body to `use`.
   *
   * @returns undefined when the key has been destroyed
   */
  withKey<Result>(item: BodyItem, use: (key: Uint8Array) => Result): Result | undefined;
  /** Forgets everything; the vault is locked. */
  wipe(): void;
}

const hourMs = 3_600_000;
const keyBytes = 32;

/**
 * Derived keys: a seed per hour of expiry, a key per message under it, as the tree's buckets and leaves will be.
 *
 * @param bodyKey - taken over
 */
export function createDerivedMessageKeys(bodyKey: SecretBytes): MessageKeys {
  const seeds = new Map<number, SecretBytes>();

  function seedOf(bucket: number): SecretBytes {
    const known = seeds.get(bucket);
    if (known !== undefined) return known;
    const seed = bodyKey.use((parent) => deriveKey(parent, ["bucket", bucket]));
    seeds.set(bucket, seed);
    return seed;
  }

  return {
    withKey({ messageId, expiresAtMs }, use) {
      const info = encodeCbor(["Sotto 1.0", "body", messageId]);
      const seed = seedOf(Math.floor(expiresAtMs / hourMs));
      const key = seed.use((parent) => hkdfExpand("SHA-256", parent, info, keyBytes));
      try {
        return use(key);
      } finally {
        wipe(key);
      }
    },
    wipe() {
      bodyKey.wipe();
      for (const seed of seeds.values()) seed.wipe();
      seeds.clear();
    },
  };
}
