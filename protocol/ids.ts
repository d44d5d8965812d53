import * as v from "valibot";
import { fromBase64url, toBase64url } from "./bytes.ts";
import { AppError } from "./errors.ts";

/** Nominal typing for values that share a representation. */
export type Brand<Value, Name extends string> = Value & { readonly __brand: Name };

/** An organisation: base64url of the first 16 bytes of SHA-256 of its network key (22 characters). */
export type NetworkId = Brand<string, "NetworkId">;
/** A person in a network: base64url of 16 random bytes. */
export type UserId = Brand<string, "UserId">;
/** One of a person's devices, an MLS leaf: base64url of 16 random bytes. */
export type DeviceId = Brand<string, "DeviceId">;
/** A conversation and its MLS group: base64url of the 16-byte group id. */
export type ConversationId = Brand<string, "ConversationId">;
/** A message: base64url of the 32-byte MIMI message id (43 characters). */
export type MessageId = Brand<string, "MessageId">;
/** A vault directory on this device: base64url of 16 random bytes. */
export type VaultId = Brand<string, "VaultId">;
/** An encrypted attachment on this device: base64url of 16 random bytes. */
export type BlobId = Brand<string, "BlobId">;
/** An invite as the relay knows it: base64url of 16 random bytes; not the token that redeems it. */
export type InviteId = Brand<string, "InviteId">;
/** Where two of a person's devices meet at the relay: base64url of 16 bytes that nobody else can guess. */
export type RendezvousId = Brand<string, "RendezvousId">;
/** An MLS KeyPackageRef (RFC 9420 §5.2): base64url of the hash, 32, 48 or 64 bytes. */
export type KeyPackageRef = Brand<string, "KeyPackageRef">;

const shortIdBytes = 16;
const messageIdBytes = 32;

function isBase64urlOf(sizeBytes: number): (text: string) => boolean {
  return (text) => fromBase64url(text)?.length === sizeBytes;
}

function idSchema<Name extends string>(name: Name, sizeBytes: number) {
  return v.pipe(
    v.string(),
    v.check(isBase64urlOf(sizeBytes), `not a ${name}: ${String(sizeBytes)} bytes in base64url`),
    v.transform((text) => text as Brand<string, Name>),
  );
}

/** Schemas that turn outside text into branded ids. */
export const networkIdSchema = idSchema("NetworkId", shortIdBytes);
export const userIdSchema = idSchema("UserId", shortIdBytes);
export const deviceIdSchema = idSchema("DeviceId", shortIdBytes);
export const conversationIdSchema = idSchema("ConversationId", shortIdBytes);
export const vaultIdSchema = idSchema("VaultId", shortIdBytes);
export const rendezvousIdSchema = idSchema("RendezvousId", shortIdBytes);
export const inviteIdSchema = idSchema("InviteId", shortIdBytes);
export const messageIdSchema = idSchema("MessageId", messageIdBytes);

const idSizes = new Set([shortIdBytes, messageIdBytes, 48, 64]);

/**
 * The id whose bytes are given.
 *
 * The type can't tell one kind of id from another here: name it, as in `idFromBytes<UserId>(bytes)`, and use a schema for
 * anything that comes from outside.
 *
 * @param bytes - 16 bytes; 32 for a message id; 32, 48 or 64 for a key package reference
 * @throws AppError `internal` for another size
 */
export function idFromBytes<Id extends Brand<string, string>>(bytes: Uint8Array): Id {
  if (!idSizes.has(bytes.length)) {
    throw new AppError("internal", { data: { reason: "not an id", sizeBytes: bytes.length } });
  }
  return toBase64url(bytes) as Id;
}

/**
 * The bytes an id stands for.
 *
 * @throws AppError `internal` when something that isn't an id was branded as one
 */
export function idToBytes(id: Brand<string, string>): Uint8Array {
  const bytes = fromBase64url(id);
  if (bytes === undefined) throw new AppError("internal", { data: { reason: "not an id" } });
  return bytes;
}
