import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

/*
 * WCAG 2.2: text 4.5:1 (1.4.3), borders of controls, icons and focus 3:1 (1.4.11).
 * Source: the definitions of contrast ratio and relative luminance there.
 */
const css = readFileSync(
  join(import.meta.dirname, "../../../../renderer/theme/tokens.css"),
  "utf8",
);

type Colour = readonly [red: number, green: number, blue: number, alpha: number];

function tokensOf(theme: string): ReadonlyMap<string, string> {
  const block = new RegExp(`data-theme="${theme}"\\]\\s*\\{([^}]*)\\}`, "u").exec(css)?.[1] ?? "";
  return new Map(
    Array.from(block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6,8})\s*;/giu), (match) => [
      match[1]!,
      match[2]!,
    ]),
  );
}

function parse(hex: string): Colour {
  const at = (from: number): number => Number.parseInt(hex.slice(from, from + 2), 16);
  return [at(1), at(3), at(5), hex.length === 9 ? at(7) / 255 : 1];
}

/** `over` laid on an opaque `under`. */
function lay(over: Colour, under: Colour): Colour {
  const mix = (index: 0 | 1 | 2): number => over[index] * over[3] + under[index] * (1 - over[3]);
  return [mix(0), mix(1), mix(2), 1];
}

function luminance([red, green, blue]: Colour): number {
  const linear = (value: number): number => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function contrast(one: Colour, two: Colour): number {
  const [light, dark] = [luminance(one), luminance(two)].toSorted((a, b) => b - a) as [
    number,
    number,
  ];
  return (light + 0.05) / (dark + 0.05);
}

const surfaces = ["bg", "surface", "surface-raised"];
const overlays = ["surface-hover", "surface-active"];

/** Text and what it stands on. */
const texts: readonly (readonly [text: string, on: readonly string[]])[] = [
  ["ink", [...surfaces, "surface-sunken", "bubble-own", "bubble-other", "ember-soft"]],
  ["ink-soft", [...surfaces, "surface-sunken", "bubble-own", "bubble-other", "ember-soft"]],
  ["ink-soft", ["bubble-own-quote", "bubble-other-quote"]],
  ["ink-faint", [...surfaces, "surface-sunken", "bubble-own", "bubble-other"]],
  ["accent-ink", [...surfaces, "accent-soft", "accent-softer", "bubble-own-quote"]],
  ["accent-ink", ["bubble-other-quote", "bubble-own", "bubble-other"]],
  ["on-accent", ["accent", "accent-hover"]],
  ["ember", [...surfaces, "ember-soft", "bubble-own", "bubble-other"]],
  ["danger", [...surfaces, "danger-soft"]],
  ["on-danger", ["danger", "danger-hover"]],
  ["good", surfaces],
  ["surface", ["ink"]],
];

/** Borders, icons and rings, and what they stand on. */
const shapes: readonly (readonly [shape: string, on: readonly string[]])[] = [
  ["line-strong", [...surfaces, "surface-sunken"]],
  ["accent", [...surfaces, "bubble-own", "bubble-other"]],
  ["focus", [...surfaces, "bubble-own", "bubble-other", "surface-sunken"]],
];

describe.each(["light", "dark", "high-contrast"])("in the %s theme", (theme) => {
  const tokens = tokensOf(theme);
  const colour = (name: string): Colour => {
    const hex = tokens.get(name);
    if (hex === undefined) throw new Error(`${theme} has no colour ${name}`);
    return parse(hex);
  };

  test("every text can be read", () => {
    for (const [text, grounds] of texts) {
      for (const ground of grounds) {
        const ratio = contrast(colour(text), colour(ground));
        expect(ratio, `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  });

  test("every text of a row can be read while the row is pointed at or selected", () => {
    for (const overlay of overlays) {
      for (const surface of surfaces) {
        const ground = lay(colour(overlay), colour(surface));
        for (const text of ["ink", "ink-soft", "ink-faint", "accent-ink"]) {
          const ratio = contrast(colour(text), ground);
          expect(ratio, `${text} on ${overlay} on ${surface}`).toBeGreaterThanOrEqual(4.5);
        }
      }
    }
  });

  test("borders, icons and focus stand out", () => {
    for (const [shape, grounds] of shapes) {
      for (const ground of grounds) {
        const ratio = contrast(colour(shape), colour(ground));
        expect(ratio, `${shape} on ${ground}`).toBeGreaterThanOrEqual(3);
      }
    }
  });

  test("initials and senders can be read in all ten colours", () => {
    for (let hue = 0; hue < 10; hue += 1) {
      const ink = colour(`hue-${String(hue)}-ink`);
      for (const ground of [`hue-${String(hue)}-bg`, "bubble-other", "ember-soft"]) {
        expect(
          contrast(ink, colour(ground)),
          `hue ${String(hue)} on ${ground}`,
        ).toBeGreaterThanOrEqual(4.5);
      }
    }
  });

  test("defines every colour that the light theme defines", () => {
    expect([...tokens.keys()].sort()).toEqual([...tokensOf("light").keys()].sort());
  });
});
