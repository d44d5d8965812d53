export {
  decodeAgain,
  encodeAgain,
  maxAgainBytes,
  type Again,
  type SaidAgain,
  type SealedAgain,
  type SentPlace,
} from "./again.ts";
export { burnSecondsKey, maxUriBytes, type ExtensionKey, type Extensions } from "./extensions.ts";
export type { Expiration } from "./expiration.ts";
export { messageId, messageIdHashAlgorithm, type MessageIdInput } from "./message-id.ts";
export {
  decodeMessageStatusReport,
  encodeMessageStatusReport,
  maxReportedMessages,
  messageStatus,
  messageStatusType,
  type PerMessageStatus,
} from "./message-status.ts";
export {
  maxMissingPlaces,
  type MissingGenerations,
  type MissingPlaces,
  type MissingRequest,
  type NumberRange,
} from "./missing.ts";
export { markdownType, plainTextType } from "./message-text.ts";
export {
  decodeMessage,
  encodeMessage,
  type DecodedMessage,
  type EncodedMessage,
  type MessageEnvelope,
  type MessageIntent,
} from "./message.ts";
export {
  decodeMimiContent,
  encodeMimiContent,
  maxContentBytes,
  saltBytes,
  type MimiContent,
} from "./mimi-content.ts";
export {
  disposition,
  maxPartDepth,
  maxParts,
  type ExternalPart,
  type MultiPart,
  type NestedPart,
  type NullPart,
  type PartSemantics,
  type SinglePart,
} from "./nested-part.ts";
export { parseRoomUri, parseUserUri, roomUri, userUri } from "./uris.ts";
