import * as v from "valibot";
import { joinCborMap, splitCborMap } from "../cbor-items.ts";
import { decodeCbor, encodeCbor } from "../cbor.ts";
import { AppError } from "../errors.ts";
import { countSchema, parse } from "../schema.ts";
import { maxTimerSeconds } from "../timers.ts";
import { encodeUtf8 } from "../utf8.ts";

/** The extension map's keys that we know. Text keys are for private use. Source: draft-ietf-mimi-content-08 §4.3 and §8.2.1. */
const senderUriKey = 1;
const roomUriKey = 2;
/** Sotto's own: burn-on-read seconds of a message whose `expires` is taken by its absolute end. */
export const burnSecondsKey = "sotto.burnSeconds";

/** Longest URI of a sender or a room, bytes of UTF-8. */
export const maxUriBytes = 1024;
const maxExtensions = 64;
/** The map, and three arrays, maps or tags inside each other. Source: draft-ietf-mimi-content-08 §6.3. */
const maxExtensionDepth = 4;

/** A key of the extension map: a safe integer, or 1 to 255 bytes of text. */
export type ExtensionKey = number | string;

/** What a message carries beside its fixed fields. */
export interface Extensions {
  readonly senderUri: string | null;
  readonly roomUri: string | null;
  /** Seconds from being seen until a reader's copy ends. */
  readonly burnSeconds: number | null;
  /** Those we don't know: each value as the CBOR it came in, so that nothing is lost. */
  readonly others: ReadonlyMap<ExtensionKey, Uint8Array>;
}

const uriSchema = v.pipe(v.string(), v.minLength(1), v.maxBytes(maxUriBytes));
const burnSecondsSchema = v.pipe(countSchema, v.minValue(1), v.maxValue(maxTimerSeconds));
const keySchema = v.union([
  v.pipe(v.number(), v.safeInteger()),
  v.pipe(v.string(), v.minLength(1), v.maxBytes(255)),
]);

const knownKeys: readonly ExtensionKey[] = [senderUriKey, roomUriKey, burnSecondsKey];

/** @throws AppError `argument-invalid` */
export function encodeExtensions(extensions: Extensions): Uint8Array {
  const entries: [Uint8Array, Uint8Array][] = [];
  const { senderUri, roomUri, burnSeconds, others } = extensions;
  if (senderUri !== null) {
    entries.push([encodeCbor(senderUriKey), encodeText(senderUri)]);
  }
  if (roomUri !== null) entries.push([encodeCbor(roomUriKey), encodeText(roomUri)]);
  if (burnSeconds !== null) {
    const seconds = parse(burnSecondsSchema, burnSeconds, "argument-invalid");
    entries.push([encodeCbor(burnSecondsKey), encodeCbor(seconds)]);
  }
  for (const [key, value] of others) {
    if (knownKeys.includes(key)) {
      throw new AppError("argument-invalid", { data: { reason: "extension has its own field" } });
    }
    entries.push([encodeCbor(parse(keySchema, key, "argument-invalid")), value]);
  }
  if (entries.length > maxExtensions) {
    throw new AppError("argument-invalid", { data: { reason: "too many extensions" } });
  }
  return joinCborMap(entries);
}

function encodeText(uri: string): Uint8Array {
  encodeUtf8(uri);
  return encodeCbor(parse(uriSchema, uri, "argument-invalid"));
}

/** @throws AppError `frame-malformed` */
export function decodeExtensions(bytes: Uint8Array): Extensions {
  const entries = splitCborMap(bytes, maxExtensionDepth);
  if (entries.length > maxExtensions) {
    throw new AppError("frame-malformed", { data: { reason: "too many extensions" } });
  }
  let senderUri: string | null = null;
  let roomUri: string | null = null;
  let burnSeconds: number | null = null;
  const others = new Map<ExtensionKey, Uint8Array>();
  for (const [keyBytes, value] of entries) {
    const key = parse(keySchema, decodeCbor(keyBytes, keyBytes.length));
    if (key === senderUriKey) senderUri = parse(uriSchema, decodeCbor(value, value.length));
    else if (key === roomUriKey) roomUri = parse(uriSchema, decodeCbor(value, value.length));
    else if (key === burnSecondsKey) {
      burnSeconds = parse(burnSecondsSchema, decodeCbor(value, value.length));
    } else others.set(key, value.slice());
  }
  return { senderUri, roomUri, burnSeconds, others };
}
