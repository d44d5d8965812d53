import * as v from "valibot";
import { decodeCbor, encodeCbor } from "../cbor.ts";
import { idFromBytes, idToBytes, type DeviceId } from "../ids.ts";
import { bytesSchema, countSchema, exactBytesSchema, parse } from "../schema.ts";

/** The media type of a request for messages that are missing. Private to Sotto. */
export const missingType = "application/vnd.sotto.missing";

/** Most places that one request names. */
export const maxMissingPlaces = 512;
const maxRanges = 128;
/** The longest public key of a suite: ML-KEM-1024's. Source: FIPS 203 §8, table 3. */
const maxAnswerKeyBytes = 1568;
/** An id's bytes, three numbers and their heads, for each range; and the key. */
const maxRequestBytes = 16 * 1024;
const deviceIdBytes = 16;

/** Numbers that follow each other, both ends included. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

/** Generations of one device in one epoch that were jumped over. Source: RFC 9420 §9.1. */
export interface MissingGenerations extends NumberRange {
  readonly deviceId: DeviceId;
  readonly epoch: number;
}

/** What a device misses of a conversation. */
export interface MissingPlaces {
  readonly generations: readonly MissingGenerations[];
  /** Entries of the group log of which only the place is known: whose they were can't be believed. */
  readonly sequences: readonly NumberRange[];
}

/** Asks for what is missing. */
export interface MissingRequest extends MissingPlaces {
  /** A public HPKE key of the conversation's suite, to which is sealed what not everybody who is there now may read. */
  readonly answerKey: Uint8Array;
}

const deviceBytesSchema = v.pipe(
  exactBytesSchema(deviceIdBytes),
  v.transform((bytes): DeviceId => idFromBytes<DeviceId>(bytes)),
);
const generationsSchema = v.pipe(
  v.strictTuple([deviceBytesSchema, countSchema, countSchema, countSchema]),
  v.transform(([deviceId, epoch, first, last]): MissingGenerations => {
    return { deviceId, epoch, first, last };
  }),
);
const sequencesSchema = v.pipe(
  v.strictTuple([countSchema, countSchema]),
  v.transform(([first, last]): NumberRange => ({ first, last })),
);

/** How many places ranges hold; infinite when one of them runs backwards. */
function placesIn(ranges: readonly NumberRange[]): number {
  return ranges.reduce(
    (sum, { first, last }) => sum + (last < first ? Number.POSITIVE_INFINITY : last - first + 1),
    0,
  );
}

const requestSchema = v.pipe(
  v.strictTuple([
    v.pipe(bytesSchema(maxAnswerKeyBytes), v.minLength(1)),
    v.pipe(v.array(generationsSchema), v.maxLength(maxRanges)),
    v.pipe(v.array(sequencesSchema), v.maxLength(maxRanges)),
  ]),
  v.transform(([answerKey, generations, sequences]): MissingRequest => {
    return { answerKey, generations, sequences };
  }),
  v.check(({ generations, sequences }) => {
    const places = placesIn([...generations, ...sequences]);
    return places >= 1 && places <= maxMissingPlaces;
  }, "places out of bounds"),
);

/**
 * Deterministic CBOR of a request: `[answer key, [[device id, epoch, first, last], …], [[first, last], …]]`.
 *
 * @throws AppError `argument-invalid` for no key, no place, more than {@link maxMissingPlaces}, or more than 128 ranges of a kind
 */
export function encodeMissingRequest(request: MissingRequest): Uint8Array {
  const { answerKey, generations, sequences } = request;
  const fields = [
    answerKey,
    generations.map(({ deviceId, epoch, first, last }) => {
      return [idToBytes(deviceId), epoch, first, last];
    }),
    sequences.map(({ first, last }) => [first, last]),
  ];
  parse(requestSchema, fields, "argument-invalid");
  return encodeCbor(fields);
}

/** @throws AppError `frame-malformed`, `frame-too-large` */
export function decodeMissingRequest(bytes: Uint8Array): MissingRequest {
  return parse(requestSchema, decodeCbor(bytes, maxRequestBytes));
}
