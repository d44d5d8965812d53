import { expect } from "vitest";
import type { ErrorCode, SafeData } from "#protocol";

/** Matches an AppError by its code, and by its data where given. */
export function errorWith(code: ErrorCode, data?: SafeData): unknown {
  return expect.objectContaining({
    name: "AppError",
    code,
    ...(data === undefined ? {} : { data }),
  });
}

/** The bytes of a hexadecimal text. */
export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** The error that `action` throws. */
export function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
