import * as v from "valibot";
import { AppError, errorKinds, isErrorCode, type ErrorCode } from "./errors.ts";

/** Any synchronous valibot schema. */
export type Schema = v.GenericSchema<unknown, unknown>;

/**
 * Parses an outside value once, at the edge.
 *
 * @throws AppError with `code`; `data.path` names the offending field, never its value
 */
export function parse<S extends v.GenericSchema<unknown, unknown>>(
  schema: S,
  value: unknown,
  code: ErrorCode = "frame-malformed",
): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new AppError(code, { data: { path: fieldPath(result.issues[0]) } });
}

/** Where an issue is. Keys come from outside too, so only what looks like a path of ours is told. */
function fieldPath(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? "";
  return /^[\w.]{0,100}$/.test(path) ? path : "";
}

/** Any byte string, whatever buffer it lies in (`v.instance` would insist on an ArrayBuffer of its own). */
const byteString = v.custom<Uint8Array>((value) => value instanceof Uint8Array);

/** A byte string of at most `maxBytes`. */
export function bytesSchema(maxBytes: number) {
  return v.pipe(byteString, v.maxLength(maxBytes));
}

/** A byte string of exactly `sizeBytes`. */
export function exactBytesSchema(sizeBytes: number) {
  return v.pipe(byteString, v.length(sizeBytes));
}

/** A whole number from 0 to 2^53 - 1. */
export const countSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Milliseconds since 1970-01-01T00:00Z. */
export const timestampMsSchema = countSchema;

/** Longest name of a person, a device, a conversation or a network, code points. */
export const maxNameCharacters = 80;
/** Control characters, line and paragraph separators, and what turns the direction of the text around the name. */
const unsafeInNames = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u;

/**
 * A name that people see: 1 to 80 characters (code points) after trimming, at least one of them visible, no control characters,
 * no bidirectional overrides.
 */
export const nameSchema = v.pipe(
  v.string(),
  v.trim(),
  v.maxCodePoints(maxNameCharacters),
  v.check((name) => name.isWellFormed() && visible.test(name), "nothing to see"),
  v.check((name) => !unsafeInNames.test(name), "unsafe characters"),
);

export const wireErrorSchema = v.object({
  code: v.custom<ErrorCode>((code) => isErrorCode(code)),
  data: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean(), v.null()]))),
});

/** What `code` says to people, in English. */
export function errorText(code: ErrorCode): string {
  return errorKinds[code].text;
}
