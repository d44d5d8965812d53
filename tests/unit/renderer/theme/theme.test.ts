import { describe, expect, test } from "vitest";
import { effectiveTheme, remembered } from "../../../../renderer/theme/theme.ts";

const calm = { dark: false, moreContrast: false };

describe("the theme", () => {
  test.each([
    ["light", { dark: true, moreContrast: true }, "light"],
    ["high-contrast", calm, "high-contrast"],
    ["system", calm, "light"],
    ["system", { dark: true, moreContrast: false }, "dark"],
    ["system", { dark: true, moreContrast: true }, "high-contrast"],
    ["system", { dark: false, moreContrast: true }, "high-contrast"],
  ] as const)("chosen as %s in %o is %s", (chosen, system, shown) => {
    expect(effectiveTheme(chosen, system)).toBe(shown);
  });
});

describe("what was remembered", () => {
  test("is read back", () => {
    const text = JSON.stringify({ theme: "dark", textScale: 1.5 });
    expect(remembered({ getItem: () => text })).toEqual({ theme: "dark", textScale: 1.5 });
  });

  test.each([null, "", "{", "7", '{"theme":"neon","textScale":9}', '{"textScale":"2"}'])(
    "is the usual when it is %j",
    (text) => {
      expect(remembered({ getItem: () => text })).toEqual({ theme: "system", textScale: 1 });
    },
  );
});
