import * as v from "valibot";
import { idFromBytes, type MessageId } from "../ids.ts";
import { exactBytesSchema } from "../schema.ts";
import { messageIdHashAlgorithm } from "./message-id.ts";

/**
 * A message id inside content: 32 bytes, the first of them a hash algorithm that we know.
 * Source: draft-ietf-mimi-content-08 §4.1 and §9.1.
 */
export const messageReferenceSchema = v.pipe(
  exactBytesSchema(32),
  v.check((bytes) => bytes[0] === messageIdHashAlgorithm, "unknown hash algorithm"),
  v.transform((bytes): MessageId => idFromBytes<MessageId>(bytes)),
);
