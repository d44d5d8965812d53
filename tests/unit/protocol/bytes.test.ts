import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concatBytes, equalBytes, fromBase64url, toBase64url, toHex } from "#protocol";

describe("base64url", () => {
  test("what is written is read as the same bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromBase64url(toBase64url(bytes))).toEqual(bytes);
      }),
    );
  });

  test("is what Node writes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(toBase64url(bytes)).toBe(Buffer.from(bytes).toString("base64url"));
      }),
    );
  });

  // Source: RFC 4648 §10, without padding.
  test.each([
    ["", ""],
    ["f", "Zg"],
    ["fo", "Zm8"],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg"],
    ["fooba", "Zm9vYmE"],
    ["foobar", "Zm9vYmFy"],
  ])("writes %j as the RFC shows it", (text, expected) => {
    expect(toBase64url(new TextEncoder().encode(text))).toBe(expected);
  });

  test("any text is read only if it is the one way to write those bytes", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[\w-]{0,8}$/u));
    fc.assert(
      fc.property(text, (candidate) => {
        const bytes = fromBase64url(candidate);
        if (bytes !== undefined) expect(toBase64url(bytes)).toBe(candidate);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["padding", "Zg=="],
    ["the other alphabet", "+/+/"],
    ["a length of 1", "A"],
    ["a length of 5", "AAAAA"],
    ["spare bits that aren't zero", "Zh"],
    ["spare bits that aren't zero", "Zm9"],
    ["white space", "Zg Zg"],
    ["a line break at the end", "Zm9v\n"],
    ["letters outside ASCII", "ſſſſ"],
    ["characters outside the basic plane", "😀😀"],
  ])("refuses %s", (_name, text) => {
    expect(fromBase64url(text)).toBeUndefined();
  });
});

test("toHex writes two lower-case digits for each byte", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(toHex(bytes)).toBe(Buffer.from(bytes).toString("hex"));
    }),
  );
});

test("concatBytes joins into memory of its own", () => {
  const part = Uint8Array.of(1, 2);
  const joined = concatBytes(part, new Uint8Array(), Uint8Array.of(3));
  part.fill(0);
  expect(joined).toEqual(Uint8Array.of(1, 2, 3));
  expect(concatBytes()).toEqual(new Uint8Array());
});

test("equalBytes looks at length and every byte", () => {
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false);
  expect(equalBytes(new Uint8Array(), new Uint8Array())).toBe(true);
});
