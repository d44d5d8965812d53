import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCbor, encodeCbor, maxCborDepth, toHex } from "#protocol";
import { cborValue } from "../../support/protocol-arbitraries.ts";
import { errorWith, fromHex } from "../../support/protocol.ts";

function decodeHex(hex: string): unknown {
  return decodeCbor(fromHex(hex), 1000);
}

describe("encodeCbor", () => {
  test("what is written is read as the same value, and written again as the same bytes", () => {
    fc.assert(
      fc.property(cborValue, (value) => {
        const bytes = encodeCbor(value);
        const read = decodeCbor(bytes, bytes.length, "map");
        expect(read).toEqual(value);
        expect(encodeCbor(read)).toEqual(bytes);
      }),
    );
  });

  test("the order of an object's keys doesn't matter", () => {
    expect(toHex(encodeCbor({ b: 1, aa: 2, a: 3 }))).toBe("a361610361620162616102");
    expect(encodeCbor({ b: 1, aa: 2 })).toEqual(encodeCbor({ aa: 2, b: 1 }));
  });

  // Source: RFC 8949, appendix A.
  test.each([
    [0, "00"],
    [23, "17"],
    [24, "1818"],
    [1_000_000_000_000, "1b000000e8d4a51000"],
    [-1, "20"],
    [-1000, "3903e7"],
    [1.1, "fb3ff199999999999a"],
    [1.5, "f93e00"],
    [100_000.5, "fa47c35040"],
    [true, "f5"],
    [null, "f6"],
    [Uint8Array.of(1, 2, 3, 4), "4401020304"],
    ["IETF", "6449455446"],
    ["水", "63e6b0b4"],
    [[1, [2, 3]], "8201820203"],
    [{ a: 1, b: [2, 3] }, "a26161016162820203"],
  ])("%o is written as the RFC shows it", (value, hex) => {
    expect(toHex(encodeCbor(value))).toBe(hex);
    expect(decodeHex(hex)).toEqual(value);
  });

  test("gives a plain array with memory of its own, and takes a Buffer for one", () => {
    const bytes = encodeCbor({ a: Buffer.from([1, 2]) });
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
    expect(bytes.buffer.byteLength).toBe(bytes.length);
    expect(toHex(bytes)).toBe("a16161420102");
  });

  test.each([
    ["undefined", undefined],
    ["a missing property", { data: undefined }],
    ["NaN", NaN],
    ["an infinity", [-Infinity]],
    ["a bigint", 10n],
    ["a date", new Date(0)],
    ["a set", new Set([1])],
    ["an error", new Error("x")],
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
    ["another typed array", new Uint16Array(2)],
    ["an array buffer", new ArrayBuffer(2)],
  ])("refuses %s as a mistake of ours", (_name, value) => {
    expect(() => encodeCbor(value)).toThrow(errorWith("internal"));
  });

  test("refuses a value that holds itself", () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => encodeCbor(loop)).toThrow(errorWith("internal"));
  });

  test.each(["\ud800", "x\udc00y"])("refuses text with half a surrogate pair", (text) => {
    expect(() => encodeCbor({ text })).toThrow(errorWith("argument-invalid"));
    expect(() => encodeCbor({ [text]: 1 })).toThrow(errorWith("argument-invalid"));
  });

  test("works on after a refused value", () => {
    expect(() => encodeCbor(["left over", undefined])).toThrow();
    expect(toHex(encodeCbor([1]))).toBe("8101");
  });
});

describe("decodeCbor", () => {
  test("keeps a byte order mark, short or long", () => {
    for (const text of [
      "\ufeff",
      "\ufeffa",
      `\ufeff${"a".repeat(100)}`,
      "a\ufeff",
      "\ufeff\ufeff",
    ]) {
      expect(decodeCbor(encodeCbor([text]), 1000)).toEqual([text]);
    }
  });

  test("copies byte strings out of what it reads", () => {
    const input = Buffer.from(encodeCbor([Uint8Array.of(1, 2, 3)]));
    const [bytes] = decodeCbor(input, 100) as [Uint8Array];
    input.fill(0);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("reads a key named __proto__ as data", () => {
    const value = decodeHex("a1695f5f70726f746f5f5fa1616101") as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test.each([
    ["nothing", ""],
    ["trailing bytes", "0000"],
    ["a number in too many bytes", "1817"],
    ["a number in too many bytes", "190017"],
    ["a number in too many bytes", "1a0000ffff"],
    ["a number in too many bytes", "1b00000000ffffffff"],
    ["a negative number in too many bytes", "3800"],
    ["a length in too many bytes", "580100"],
    ["a text's length in too many bytes", "780161"],
    ["a count in too many bytes", "980100"],
    ["a map's count in too many bytes", "b801616101"],
    ["a byte string of indefinite length", "5f4101ff"],
    ["a text of indefinite length", "7f6161ff"],
    ["an array of indefinite length", "9f01ff"],
    ["a map of indefinite length", "bf616101ff"],
    ["a break out of place", "ff"],
    ["a break in an array", "81ff"],
    ["reserved additional information", "1c"],
    ["reserved additional information", "5d"],
    ["keys out of order", "a2616201616101"],
    ["long keys before short ones", "a262616101616201"],
    ["a key twice", "a2616101616102"],
    ["a number as key of an object", "a10101"],
    ["a cut off number", "19ff"],
    ["a cut off byte string", "4401"],
    ["a cut off text", "6261"],
    ["a cut off array", "8201"],
    ["a cut off map", "a1"],
    ["a map without its last value", "a16161"],
    ["text that isn't UTF-8", "61ff"],
    ["text with an encoded surrogate", "63eda080"],
    ["text in overlong UTF-8", "62c0af"],
    ["undefined", "f7"],
    ["a simple value without meaning", "e0"],
    ["a simple value without meaning", "f8ff"],
    ["a simple value in too many bytes", "f814"],
    ["NaN", "f97e00"],
    ["another NaN", "f97e01"],
    ["NaN in 4 bytes", "fa7fc00000"],
    ["NaN in 8 bytes", "fb7ff8000000000000"],
    ["an infinity", "f97c00"],
    ["a float in too many bytes", "fa3fc00000"],
    ["a float in too many bytes", "fb3ff8000000000000"],
    ["a float that is a whole number", "f93c00"],
    ["a negative zero", "f98000"],
    ["a tag", "c000"],
    ["a number above 2^53 - 1", "1b0020000000000000"],
    ["a number below -(2^53 - 1)", "3b001fffffffffffff"],
    ["a bignum", "c24101"],
  ])("refuses %s", (_name, hex) => {
    expect(() => decodeHex(hex)).toThrow(errorWith("frame-malformed"));
  });

  test.each([
    ["a byte string", "5bffffffffffffffff"],
    ["a byte string", "5a7fffffff"],
    ["a text", "7b001fffffffffffff"],
    ["an array", "9bffffffffffffffff"],
    ["an array", "9a7fffffff"],
    ["a map", "bbffffffffffffffff"],
    ["a map", "ba40000000"],
  ])("refuses %s that claims to be huge, without reserving memory for it", (_name, hex) => {
    const before = process.memoryUsage().rss;
    expect(() => decodeHex(hex)).toThrow(errorWith("frame-malformed"));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  test("refuses what is larger than its limit before it looks at it", () => {
    expect(() => decodeCbor(new Uint8Array(11), 10)).toThrow(
      errorWith("frame-too-large", { sizeBytes: 11, maxBytes: 10 }),
    );
    expect(decodeCbor(Uint8Array.of(0x41, 0), 2)).toEqual(Uint8Array.of(0));
  });

  test("reads up to its depth and refuses one level more", () => {
    const nested = (depth: number): Uint8Array =>
      new Uint8Array([...new Array<number>(depth - 1).fill(0x81), 0x80]);
    expect(() => decodeCbor(nested(maxCborDepth), 1000)).not.toThrow();
    expect(() => decodeCbor(nested(maxCborDepth + 1), 1000)).toThrow(errorWith("frame-malformed"));
  });

  test.each([
    ["arrays", 0x81],
    ["tags", 0xc1],
    ["maps in keys", 0xa1],
  ])("refuses eight million %s inside each other", (_name, byte) => {
    const bytes = new Uint8Array(8 * 1024 * 1024).fill(byte);
    expect(() => decodeCbor(bytes, bytes.length)).toThrow(errorWith("frame-malformed"));
  });

  test("anything at all is either read and written again as it was, or refused as malformed", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom("object", "map"),
        (bytes, maps) => {
          let value: unknown;
          try {
            value = decodeCbor(bytes, 40, maps);
          } catch (error) {
            expect(error).toEqual(errorWith("frame-malformed"));
            return;
          }
          expect(encodeCbor(value)).toEqual(bytes);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("a changed byte is read as another value or refused", () => {
    fc.assert(
      fc.property(
        cborValue,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (value, position, change) => {
          const bytes = encodeCbor(value);
          bytes[position % bytes.length]! ^= change;
          try {
            expect(encodeCbor(decodeCbor(bytes, bytes.length, "map"))).toEqual(bytes);
          } catch (error) {
            expect(error).toEqual(errorWith("frame-malformed"));
          }
        },
      ),
    );
  });
});
