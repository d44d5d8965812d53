import * as v from "valibot";
import { countSchema } from "../schema.ts";

const maxSeconds = 2 ** 32 - 1;

/**
 * When a message ends by itself.
 * Source: draft-ietf-mimi-content-08 §4.1.
 */
export interface Expiration {
  /** Whether `timeSeconds` counts from the moment it was read; else since 1970-01-01T00:00Z. */
  readonly relative: boolean;
  /** Whole seconds, up to 2^32 - 1 (the year 2106). */
  readonly timeSeconds: number;
}

/** The fields as they stand in CBOR. */
export const expirationSchema = v.pipe(
  v.strictTuple([v.boolean(), v.pipe(countSchema, v.maxValue(maxSeconds))]),
  v.transform(([relative, timeSeconds]): Expiration => ({ relative, timeSeconds })),
);

/** The fields as they stand in CBOR. */
export function expirationFields({ relative, timeSeconds }: Expiration): readonly unknown[] {
  return [relative, timeSeconds];
}
