import {
  decodeMlsMessage,
  encodeMlsMessage,
  type Decoder,
  type GroupInfo,
  type KeyPackage,
  type MLSMessage,
  type PrivateMessage,
  type PublicMessage,
  type Welcome,
} from "ts-mls";
import * as v from "valibot";
import { AppError, decodeCbor, encodeCbor, equalBytes, parse } from "#protocol";

/** Largest MLSMessage that is looked at: a Welcome with its tree for a thousand devices fits, bytes. */
const maxMessageBytes = 8 * 1024 * 1024;

/**
 * Decodes the whole of `bytes`, and only their one right encoding: the library's decoder reads past unknown presence octets and
 * ignores what follows.
 *
 * @throws AppError `frame-malformed`
 */
function decodeExactly<Value>(
  decode: Decoder<Value>,
  encode: (value: Value) => Uint8Array,
  bytes: Uint8Array,
): Value {
  let value: Value | undefined;
  let again: Uint8Array | undefined;
  try {
    value = decode(bytes, 0)?.[0];
    if (value !== undefined) again = encode(value);
  } catch (cause) {
    throw new AppError("frame-malformed", { cause });
  }
  if (value === undefined || again === undefined || !equalBytes(again, bytes)) {
    throw notExact();
  }
  return value;
}

function decodeMessage(bytes: Uint8Array): MLSMessage {
  if (bytes.length > maxMessageBytes) {
    throw new AppError("frame-too-large", { data: { sizeBytes: bytes.length } });
  }
  const decoded = decodedOrUndefined(bytes);
  // All its lengths are minimal when the whole has the right size, and the rest of it is free or out of a closed table: the frequent
  // kind isn't encoded again to be compared.
  if (decoded?.[0].wireformat === "mls_private_message") {
    const [message, readBytes] = decoded;
    const isExact = readBytes === bytes.length && sizeOf(message.privateMessage) === bytes.length;
    if (!isExact) throw notExact();
    return message;
  }
  return decodeExactly(decodeMlsMessage, encodeMlsMessage, bytes);
}

function decodedOrUndefined(bytes: Uint8Array): [MLSMessage, number] | undefined {
  try {
    return decodeMlsMessage(bytes, 0);
  } catch (cause) {
    throw new AppError("frame-malformed", { cause });
  }
}

/** The size of a PrivateMessage's one right encoding as an MLSMessage, bytes. Source: RFC 9420 §2.1.2, §6, §6.3. */
function sizeOf(message: PrivateMessage): number {
  const { groupId, authenticatedData, encryptedSenderData, ciphertext } = message;
  const headBytes = 2 + 2 + 8 + 1;
  return [groupId, authenticatedData, encryptedSenderData, ciphertext].reduce(
    (sum, { length }) => sum + (length < 64 ? 1 : length < 16_384 ? 2 : 4) + length,
    headBytes,
  );
}

function notExact(): AppError {
  return new AppError("frame-malformed", { data: { reason: "not one exact MLS structure" } });
}

function wrongKind(message: MLSMessage): AppError {
  return new AppError("frame-malformed", { data: { wireformat: message.wireformat } });
}

/** An entry of a group's log: everything of members is private; only a device that comes back can't encrypt yet. */
export type LogMessage =
  | { readonly kind: "private"; readonly message: PrivateMessage }
  | { readonly kind: "external-commit"; readonly message: PublicMessage }
  /** A commit that ends the group, and the Welcome to the one that goes on in its place. */
  | { readonly kind: "reinit"; readonly message: PrivateMessage; readonly welcome: Welcome };

/** Deterministic CBOR `[commit, Welcome]`, two MLSMessages. No MLSMessage begins as a CBOR array does. */
const reinitSchema = v.strictTuple([v.instance(Uint8Array), v.instance(Uint8Array)]);
const cborArrayOfTwo = 0x82;

/** @throws AppError `frame-malformed`, `frame-too-large`; also for an MLSMessage of another kind, or of a member who didn't encrypt it */
export function decodeLogMessage(bytes: Uint8Array): LogMessage {
  if (bytes[0] === cborArrayOfTwo) {
    const [commit, welcome] = parse(reinitSchema, decodeCbor(bytes, maxMessageBytes));
    const message = decodeMessage(commit);
    if (message.wireformat !== "mls_private_message") throw wrongKind(message);
    return { kind: "reinit", message: message.privateMessage, welcome: decodeWelcome(welcome) };
  }
  const message = decodeMessage(bytes);
  if (message.wireformat === "mls_private_message") {
    return { kind: "private", message: message.privateMessage };
  }
  if (message.wireformat !== "mls_public_message") throw wrongKind(message);
  const { publicMessage } = message;
  const { content, senderType } = publicMessage;
  if (senderType !== "new_member_commit" || content.contentType !== "commit") {
    throw wrongKind(message);
  }
  return { kind: "external-commit", message: publicMessage };
}

/** @throws AppError `frame-malformed`, `frame-too-large`; also for an MLSMessage of another kind */
export function decodeGroupInfo(bytes: Uint8Array): GroupInfo {
  const message = decodeMessage(bytes);
  if (message.wireformat !== "mls_group_info") throw wrongKind(message);
  return message.groupInfo;
}

/** @throws AppError `frame-malformed`, `frame-too-large`; also for an MLSMessage of another kind */
export function decodeWelcome(bytes: Uint8Array): Welcome {
  const message = decodeMessage(bytes);
  if (message.wireformat !== "mls_welcome") throw wrongKind(message);
  return message.welcome;
}

/** @throws AppError `frame-malformed`, `frame-too-large`; also for an MLSMessage of another kind */
export function decodeKeyPackage(bytes: Uint8Array): KeyPackage {
  const message = decodeMessage(bytes);
  if (message.wireformat !== "mls_key_package") throw wrongKind(message);
  return message.keyPackage;
}

export function encodePrivateMessage(privateMessage: PrivateMessage): Uint8Array {
  return encodeMlsMessage({ version: "mls10", wireformat: "mls_private_message", privateMessage });
}

/** @param welcome - undefined where nobody else is in the group, to read it */
export function encodeReinitEntry(
  commit: PrivateMessage,
  welcome: Welcome | undefined,
): Uint8Array {
  const welcomeBytes = welcome === undefined ? new Uint8Array(0) : encodeWelcome(welcome);
  return encodeCbor([encodePrivateMessage(commit), welcomeBytes]);
}

export function encodePublicMessage(publicMessage: PublicMessage): Uint8Array {
  return encodeMlsMessage({ version: "mls10", wireformat: "mls_public_message", publicMessage });
}

export function encodeWelcome(welcome: Welcome): Uint8Array {
  return encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome });
}

export function encodeKeyPackage(keyPackage: KeyPackage): Uint8Array {
  return encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage });
}

export function encodeGroupInfo(groupInfo: GroupInfo): Uint8Array {
  return encodeMlsMessage({ version: "mls10", wireformat: "mls_group_info", groupInfo });
}
