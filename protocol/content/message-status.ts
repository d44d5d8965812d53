import * as v from "valibot";
import { decodeCbor, encodeCbor } from "../cbor.ts";
import { idToBytes, type MessageId } from "../ids.ts";
import { countSchema, parse } from "../schema.ts";
import { messageReferenceSchema } from "./message-reference.ts";

/** The media type of a status report. */
export const messageStatusType = "application/mimi-message-status";

/** What can be reported of a message. Source: draft-mahy-mimi-message-status-01 §3. */
export const messageStatus = {
  unread: 0,
  delivered: 1,
  read: 2,
  /** Its time was up, or it burned after having been read. */
  expired: 3,
  deleted: 4,
  hidden: 5,
  error: 6,
} as const;

/** Most messages in one report. */
export const maxReportedMessages = 1000;
const maxReportBytes = 64 * 1024;

/** What the reporter's client knows of one message. The report's time is the time at which the relay took it. */
export interface PerMessageStatus {
  readonly messageId: MessageId;
  /** One of {@link messageStatus}, or another number up to 255 that a later version may send. */
  readonly status: number;
}

const reportSchema = v.pipe(
  v.array(v.strictTuple([messageReferenceSchema, v.pipe(countSchema, v.maxValue(0xff))])),
  v.maxLength(maxReportedMessages),
);

/**
 * Deterministic CBOR of a status report.
 *
 * @throws AppError `argument-invalid` for more than {@link maxReportedMessages} messages or a status above 255
 * Source: draft-mahy-mimi-message-status-01 §4.
 */
export function encodeMessageStatusReport(statuses: readonly PerMessageStatus[]): Uint8Array {
  const fields = statuses.map(({ messageId, status }) => [idToBytes(messageId), status]);
  parse(reportSchema, fields, "argument-invalid");
  return encodeCbor(fields);
}

/** @throws AppError `frame-malformed`, `frame-too-large` */
export function decodeMessageStatusReport(bytes: Uint8Array): readonly PerMessageStatus[] {
  const fields = parse(reportSchema, decodeCbor(bytes, maxReportBytes));
  return fields.map(([messageId, status]) => ({ messageId, status }));
}
