import { describe, expect, test } from "vitest";
import {
  AppError,
  ensureAppError,
  errorKinds,
  errorText,
  isErrorCode,
  type ErrorCode,
} from "#protocol";

const codes = Object.keys(errorKinds) as ErrorCode[];

describe("errorKinds", () => {
  test.each(codes)("%s has a kebab-case code and whole sentences for people", (code) => {
    expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*$/u);
    expect(errorText(code)).toMatch(/^[A-Z].*[.]$/su);
    expect(errorText(code).length).toBeLessThan(250);
  });
});

describe("AppError", () => {
  test("carries its code, its fault, safe data and a cause", () => {
    const cause = new Error("inner");
    const error = new AppError("frame-malformed", { data: { path: "a.b" }, cause });
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("AppError");
    expect(error.fault).toBe("peer");
    expect(error.data).toEqual({ path: "a.b" });
    expect(error.cause).toBe(cause);
    expect(error.message).toBe(`frame-malformed: ${errorText("frame-malformed")}`);
  });

  test("crosses a port with code and data, never with its cause", () => {
    const error = new AppError("frame-too-large", {
      data: { maxBytes: 10 },
      cause: new Error("secret"),
    });
    expect(error.toWire()).toEqual({ code: "frame-too-large", data: { maxBytes: 10 } });
    const arrived = AppError.fromWire(error.toWire());
    expect(arrived.code).toBe("frame-too-large");
    expect(arrived.data).toEqual({ maxBytes: 10 });
    expect(arrived.cause).toBeUndefined();
  });

  test("has no data on the wire when there is none", () => {
    expect(new AppError("internal").toWire()).toEqual({ code: "internal" });
    expect(AppError.fromWire({ code: "internal" }).data).toEqual({});
  });
});

describe("isErrorCode", () => {
  test("knows all codes", () => {
    expect(codes.every(isErrorCode)).toBe(true);
  });

  test.each(["", "Internal", "toString", "constructor", "__proto__", 1, null, undefined, {}])(
    "doesn't take %j for one",
    (value) => {
      expect(isErrorCode(value)).toBe(false);
    },
  );
});

describe("ensureAppError", () => {
  test("leaves one as it is", () => {
    const error = new AppError("not-found");
    expect(ensureAppError(error)).toBe(error);
  });

  test.each([new TypeError("x"), "thrown text", undefined, null])(
    "makes %s an internal one that keeps it as cause",
    (thrown) => {
      const error = ensureAppError(thrown);
      expect(error.code).toBe("internal");
      expect(error.cause).toBe(thrown);
      expect(error.message).not.toContain("thrown text");
    },
  );
});
