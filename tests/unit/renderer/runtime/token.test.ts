import { expect, test } from "vitest";
import { takeToken, type TokenPlace } from "../../../../renderer/runtime/token.ts";

function place(hash: string, stored: string | null = null) {
  const shown: unknown[] = [];
  const values = new Map(stored === null ? [] : [["sotto.preview-token", stored]]);
  const where: TokenPlace = {
    location: { hash, pathname: "/", search: "?a=b" },
    history: { replaceState: (...state: readonly unknown[]) => shown.push(state[2]) },
    sessionStorage: {
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => values.set(key, value),
    },
  };
  return { where, shown, values };
}

test("is taken from the address, out of its bar, and kept for a reload", () => {
  const { where, shown, values } = place("#token=abc_DEF-123");
  expect(takeToken(where)).toBe("abc_DEF-123");
  expect(shown).toEqual(["/?a=b"]);
  expect([...values.values()]).toEqual(["abc_DEF-123"]);
});

test("is found again after a reload", () => {
  const { where, shown } = place("", "kept-token");
  expect(takeToken(where)).toBe("kept-token");
  expect(shown).toEqual([]);
});

test.each(["#token=", "#token=short", "#token=with space", "#other=abcdefghij"])(
  "is not read from %s",
  (hash) => {
    expect(takeToken(place(hash).where)).toBeNull();
  },
);
