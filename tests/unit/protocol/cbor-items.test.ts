import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concatBytes, encodeCbor, toHex } from "#protocol";
import {
  cborMajor,
  encodeCborHead,
  joinCborArray,
  joinCborMap,
  readCborHead,
  skipCborItem,
  splitCborArray,
  splitCborMap,
} from "../../../protocol/cbor-items.ts";
import { cborValue } from "../../support/protocol-arbitraries.ts";
import { errorWith, fromHex } from "../../support/protocol.ts";

describe("heads", () => {
  const argument = fc.oneof(
    fc.maxSafeNat(),
    fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
  );

  test("are read as what was written", () => {
    fc.assert(
      fc.property(fc.nat({ max: 6 }), argument, (major, value) => {
        const head = encodeCborHead(major, value);
        expect(readCborHead(head, 0)).toEqual({ major, argument: value, next: head.length });
      }),
    );
  });

  test("are what the codec writes for numbers", () => {
    fc.assert(
      fc.property(argument, (value) => {
        expect(encodeCborHead(cborMajor.unsigned, value)).toEqual(encodeCbor(value));
      }),
    );
  });

  test.each([-1, 0.5, NaN, 2 ** 53])("of %d aren't written", (value) => {
    expect(() => encodeCborHead(0, value)).toThrow(errorWith("argument-invalid"));
  });

  test.each([
    "",
    "18",
    "1817",
    "19",
    "1900ff",
    "1a0000ffff",
    "1b00000000ffffffff",
    "1c",
    "1f",
    "ff",
  ])("%j is none", (hex) => {
    expect(() => readCborHead(fromHex(hex), 0)).toThrow(errorWith("frame-malformed"));
  });
});

describe("skipCborItem", () => {
  test("ends where any written item ends, whatever follows", () => {
    fc.assert(
      fc.property(cborValue, fc.uint8Array({ maxLength: 5 }), (value, rest) => {
        const bytes = encodeCbor(value);
        expect(skipCborItem(concatBytes(bytes, rest), 0, 32)).toBe(bytes.length);
      }),
    );
  });

  test("takes every float in its shortest form only", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        fc.pre(!Number.isSafeInteger(value) && Number.isFinite(value));
        const shortest = encodeCbor(value);
        expect(skipCborItem(shortest, 0, 1)).toBe(shortest.length);
        const longest = new Uint8Array(9);
        longest[0] = 0xfb;
        new DataView(longest.buffer).setFloat64(1, value);
        if (shortest.length === 9) expect(longest).toEqual(shortest);
        else expect(() => skipCborItem(longest, 0, 1)).toThrow(errorWith("frame-malformed"));
      }),
      { numRuns: 1000 },
    );
  });

  // Source: RFC 8949, appendix A, and the limits of binary16.
  test.each([
    "f90000",
    "f98000",
    "f93c00",
    "fb3ff199999999999a",
    "f97bff",
    "fa47800000",
    "fa47c35000",
    "fa7f7fffff",
    "fb7e37e43c8800759c",
    "f90001",
    "f90400",
    "f97c00",
    "f9fc00",
    "f97e00",
    "fa33000000",
    "fa33c00000",
    "c074323031332d30332d32315432303a30343a30305a",
    "d818456449455446",
    "3bffffffffffffffff",
    "1bffffffffffffffff",
    "f4",
    "f7",
    "a26161016162820203",
  ])("takes %s", (hex) => {
    expect(skipCborItem(fromHex(hex), 0, 4)).toBe(hex.length / 2);
  });

  test.each([
    ["a float that fits into 2 bytes, the largest", "fa477fe000"],
    ["a float that fits into 2 bytes, the smallest", "fa33800000"],
    ["a float that fits into 2 bytes, not normal", "fa34400000"],
    ["zero in 4 bytes", "fa00000000"],
    ["zero in 8 bytes", "fb0000000000000000"],
    ["negative zero in 4 bytes", "fa80000000"],
    ["infinity in 4 bytes", "fa7f800000"],
    ["infinity in 8 bytes", "fbfff0000000000000"],
    ["NaN in 4 bytes", "fa7fc00000"],
    ["NaN in 8 bytes", "fb7ff8000000000000"],
    ["NaN with another payload", "f97e01"],
    ["a negative NaN", "f9fe00"],
    ["a simple value without meaning", "e0"],
    ["a simple value in 2 bytes", "f820"],
    ["a break", "ff"],
    ["a tag of nothing", "c0"],
  ])("refuses %s", (_name, hex) => {
    expect(() => skipCborItem(fromHex(hex), 0, 4)).toThrow(errorWith("frame-malformed"));
  });

  test("counts arrays, maps and tags alike as levels", () => {
    const nested = fromHex("81a10081c100");
    expect(skipCborItem(nested, 0, 4)).toBe(nested.length);
    expect(() => skipCborItem(nested, 0, 3)).toThrow(errorWith("frame-malformed"));
  });
});

describe("splitting and joining", () => {
  test("an array's items come apart and together again", () => {
    fc.assert(
      fc.property(fc.array(cborValue, { maxLength: 6 }), (values) => {
        const bytes = encodeCbor(values);
        const items = splitCborArray(bytes, 32);
        expect(items.map(toHex)).toEqual(values.map((value) => toHex(encodeCbor(value))));
        expect(joinCborArray(items)).toEqual(bytes);
      }),
    );
  });

  test("a map's entries come apart, and together in order from any order", () => {
    const entries = fc.uniqueArray(fc.tuple(fc.maxSafeInteger(), cborValue), {
      selector: ([key]) => key,
    });
    fc.assert(
      fc.property(entries, (list) => {
        const bytes = encodeCbor(new Map(list));
        const split = splitCborMap(bytes, 32);
        expect(split).toHaveLength(list.length);
        expect(joinCborMap(split.toReversed())).toEqual(bytes);
      }),
    );
  });

  test.each(["", "00", "a0", "8100ff", "810000", "82", "9b0000000100000000", "4180"])(
    "%j is no array",
    (hex) => {
      expect(() => splitCborArray(fromHex(hex), 8)).toThrow(errorWith("frame-malformed"));
    },
  );

  test.each(["", "00", "80", "a10000ff", "a1000000", "a100", "bb7fffffffffffffff", "a200000000"])(
    "%j is no map",
    (hex) => {
      expect(() => splitCborMap(fromHex(hex), 8)).toThrow(errorWith("frame-malformed"));
    },
  );
});
