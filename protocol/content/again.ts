import * as v from "valibot";
import { decodeCbor, encodeCbor } from "../cbor.ts";
import { idFromBytes, idToBytes, type DeviceId } from "../ids.ts";
import { bytesSchema, countSchema, exactBytesSchema, parse, timestampMsSchema } from "../schema.ts";
import { maxMissingPlaces } from "./missing.ts";

/** The media type of an answer to a request for messages that are missing. Private to Sotto. */
export const againType = "application/vnd.sotto.again";

/** Largest content that is said again, bytes: what holds it stays below the bound of all content. */
export const maxAgainBytes = 1024 * 1024 - 4096;
const maxAnswerBytes = 1024 * 1024;
const deviceIdBytes = 16;
/** The longest KEM output of a suite: ML-KEM-1024's. Source: FIPS 203 §8, table 3. */
const maxKemOutputBytes = 1568;
/** A place, a time, their heads and the AEAD's tag beside the content. */
const maxSealedBytes = maxAgainBytes + 256;

/** Where the sender of a message put it. */
export interface SentPlace {
  /** null: of a request by place in the log, nothing else is known. */
  readonly epoch: number | null;
  readonly generation: number | null;
  /** null: it isn't known any more. */
  readonly sequence: number | null;
}

/** A message that somebody missed, as it was. */
export interface SaidAgain {
  readonly outcome: "again";
  readonly place: SentPlace;
  /** When the relay took it first, milliseconds. */
  readonly takenAtMs: number;
  /** Its MIMI content, byte for byte: the id is a hash of it. */
  readonly content: Uint8Array;
}

/** A {@link SaidAgain} as bytes, for one device: not everybody who is there now was there when it was said. */
export interface SealedAgain {
  readonly outcome: "sealed";
  readonly requester: DeviceId;
  /** Source: RFC 9420 §5.1.3, HPKECiphertext. */
  readonly kemOutput: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** What became of messages that somebody missed. All are of the device that answers. */
export type Again =
  | SaidAgain
  | SealedAgain
  /** `over`: ended, recalled, or nothing that is of use still. `unknown`: their sender has lost them too. */
  | { readonly outcome: "over" | "unknown"; readonly places: readonly SentPlace[] };

const numberSchema = v.nullable(countSchema);
const placeSchema = v.pipe(
  v.strictTuple([numberSchema, numberSchema, numberSchema]),
  v.check(
    ([epoch, generation, sequence]) =>
      (epoch === null) === (generation === null) && (generation !== null || sequence !== null),
    "no place",
  ),
  v.transform(([epoch, generation, sequence]): SentPlace => ({ epoch, generation, sequence })),
);
const placesSchema = v.pipe(v.array(placeSchema), v.minLength(1), v.maxLength(maxMissingPlaces));
const contentSchema = bytesSchema(maxAgainBytes);
const deviceBytesSchema = exactBytesSchema(deviceIdBytes);

/** The outcome comes first, as a number. */
const answerSchema = v.union([
  v.pipe(
    v.strictTuple([v.literal(0), placeSchema, timestampMsSchema, contentSchema]),
    v.transform(([, place, takenAtMs, content]): Again => {
      return { outcome: "again", place, takenAtMs, content };
    }),
  ),
  v.pipe(
    v.strictTuple([v.literal(1), placesSchema]),
    v.transform(([, places]): Again => ({ outcome: "over", places })),
  ),
  v.pipe(
    v.strictTuple([v.literal(2), placesSchema]),
    v.transform(([, places]): Again => ({ outcome: "unknown", places })),
  ),
  v.pipe(
    v.strictTuple([
      v.literal(3),
      deviceBytesSchema,
      bytesSchema(maxKemOutputBytes),
      bytesSchema(maxSealedBytes),
    ]),
    v.transform(([, device, kemOutput, ciphertext]): Again => {
      const requester = idFromBytes<DeviceId>(device);
      return { outcome: "sealed", requester, kemOutput, ciphertext };
    }),
  ),
]);

const fieldsOf = ({ epoch, generation, sequence }: SentPlace) => [epoch, generation, sequence];

function answerFields(again: Again): readonly unknown[] {
  switch (again.outcome) {
    case "again":
      return [0, fieldsOf(again.place), again.takenAtMs, again.content];
    case "over":
      return [1, again.places.map(fieldsOf)];
    case "unknown":
      return [2, again.places.map(fieldsOf)];
    case "sealed":
      return [3, idToBytes(again.requester), again.kemOutput, again.ciphertext];
  }
}

/**
 * Deterministic CBOR of an answer: `[0, place, time, content]`, `[1, places]` for `over`, `[2, places]` for `unknown`, or
 * `[3, requesting device, KEM output, ciphertext]`. A place is `[epoch, generation, sequence]`.
 *
 * @throws AppError `argument-invalid`
 */
export function encodeAgain(again: Again): Uint8Array {
  const fields = answerFields(again);
  parse(answerSchema, fields, "argument-invalid");
  return encodeCbor(fields);
}

/** @throws AppError `frame-malformed`, `frame-too-large` */
export function decodeAgain(bytes: Uint8Array): Again {
  return parse(answerSchema, decodeCbor(bytes, maxAnswerBytes));
}
