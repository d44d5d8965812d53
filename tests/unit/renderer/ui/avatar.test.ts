import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { avatarHue, initials } from "../../../../renderer/ui/avatar.ts";

describe("initials", () => {
  test.each([
    ["Nora Lindqvist", "NL"],
    ["Li", "L"],
    ["Maximiliane-Friederike von Hohenstein", "MH"],
    ["émile girard", "ÉG"],
    ["نور الهاشمي", "نا"],
    ["Trade fair 2025", "T2"],
    ["Anna (Berlin)", "A"],
    ["🎉", "🎉"],
    ["  ", ""],
    ["“Quoted” name", "QN"],
  ])("of %s are %s", (name, expected) => {
    expect(initials(name)).toBe(expected);
  });
});

test("a colour is one of ten, and always the same for the same id", () => {
  fc.assert(
    fc.property(fc.string(), (seed) => {
      const hue = avatarHue(seed);
      expect(hue).toBe(avatarHue(seed));
      expect(Number.isInteger(hue) && hue >= 0 && hue < 10).toBe(true);
    }),
  );
});

test("colours are spread over ids", () => {
  const hues = new Set(
    Array.from({ length: 200 }, (_none, index) => avatarHue(`user-${String(index)}`)),
  );
  expect(hues.size).toBe(10);
});
