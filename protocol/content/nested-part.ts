import * as v from "valibot";
import { AppError } from "../errors.ts";
import { countSchema, parse } from "../schema.ts";

/** What a part is for. Values up to 255 that aren't here are treated as `render`. Source: draft-ietf-mimi-content-08 §4.4 and §9.1. */
export const disposition = {
  unspecified: 0,
  render: 1,
  reaction: 2,
  profile: 3,
  inline: 4,
  icon: 5,
  attachment: 6,
  session: 7,
  preview: 8,
} as const;

/** How the parts of a multipart belong together. */
export type PartSemantics = "choose-one" | "single-unit" | "process-all";
const partSemantics = ["choose-one", "single-unit", "process-all"] as const;

interface PartCommon {
  /** One of {@link disposition}, or another number up to 255. */
  readonly disposition: number;
  /** Empty, or language tags (RFC 5646) with commas between. */
  readonly language: string;
}

/** No body: a recall, or a reaction taken back. */
export interface NullPart extends PartCommon {
  readonly kind: "null";
}

/** A body that is in the message. */
export interface SinglePart extends PartCommon {
  readonly kind: "single";
  /** Media type with its parameters. */
  readonly contentType: string;
  readonly content: Uint8Array;
}

/** A body that is elsewhere, usually encrypted. */
export interface ExternalPart extends PartCommon {
  readonly kind: "external";
  readonly contentType: string;
  readonly url: string;
  /** Seconds since 1970-01-01T00:00Z, or 0. */
  readonly expiresSeconds: number;
  /** 0 when it isn't known. */
  readonly sizeBytes: number;
  /** IANA's number of the AEAD, or 0. */
  readonly encryptionAlgorithm: number;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly additionalData: Uint8Array;
  /** IANA's number of the named information hash algorithm. */
  readonly hashAlgorithm: number;
  readonly contentHash: Uint8Array;
  readonly description: string;
  readonly filename: string;
}

/** Two or more parts. */
export interface MultiPart extends PartCommon {
  readonly kind: "multi";
  readonly semantics: PartSemantics;
  readonly parts: readonly NestedPart[];
}

/**
 * A message's body.
 * Source: draft-ietf-mimi-content-08 §4.4 and §4.5.
 */
export type NestedPart = NullPart | SinglePart | ExternalPart | MultiPart;

/** Levels of parts, the outermost included. Source: draft-ietf-mimi-content-08 §6.3. */
export const maxPartDepth = 4;
/** Parts of a message, all levels together. Source: draft-ietf-mimi-content-08 §9.1. */
export const maxParts = 1024;

const byteSchema = v.pipe(countSchema, v.maxValue(0xff));
const textSchema = v.pipe(v.string(), v.maxBytes(4096));
const contentTypeSchema = v.pipe(v.string(), v.maxBytes(255));
const bytesSchema = v.instance(Uint8Array);
const keySchema = v.pipe(bytesSchema, v.maxLength(255));
const common = [byteSchema, contentTypeSchema] as const;
const count32Schema = v.pipe(countSchema, v.maxValue(2 ** 32 - 1));

const cardinalitySchema = v.looseTuple([...common, v.pipe(countSchema, v.maxValue(3))]);
const nullSchema = v.strictTuple([...common, v.literal(0)]);
const singleSchema = v.strictTuple([...common, v.literal(1), contentTypeSchema, bytesSchema]);
const externalSchema = v.strictTuple([
  ...common,
  v.literal(2),
  contentTypeSchema,
  textSchema,
  count32Schema,
  countSchema,
  v.pipe(countSchema, v.maxValue(0xffff)),
  keySchema,
  keySchema,
  v.pipe(bytesSchema, v.maxLength(4096)),
  byteSchema,
  keySchema,
  textSchema,
  textSchema,
]);
const multiSchema = v.strictTuple([
  ...common,
  v.literal(3),
  v.pipe(countSchema, v.maxValue(2)),
  v.pipe(v.array(v.unknown()), v.minLength(2), v.maxLength(maxParts)),
]);

/** The fields as they stand in CBOR. */
export function nestedPartFields(part: NestedPart): readonly unknown[] {
  switch (part.kind) {
    case "null":
      return [part.disposition, part.language, 0];
    case "single":
      return [part.disposition, part.language, 1, part.contentType, part.content];
    case "external":
      return [
        part.disposition,
        part.language,
        2,
        part.contentType,
        part.url,
        part.expiresSeconds,
        part.sizeBytes,
        part.encryptionAlgorithm,
        part.key,
        part.nonce,
        part.additionalData,
        part.hashAlgorithm,
        part.contentHash,
        part.description,
        part.filename,
      ];
    case "multi":
      return [
        part.disposition,
        part.language,
        3,
        partSemantics.indexOf(part.semantics),
        part.parts.map(nestedPartFields),
      ];
  }
}

/**
 * Reads a body from its CBOR fields.
 *
 * @throws AppError `frame-malformed`, also for more than {@link maxPartDepth} levels or {@link maxParts} parts
 */
export function parseNestedPart(fields: unknown): NestedPart {
  const budget = { parts: maxParts };
  return parsePart(fields, maxPartDepth, budget);
}

function parsePart(fields: unknown, depthLeft: number, budget: { parts: number }): NestedPart {
  budget.parts -= 1;
  if (depthLeft === 0 || budget.parts < 0) {
    throw new AppError("frame-malformed", { data: { reason: "too many parts" } });
  }
  const [, , cardinality] = parse(cardinalitySchema, fields);
  switch (cardinality) {
    case 0: {
      const [part, language] = parse(nullSchema, fields);
      return { kind: "null", disposition: part, language };
    }
    case 1: {
      const [part, language, , contentType, content] = parse(singleSchema, fields);
      return { kind: "single", disposition: part, language, contentType, content };
    }
    case 2:
      return parseExternal(fields);
    default: {
      const [part, language, , semantics, items] = parse(multiSchema, fields);
      const parts = items.map((item) => parsePart(item, depthLeft - 1, budget));
      const named = partSemantics[semantics] ?? "choose-one";
      return { kind: "multi", disposition: part, language, semantics: named, parts };
    }
  }
}

function parseExternal(fields: unknown): ExternalPart {
  const item = parse(externalSchema, fields);
  return {
    kind: "external",
    disposition: item[0],
    language: item[1],
    contentType: item[3],
    url: item[4],
    expiresSeconds: item[5],
    sizeBytes: item[6],
    encryptionAlgorithm: item[7],
    key: item[8],
    nonce: item[9],
    additionalData: item[10],
    hashAlgorithm: item[11],
    contentHash: item[12],
    description: item[13],
    filename: item[14],
  };
}
