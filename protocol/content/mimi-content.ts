import * as v from "valibot";
import { joinCborArray, splitCborArray } from "../cbor-items.ts";
import { decodeCbor, encodeCbor } from "../cbor.ts";
import { AppError } from "../errors.ts";
import { idToBytes, type MessageId } from "../ids.ts";
import { bytesSchema, exactBytesSchema, parse } from "../schema.ts";
import { expirationFields, expirationSchema, type Expiration } from "./expiration.ts";
import { decodeExtensions, encodeExtensions, type Extensions } from "./extensions.ts";
import { messageReferenceSchema } from "./message-reference.ts";
import { nestedPartFields, parseNestedPart, type NestedPart } from "./nested-part.ts";

/** Size of the salt, bytes. */
export const saltBytes = 16;
/** Largest message content, bytes. */
export const maxContentBytes = 1024 * 1024;
/** Source: draft-ietf-mimi-content-08 §9.1. */
const maxTopicIdBytes = 4096;
/** A fixed array, four levels of parts with an array of parts in each; extensions are shallower. */
const maxContentDepth = 10;

/**
 * What stands in every application message.
 * Source: draft-ietf-mimi-content-08 §4.1.
 */
export interface MimiContent {
  /** 16 random bytes. */
  readonly salt: Uint8Array;
  /** The first version of the message that this one edits, recalls or takes back. */
  readonly replaces: MessageId | null;
  /** Groups messages to a topic; empty for none. */
  readonly topicId: Uint8Array;
  readonly expires: Expiration | null;
  /** The message that this one answers or reacts to. */
  readonly inReplyTo: MessageId | null;
  readonly extensions: Extensions;
  readonly nestedPart: NestedPart;
}

const saltSchema = exactBytesSchema(saltBytes);
const topicIdSchema = bytesSchema(maxTopicIdBytes);
const referenceSchema = v.nullable(messageReferenceSchema);
const expiresSchema = v.nullable(expirationSchema);

/**
 * Deterministic CBOR of a message's content.
 *
 * @throws AppError `argument-invalid`, or `message-too-long` above {@link maxContentBytes}
 * Source: draft-ietf-mimi-content-08 §6.1.
 */
export function encodeMimiContent(content: MimiContent): Uint8Array {
  const { salt, replaces, topicId, expires, inReplyTo, extensions, nestedPart } = content;
  const bytes = joinCborArray([
    encodeCbor(salt),
    encodeCbor(replaces === null ? null : idToBytes(replaces)),
    encodeCbor(topicId),
    encodeCbor(expires === null ? null : expirationFields(expires)),
    encodeCbor(inReplyTo === null ? null : idToBytes(inReplyTo)),
    encodeExtensions(extensions),
    encodeCbor(nestedPartFields(nestedPart)),
  ]);
  if (bytes.length > maxContentBytes) {
    throw new AppError("message-too-long", {
      data: { sizeBytes: bytes.length, maxBytes: maxContentBytes },
    });
  }
  try {
    // What we would refuse to read we don't send.
    decodeMimiContent(bytes);
  } catch (cause) {
    throw new AppError("argument-invalid", { cause });
  }
  return bytes;
}

/**
 * Reads a message's content. What it gives encodes to the same bytes again.
 *
 * @throws AppError `frame-too-large` above {@link maxContentBytes}, `frame-malformed`
 */
export function decodeMimiContent(bytes: Uint8Array): MimiContent {
  if (bytes.length > maxContentBytes) {
    throw new AppError("frame-too-large", {
      data: { sizeBytes: bytes.length, maxBytes: maxContentBytes },
    });
  }
  const items = splitCborArray(bytes, maxContentDepth);
  const [salt, replaces, topicId, expires, inReplyTo, extensions, nestedPart] = items;
  if (extensions === undefined || nestedPart === undefined || items.length !== 7) {
    throw new AppError("frame-malformed", { data: { reason: "not seven fields" } });
  }
  return {
    salt: parse(saltSchema, value(salt)),
    replaces: parse(referenceSchema, value(replaces)),
    topicId: parse(topicIdSchema, value(topicId)),
    expires: parse(expiresSchema, value(expires)),
    inReplyTo: parse(referenceSchema, value(inReplyTo)),
    extensions: decodeExtensions(extensions),
    nestedPart: parseNestedPart(value(nestedPart)),
  };
}

function value(item: Uint8Array = new Uint8Array()): unknown {
  return decodeCbor(item, maxContentBytes);
}
