import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import {
  bytesSchema,
  countSchema,
  exactBytesSchema,
  nameSchema,
  parse,
  wireErrorSchema,
} from "#protocol";
import { unicodeText } from "../../support/protocol-arbitraries.ts";
import { errorWith, thrownBy } from "../../support/protocol.ts";

describe("parse", () => {
  const schema = v.strictObject({ outer: v.strictObject({ count: countSchema }) });

  test("gives the value it has checked", () => {
    expect(parse(schema, { outer: { count: 1 } })).toEqual({ outer: { count: 1 } });
  });

  test("names the field, not its value", () => {
    const error = thrownBy(() => parse(schema, { outer: { count: "secret" } }));
    expect(error).toEqual(errorWith("frame-malformed", { path: "outer.count" }));
    expect(JSON.stringify(error)).not.toContain("secret");
    expect((error as Error).cause).toBeUndefined();
  });

  test("throws the code it was given", () => {
    expect(() => parse(schema, null, "argument-invalid")).toThrow(
      errorWith("argument-invalid", { path: "" }),
    );
  });

  test.each([["x".repeat(101)], ["<script>"], ["line\nbreak"]])(
    "doesn't repeat an unknown key that is no field's name",
    (key) => {
      expect(() => parse(schema, { outer: { count: 1 }, [key]: 1 })).toThrow(
        errorWith("frame-malformed", { path: "" }),
      );
    },
  );

  test("refuses an unknown key, one named __proto__ included", () => {
    expect(() => parse(schema, { outer: { count: 1 }, other: 1 })).toThrow(
      errorWith("frame-malformed", { path: "other" }),
    );
    const hostile: unknown = JSON.parse('{ "outer": { "count": 1 }, "__proto__": {} }');
    expect(() => parse(schema, hostile)).toThrow(errorWith("frame-malformed"));
  });
});

describe("countSchema", () => {
  test.each([0, 1, Number.MAX_SAFE_INTEGER])("takes %d", (count) => {
    expect(v.is(countSchema, count)).toBe(true);
  });

  test.each([-1, 0.5, NaN, Infinity, 2 ** 53, 1n, "1", null, true])("refuses %s", (count) => {
    expect(v.is(countSchema, count)).toBe(false);
  });
});

describe("byte strings", () => {
  test("are bounded", () => {
    expect(v.is(bytesSchema(2), new Uint8Array(2))).toBe(true);
    expect(v.is(bytesSchema(2), new Uint8Array(3))).toBe(false);
    expect(v.is(exactBytesSchema(2), new Uint8Array(2))).toBe(true);
    expect(v.is(exactBytesSchema(2), new Uint8Array(1))).toBe(false);
    expect(v.is(exactBytesSchema(2), new Uint8Array(3))).toBe(false);
  });

  test.each([[[1, 2]], [new Uint16Array(2)], [new ArrayBuffer(2)], ["ab"], [{ length: 2 }]])(
    "are nothing but byte arrays",
    (value) => {
      expect(v.is(exactBytesSchema(2), value)).toBe(false);
    },
  );
});

describe("nameSchema", () => {
  test.each([
    ["Ada", "Ada"],
    ["  Ada Lovelace\t", "Ada Lovelace"],
    ["\ufeffAda\u00a0", "Ada"],
    ["محمد", "محمد"],
    ["👩‍🚀", "👩‍🚀"],
    ["🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"],
    ["n\u0303", "n\u0303"],
    ["نام‌خانوادگی", "نام‌خانوادگی"],
    ["!", "!"],
    ["x".repeat(80), "x".repeat(80)],
    ["😀".repeat(80), "😀".repeat(80)],
    [` ${"x".repeat(80)} `, "x".repeat(80)],
  ])("takes %j", (text, name) => {
    expect(parse(nameSchema, text)).toBe(name);
  });

  test.each([
    ["nothing", ""],
    ["spaces only", " \t\u3000"],
    ["81 characters", "x".repeat(81)],
    ["81 emoji", "😀".repeat(81)],
    ["a line break", "a\nb"],
    ["a NUL", "a\0b"],
    ["an escape sequence", "a\u001b[31mb"],
    ["a C1 control", "a\u0085b"],
    ["a line separator", "a\u2028b"],
    ["a paragraph separator", "a\u2029b"],
    ["a right-to-left override", "gnp.\u202Eexe"],
    ["an embedding", "a\u202ab"],
    ["an isolate", "a\u2066b\u2069"],
    ["nothing but a zero-width space", "\u200b"],
    ["nothing but joiners", "\u200d\u2060"],
    ["nothing but a combining mark", "\u0301"],
    ["half a surrogate pair", "a\ud83d"],
    ["something else", 5],
  ])("refuses %s", (_name, value) => {
    expect(() => parse(nameSchema, value, "name-invalid")).toThrow(errorWith("name-invalid"));
  });

  test("what it gives, it takes again unchanged", () => {
    fc.assert(
      fc.property(unicodeText, (text) => {
        const result = v.safeParse(nameSchema, text);
        if (result.success) expect(parse(nameSchema, result.output)).toBe(result.output);
      }),
    );
  });
});

describe("wireErrorSchema", () => {
  test("takes codes we know and plain data", () => {
    const error = { code: "internal", data: { a: "x", b: 1, c: true, d: null } };
    expect(parse(wireErrorSchema, error)).toEqual(error);
    expect(parse(wireErrorSchema, { code: "not-found" })).toEqual({ code: "not-found" });
  });

  test.each([
    { code: "no-such-code" },
    { code: "toString" },
    {},
    { code: "internal", data: { nested: {} } },
    { code: "internal", data: { nan: NaN } },
    "internal",
  ])("refuses %j", (value) => {
    expect(() => parse(wireErrorSchema, value)).toThrow(errorWith("frame-malformed"));
  });
});
