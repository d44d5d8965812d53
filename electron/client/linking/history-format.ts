import * as v from "valibot";
import {
  bytesSchema,
  conversationIdSchema,
  countSchema,
  decodeCbor,
  encodeCbor,
  exactBytesSchema,
  messageIdSchema,
  parse,
  timestampMsSchema,
  userIdSchema,
} from "#protocol";

/*
 * What two linked devices say to each other while messages come over. The new one asks, page by page and from the newest to the oldest, and keeps how far
 * it has come together with what it got: whichever of the two stops, the next question goes on from there.
 */

/** Bytes of bodies in one page, at which it is full; a page holds one message at least. */
export const pageBytes = 64 * 1024;
/** Most messages in one page. */
export const pageMessages = 100;
/** Most conversations of which messages come over. */
export const maxListed = 1000;
const maxHistoryBytes = 250 * 1024;
export const requestIdBytes = 16;

const bodySchema = v.nullable(bytesSchema(128 * 1024));
const requestIdSchema = exactBytesSchema(requestIdBytes);

const rowSchema = v.strictObject({
  messageId: messageIdSchema,
  order: countSchema,
  kind: v.picklist(["text", "recalled", "system"]),
  sender: userIdSchema,
  sentAtMs: timestampMsSchema,
  endsAtMs: timestampMsSchema,
  origin: v.picklist(["message", "conversation", "network"]),
  originSeconds: countSchema,
  burnSeconds: v.nullable(countSchema),
  revealed: v.boolean(),
  burnsAtMs: v.nullable(timestampMsSchema),
  epoch: countSchema,
  /** Boxed for the other device. */
  body: bodySchema,
  edited: v.boolean(),
  replyTo: v.nullable(messageIdSchema),
  /** The receipt that its sender has, or will have from the other device. */
  owed: v.pipe(countSchema, v.maxValue(3)),
  reactions: v.pipe(
    v.array(
      v.strictObject({
        reactionId: messageIdSchema,
        sender: userIdSchema,
        endsAtMs: timestampMsSchema,
        body: bytesSchema(1024),
      }),
    ),
    v.maxLength(1000),
  ),
  receipts: v.pipe(
    v.array(
      v.strictObject({
        userId: userIdSchema,
        deliveredAtMs: v.nullable(timestampMsSchema),
        readAtMs: v.nullable(timestampMsSchema),
        burned: v.boolean(),
      }),
    ),
    v.maxLength(2000),
  ),
});
/** A message on its way. */
export type HistoryRow = v.InferOutput<typeof rowSchema>;

const listedSchema = v.strictObject({
  conversationId: conversationIdSchema,
  /** How many of its messages come over. */
  count: countSchema,
  readOrder: countSchema,
  lastActivityMs: timestampMsSchema,
  pinned: v.boolean(),
  muted: v.boolean(),
});
/** A conversation whose messages come over. */
export type ListedConversation = v.InferOutput<typeof listedSchema>;

const saidSchema = v.variant("kind", [
  /** The new device is on line, and its key packages are there. */
  v.strictObject({ kind: v.literal("ready"), requestId: requestIdSchema }),
  v.strictObject({
    kind: v.literal("list"),
    requestId: requestIdSchema,
    conversations: v.pipe(v.array(listedSchema), v.maxLength(maxListed)),
  }),
  /** Messages before an order, the newest first. `done`: how many have come over so far. */
  v.strictObject({
    kind: v.literal("want"),
    requestId: requestIdSchema,
    conversationId: conversationIdSchema,
    beforeOrder: countSchema,
    done: countSchema,
  }),
  v.strictObject({
    kind: v.literal("have"),
    requestId: requestIdSchema,
    rows: v.pipe(v.array(rowSchema), v.maxLength(pageMessages)),
    /** Where the next page begins; null: there is no more. */
    beforeOrder: v.nullable(countSchema),
  }),
  /** The new device has all of it. */
  v.strictObject({ kind: v.literal("end"), done: countSchema }),
]);
/** One thing that is said. */
export type HistorySaid = v.InferOutput<typeof saidSchema>;

export function encodeHistory(said: HistorySaid): Uint8Array {
  return encodeCbor(said);
}

/** @throws AppError `frame-malformed`, `frame-too-large` */
export function decodeHistory(bytes: Uint8Array): HistorySaid {
  return parse(saidSchema, decodeCbor(bytes, maxHistoryBytes));
}
