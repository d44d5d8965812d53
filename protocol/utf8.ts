import { AppError } from "./errors.ts";

// Part of every platform this runs on, but of no ECMAScript library that the compiler knows.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (
  label: string,
  options: { readonly fatal: boolean; readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

/**
 * UTF-8 of `text`.
 *
 * @throws AppError `argument-invalid` when it holds half of a surrogate pair, which has no UTF-8
 */
export function encodeUtf8(text: string): Uint8Array {
  if (!text.isWellFormed()) {
    throw new AppError("argument-invalid", { data: { reason: "lone surrogate" } });
  }
  return new TextEncoder().encode(text);
}

/**
 * Reads UTF-8 exactly: nothing is replaced, and a byte order mark is kept as a character.
 *
 * @throws AppError `frame-malformed`
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("frame-malformed", { cause, data: { reason: "not UTF-8" } });
  }
}
