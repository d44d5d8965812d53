import {
  decodeCbor,
  encodeCbor,
  parse,
  exactBytesSchema,
  countSchema,
  rejectionsSchema,
} from "#protocol";
import * as v from "valibot";

/** What is kept of a `reopened` entry beside what every entry has. */
const reopeningSchema = v.strictObject({
  voids: countSchema,
  commitHash: exactBytesSchema(32),
  rejections: rejectionsSchema,
});
/** What a `reopened` entry says. */
type Reopening = v.InferOutput<typeof reopeningSchema>;

const maxBytes = 16 * 1024;

/** A `reopened` entry's bytes, as they are stored. */
export function encodeReopening(reopening: Reopening): Uint8Array {
  return encodeCbor(reopening);
}

/** @throws AppError `frame-malformed` for bytes that {@link encodeReopening} didn't give */
export function decodeReopening(bytes: Uint8Array): Reopening {
  return parse(reopeningSchema, decodeCbor(bytes, maxBytes));
}
