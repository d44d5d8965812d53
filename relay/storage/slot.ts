import { AppError, decodeCbor, encodeCbor, parse, type Schema } from "#protocol";
import type * as v from "valibot";
import type { StorageKey } from "./port.ts";

/** A place in storage and what stands there. */
export interface Slot<Value> {
  readonly key: StorageKey;
  readonly encode: (value: Value) => Uint8Array;
  /** @throws AppError `relay-storage-failed`: an unreadable value is an error, never an absent one */
  readonly decode: (bytes: Uint8Array) => Value;
}

/** What slots of a kind hold. */
export type SlotValue<Slots> = Slots extends (...ids: never[]) => Slot<infer Value> ? Value : never;

type Keys<Ids extends readonly unknown[]> = (...ids: Ids) => StorageKey;

/** Larger than any record: a roster of 2,000 devices, a GroupInfo. */
const maxStoredBytes = 16 * 1024 * 1024;

/** A key of tokens joined by dots. Numbers are padded, so that they sort. */
export function storageKey(...tokens: readonly (string | number)[]): StorageKey {
  return tokens
    .map((token) => (typeof token === "number" ? String(token).padStart(16, "0") : token))
    .join(".") as StorageKey;
}

/** All keys that begin with `tokens` and have more. */
export function keyPrefix(...tokens: readonly (string | number)[]): StorageKey {
  return `${storageKey(...tokens)}.` as StorageKey;
}

/** Slots whose value is a CBOR item of a shape, by what their key names. */
export function recordSlots<S extends Schema, Ids extends readonly unknown[]>(
  keyOf: Keys<Ids>,
  schema: S,
): (...ids: Ids) => Slot<v.InferOutput<S>> {
  return (...ids) => ({
    key: keyOf(...ids),
    encode: encodeCbor,
    decode: (bytes) => {
      try {
        return parse(schema, decodeCbor(bytes, maxStoredBytes));
      } catch (cause) {
        throw new AppError("relay-storage-failed", { data: { reason: "record" }, cause });
      }
    },
  });
}

/** Slots whose value is bytes as they came. */
export function bytesSlots<Ids extends readonly unknown[]>(
  keyOf: Keys<Ids>,
): (...ids: Ids) => Slot<Uint8Array> {
  return (...ids) => ({ key: keyOf(...ids), encode: (bytes) => bytes, decode: (bytes) => bytes });
}
