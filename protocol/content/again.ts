import * as v from "valibot";
import { decodeCbor, encodeCbor } from "../cbor.ts";
import { bytesSchema, countSchema, parse, timestampMsSchema } from "../schema.ts";
import { maxMissingPlaces } from "./missing.ts";

/** The media type of an answer to a request for messages that are missing. Private to Sotto. */
export const againType = "application/vnd.sotto.again";

/** Largest content that is said again, bytes: what holds it stays below the bound of all content. */
export const maxAgainBytes = 1024 * 1024 - 4096;
const maxAnswerBytes = 1024 * 1024;

/** Where the sender of a message put it. */
export interface SentPlace {
  /** null: of a request by place in the log, nothing else is known. */
  readonly epoch: number | null;
  readonly generation: number | null;
  /** null: it isn't known any more. */
  readonly sequence: number | null;
}

/** What became of messages that somebody missed. All are of the device that answers. */
export type Again =
  /** One of them, as it was. */
  | {
      readonly outcome: "again";
      readonly place: SentPlace;
      /** When the relay took it first, milliseconds. */
      readonly takenAtMs: number;
      /** Its MIMI content, byte for byte: the id is a hash of it. */
      readonly content: Uint8Array;
    }
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
]);

const fieldsOf = ({ epoch, generation, sequence }: SentPlace) => [epoch, generation, sequence];

/** Deterministic CBOR of an answer. @throws AppError `argument-invalid` */
export function encodeAgain(again: Again): Uint8Array {
  const fields =
    again.outcome === "again"
      ? [0, fieldsOf(again.place), again.takenAtMs, again.content]
      : [again.outcome === "over" ? 1 : 2, again.places.map(fieldsOf)];
  parse(answerSchema, fields, "argument-invalid");
  return encodeCbor(fields);
}

/** @throws AppError `frame-malformed`, `frame-too-large` */
export function decodeAgain(bytes: Uint8Array): Again {
  return parse(answerSchema, decodeCbor(bytes, maxAnswerBytes));
}
