import { describe, expect, test } from "vitest";
import { idFromBytes, toHex, type BodyItem, type MessageId } from "#protocol";
import { KeyTree } from "../../../../crypto/vault/key-tree.ts";
import { createMessageKeys } from "../../../../crypto/vault/message-keys.ts";
import { seededRandom } from "../../../support/seeded.ts";

const hourMs = 3_600_000;
const messageId = idFromBytes<MessageId>(new Uint8Array(32).fill(1));
const tree = KeyTree.create((size) => Uint8Array.from({ length: size }, (_, at) => at));

function item(hour: number, leaf: number): BodyItem {
  return { messageId, expiresAtMs: hour * hourMs + 1234, leaf };
}

describe("message keys", () => {
  test("are the known ones", () => {
    // Worked out with Python's hmac.
    expect(createMessageKeys(tree).withKey(item(496_000, 5), toHex)).toBe(
      "bf110030dd39d41babd21df5d54c8a4b51cda236c8fbcc07201ea71eb137168b",
    );
  });

  test("don't depend on what was asked for before, however much that was", () => {
    const random = seededRandom(5);
    const keys = createMessageKeys(tree);
    const first = new Map<BodyItem, string | undefined>();
    for (let at = 0; at < 60; at++) {
      const asked = item(496_000 + random.below(4), random.below(2 ** 24));
      first.set(asked, createMessageKeys(tree).withKey(asked, toHex));
    }
    expect(new Set(first.values()).size).toBe(60);
    // More than it remembers.
    for (let leaf = 0; leaf < 9000; leaf++) keys.withKey(item(500_000, 2 * leaf), () => null);
    for (const round of [1, 2]) {
      for (const [asked, key] of first) {
        expect(keys.withKey(asked, toHex), String(round)).toBe(key);
      }
    }
  });

  test("are gone with their leaf at once, and those beside it stay", () => {
    const keys = createMessageKeys(tree);
    const beside = keys.withKey(item(7, 1), toHex);
    expect(keys.withKey(item(7, 0), toHex)).toBeDefined();
    const leaves = [{ hour: 7, leaf: 0 }];
    keys.replaceTree(tree.puncture({ leaves, hoursBefore: null }).tree);
    expect(keys.withKey(item(7, 0), toHex)).toBeUndefined();
    expect(keys.withKey(item(7, 1), toHex)).toBe(beside);
  });

  test("are lent, and zero when they come back", () => {
    let lent = new Uint8Array(0);
    createMessageKeys(tree).withKey(item(7, 0), (key) => {
      lent = key as Uint8Array<ArrayBuffer>;
      return null;
    });
    expect(lent).toEqual(new Uint8Array(32));
  });

  test("don't exist for what is no leaf", () => {
    const keys = createMessageKeys(tree);
    for (const { hour, leaf } of [
      { hour: -1, leaf: 0 },
      { hour: 2 ** 24, leaf: 0 },
      { hour: 0, leaf: 2 ** 24 },
      { hour: 0, leaf: 1.5 },
    ]) {
      expect(keys.withKey(item(hour, leaf), toHex)).toBeUndefined();
    }
  });
});
