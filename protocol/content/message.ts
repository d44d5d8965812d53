import { AppError } from "../errors.ts";
import type { MessageId } from "../ids.ts";
import { decodeUtf8 } from "../utf8.ts";
import { againType, decodeAgain, encodeAgain, type Again } from "./again.ts";
import { messageId } from "./message-id.ts";
import {
  decodeMessageStatusReport,
  encodeMessageStatusReport,
  messageStatusType,
  type PerMessageStatus,
} from "./message-status.ts";
import {
  contentTypesOf,
  isMediaType,
  markdownOf,
  markdownType,
  plainTextType,
  textPart,
} from "./message-text.ts";
import { decodeMimiContent, encodeMimiContent, type MimiContent } from "./mimi-content.ts";
import {
  decodeMissingRequest,
  encodeMissingRequest,
  missingType,
  type MissingRequest,
} from "./missing.ts";
import { disposition, type NestedPart, type SinglePart } from "./nested-part.ts";

/** What a message means to the people of a conversation. */
export type MessageIntent =
  /** A text; with `replaces`, the new version of one (the id of its first version). */
  | {
      readonly kind: "text";
      /** GitHub Flavored Markdown; raw HTML is text. */
      readonly markdown: string;
      readonly replyTo: MessageId | null;
      readonly replaces: MessageId | null;
    }
  /** One emoji on a message; with `replaces`, in place of an earlier reaction of the same sender. */
  | {
      readonly kind: "reaction";
      readonly emoji: string;
      readonly to: MessageId;
      readonly replaces: MessageId | null;
    }
  /** Takes a reaction back: `replaces` is the reaction's own message id. */
  | { readonly kind: "unreact"; readonly replaces: MessageId; readonly to: MessageId | null }
  /** Recalls a message for everybody: `replaces` is the id of its first version. */
  | { readonly kind: "recall"; readonly replaces: MessageId }
  /** Receipts. */
  | { readonly kind: "status"; readonly statuses: readonly PerMessageStatus[] }
  /** Asks for messages that never came or can't be opened (ADR 0023). */
  | { readonly kind: "missing"; readonly request: MissingRequest }
  /** What became of messages that somebody asked for. */
  | { readonly kind: "again"; readonly again: Again };

/** What goes with a message, whatever it says. */
export interface MessageEnvelope {
  /** 16 random bytes, never used before. */
  readonly salt: Uint8Array;
  readonly senderUri: string;
  readonly roomUri: string;
  /** The absolute end: every message of Sotto has one. Rounded up to a whole second. */
  readonly expiresAtMs: number;
  /** Seconds from being seen until a reader's copy ends, or null. */
  readonly burnSeconds: number | null;
}

/** A message ready to be encrypted. */
export interface EncodedMessage {
  readonly bytes: Uint8Array;
  readonly messageId: MessageId;
  /** The end as all others will read it: `expiresAtMs` rounded up to a whole second. Use this one from here on. */
  readonly expiresAtMs: number;
}

/** A message as it came out of decryption. */
export type DecodedMessage = {
  readonly messageId: MessageId;
  /** The absolute end; null when a foreign sender gave none: the conversation's timers then decide. */
  readonly expiresAtMs: number | null;
  readonly burnSeconds: number | null;
} & (
  | MessageIntent
  /** Something this version doesn't show: it stands in the conversation as such, nothing is hidden. */
  | {
      readonly kind: "unsupported";
      readonly contentTypes: readonly string[];
      readonly replyTo: MessageId | null;
      readonly replaces: MessageId | null;
    }
);

/** Longest reaction, UTF-16 code units. */
const maxEmojiLength = 32;

/**
 * Writes a message.
 *
 * MIMI counts ends in whole seconds: the end is rounded up, so that no copy ends before the time its sender was shown. Checks
 * against a bound must allow for that second.
 *
 * @throws AppError `argument-invalid`, `message-too-long`
 */
export function encodeMessage(intent: MessageIntent, envelope: MessageEnvelope): EncodedMessage {
  const { salt, senderUri, roomUri, burnSeconds } = envelope;
  const timeSeconds = Math.ceil(envelope.expiresAtMs / 1000);
  const bytes = encodeMimiContent({
    salt,
    replaces: "replaces" in intent ? intent.replaces : null,
    topicId: new Uint8Array(),
    expires: { relative: false, timeSeconds },
    inReplyTo: inReplyTo(intent),
    extensions: { senderUri, roomUri, burnSeconds, others: new Map() },
    nestedPart: body(intent),
  });
  return {
    bytes,
    messageId: messageId({ senderUri, roomUri, message: bytes, salt }),
    expiresAtMs: timeSeconds * 1000,
  };
}

function inReplyTo(intent: MessageIntent): MessageId | null {
  switch (intent.kind) {
    case "text":
      return intent.replyTo;
    case "reaction":
    case "unreact":
      return intent.to;
    case "recall":
    case "status":
    case "missing":
    case "again":
      return null;
  }
}

function body(intent: MessageIntent): NestedPart {
  switch (intent.kind) {
    case "text":
      return textPart(disposition.render, markdownType, intent.markdown);
    case "reaction":
      if (!isEmoji(intent.emoji)) {
        throw new AppError("argument-invalid", { data: { reason: "not a reaction" } });
      }
      return textPart(disposition.reaction, plainTextType, intent.emoji);
    case "unreact":
      return { kind: "null", disposition: disposition.reaction, language: "" };
    case "recall":
      return { kind: "null", disposition: disposition.render, language: "" };
    case "status":
      // A receipt is a message like any other (draft-ietf-mimi-content-08 §3.5), so it has an id, an end and one way in.
      return controlPart(messageStatusType, encodeMessageStatusReport(intent.statuses));
    case "missing":
      return controlPart(missingType, encodeMissingRequest(intent.request));
    case "again":
      return controlPart(againType, encodeAgain(intent.again));
  }
}

/** What isn't to be seen in the conversation. */
function controlPart(contentType: string, content: Uint8Array): SinglePart {
  return {
    kind: "single",
    disposition: disposition.unspecified,
    language: "",
    contentType,
    content,
  };
}

function isEmoji(text: string): boolean {
  return text.length > 0 && text.length <= maxEmojiLength && !/[\p{Cc}\p{Z}]/u.test(text);
}

/**
 * Reads a message that MLS says is from `senderUri` in `roomUri`.
 *
 * Says nothing about rights: whether the sender may edit or recall what `replaces` names is for the caller to check
 * (draft-ietf-mimi-content-08 §9.3), as is whether the id was seen before and the end is within the conversation's bound.
 *
 * @throws AppError `frame-too-large`, `frame-malformed`; the latter also when the content names another sender or room
 */
export function decodeMessage(
  bytes: Uint8Array,
  senderUri: string,
  roomUri: string,
): DecodedMessage {
  const content = decodeMimiContent(bytes);
  const { salt, extensions } = content;
  if ((extensions.senderUri ?? senderUri) !== senderUri) {
    throw new AppError("frame-malformed", { data: { reason: "names another sender" } });
  }
  if ((extensions.roomUri ?? roomUri) !== roomUri) {
    throw new AppError("frame-malformed", { data: { reason: "names another conversation" } });
  }
  return {
    messageId: messageId({ senderUri, roomUri, message: bytes, salt }),
    ...endOf(content),
    ...(intentOf(content) ?? {
      kind: "unsupported",
      contentTypes: contentTypesOf(content),
      replyTo: content.inReplyTo,
      replaces: content.replaces,
    }),
  };
}

function endOf({
  expires,
  extensions,
}: MimiContent): Pick<DecodedMessage, "expiresAtMs" | "burnSeconds"> {
  const { burnSeconds } = extensions;
  if (expires === null) return { expiresAtMs: null, burnSeconds };
  if (!expires.relative) return { expiresAtMs: expires.timeSeconds * 1000, burnSeconds };
  if (burnSeconds !== null) {
    throw new AppError("frame-malformed", { data: { reason: "two burn-on-read times" } });
  }
  return { expiresAtMs: null, burnSeconds: expires.timeSeconds };
}

function intentOf(content: MimiContent): MessageIntent | undefined {
  const { nestedPart: part, replaces, inReplyTo: to } = content;
  if (part.kind === "null") {
    if (replaces === null) return undefined;
    return part.disposition === disposition.reaction
      ? { kind: "unreact", replaces, to }
      : { kind: "recall", replaces };
  }
  const control = part.kind === "single" ? controlOf(part) : undefined;
  if (control !== undefined) return control;
  if (part.disposition === disposition.reaction) {
    return part.kind === "single" && to !== null ? reactionOf(part, to, replaces) : undefined;
  }
  const markdown = markdownOf(part);
  return markdown === undefined ? undefined : { kind: "text", markdown, replyTo: to, replaces };
}

function controlOf({ contentType, content }: SinglePart): MessageIntent | undefined {
  if (isMediaType(contentType, messageStatusType)) {
    return { kind: "status", statuses: decodeMessageStatusReport(content) };
  }
  if (isMediaType(contentType, missingType)) {
    return { kind: "missing", request: decodeMissingRequest(content) };
  }
  if (isMediaType(contentType, againType)) return { kind: "again", again: decodeAgain(content) };
  return undefined;
}

function reactionOf(
  part: SinglePart,
  to: MessageId,
  replaces: MessageId | null,
): MessageIntent | undefined {
  if (!isMediaType(part.contentType, "text/plain")) return undefined;
  const emoji = decodeUtf8(part.content);
  return isEmoji(emoji) ? { kind: "reaction", emoji, to, replaces } : undefined;
}
