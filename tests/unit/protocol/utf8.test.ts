import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/utf8.ts";
import { unicodeText } from "../../support/protocol-arbitraries.ts";
import { errorWith, fromHex } from "../../support/protocol.ts";

test("every well-formed text comes back as it was, byte order marks included", () => {
  fc.assert(
    fc.property(unicodeText, (text) => {
      expect(decodeUtf8(encodeUtf8(text))).toBe(text);
    }),
  );
  expect(decodeUtf8(encodeUtf8("\ufeffa"))).toBe("\ufeffa");
});

test.each(["\ud800", "a\udfffb"])("refuses to write half a surrogate pair", (text) => {
  expect(() => encodeUtf8(text)).toThrow(errorWith("argument-invalid"));
});

test.each([
  ["a lone continuation", "80"],
  ["a cut off sequence", "e282"],
  ["an overlong form", "c0af"],
  ["a surrogate", "eda080"],
  ["more than U+10FFFF", "f4908080"],
])("refuses to read %s", (_name, hex) => {
  expect(() => decodeUtf8(fromHex(hex))).toThrow(errorWith("frame-malformed"));
});
