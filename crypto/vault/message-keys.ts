import { encodeCbor, type BodyItem } from "#protocol";
import { hkdfExpand, wipe } from "../primitives/index.ts";
import { childSeeds, placeOf, treeDepth, turnsRight, type KeyTree } from "./key-tree.ts";

/** Where the keys of stored bodies come from. Secret: {@link MessageKeys.wipe} when the vault is locked. */
export interface MessageKeys {
  /**
   * Lends the key of a body to `use`.
   *
   * @returns undefined when the key has been destroyed
   */
  withKey<Result>(item: BodyItem, use: (key: Uint8Array) => Result): Result | undefined;
  /** Goes on with a tree from which something was destroyed. Both trees are the caller's to wipe. */
  replaceTree(tree: KeyTree): void;
  /** Wipes what was derived. */
  wipe(): void;
}

const hourMs = 3_600_000;
const keyBytes = 32;
/** Pairs of seeds that are remembered: some 2 MB. A body beside the one before costs two derivations instead of up to 48. */
const maxRemembered = 8192;

/** Message keys from the key tree. */
export function createMessageKeys(tree: KeyTree): MessageKeys {
  let current = tree;
  /** The children's seeds of places above the leaves, by a number that no two places share. */
  const remembered = new Map<number, readonly [Uint8Array, Uint8Array]>();

  function forget(): void {
    for (const seeds of remembered.values()) wipe(...seeds);
    remembered.clear();
  }

  function childrenOf(node: number, seed: Uint8Array): readonly [Uint8Array, Uint8Array] {
    const known = remembered.get(node);
    if (known !== undefined) return known;
    const children = childSeeds(seed);
    remembered.set(node, children);
    return children;
  }

  /** Lends the seed of a leaf. */
  function withSeed<Result>(
    leaf: { readonly hour: number; readonly leaf: number },
    use: (seed: Uint8Array) => Result,
  ): Result | undefined {
    const place = placeOf(leaf);
    const covering = current.covering(leaf);
    if (place === undefined || covering === undefined) return undefined;
    if (remembered.size > maxRemembered - treeDepth) forget();
    let { seed } = covering;
    for (let { depth } = covering; depth < treeDepth; depth++) {
      // 1 for the root, and below it twice its parent's number, plus 1 on the right.
      const node = 2 ** depth + Math.floor(place / 2 ** (treeDepth - depth));
      seed = childrenOf(node, seed)[turnsRight(place, depth) ? 1 : 0];
    }
    return use(seed);
  }

  return {
    withKey({ messageId, expiresAtMs, leaf }, use) {
      const info = encodeCbor(["Sotto 1.0", "body", messageId]);
      return withSeed({ hour: Math.floor(expiresAtMs / hourMs), leaf }, (seed) => {
        const key = hkdfExpand("SHA-256", seed, info, keyBytes);
        try {
          return use(key);
        } finally {
          wipe(key);
        }
      });
    },
    replaceTree(next) {
      forget();
      current = next;
    },
    wipe: forget,
  };
}
