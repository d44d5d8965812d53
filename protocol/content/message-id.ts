import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "../bytes.ts";
import { AppError } from "../errors.ts";
import { idFromBytes, type MessageId } from "../ids.ts";
import { encodeUtf8 } from "../utf8.ts";

/** SHA-256 in IANA's registry of named information hash algorithms: the first byte of every message id. */
export const messageIdHashAlgorithm = 0x01;
const maxUriBytes = 0xffff;

function withLength(uri: string): Uint8Array {
  const bytes = encodeUtf8(uri);
  if (bytes.length > maxUriBytes) {
    throw new AppError("argument-invalid", {
      data: { reason: "URI too long", sizeBytes: bytes.length },
    });
  }
  return concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
}

/** What a message's id is made of. */
export interface MessageIdInput {
  readonly senderUri: string;
  readonly roomUri: string;
  /** The whole encoded content, salt included. */
  readonly message: Uint8Array;
  /** The content's salt, again. */
  readonly salt: Uint8Array;
}

/**
 * The id of a message: the hash algorithm's number and the first 31 bytes of its hash over sender, room, content and salt.
 *
 * @throws AppError `argument-invalid` when a URI is longer than 65,535 bytes
 * Source: draft-ietf-mimi-content-08 §3.3.
 */
export function messageId({ senderUri, roomUri, message, salt }: MessageIdInput): MessageId {
  const hash = sha256(concatBytes(withLength(senderUri), withLength(roomUri), message, salt));
  return idFromBytes<MessageId>(
    concatBytes(Uint8Array.of(messageIdHashAlgorithm), hash.subarray(0, 31)),
  );
}
