import * as v from "valibot";
import { conversationIdSchema, deviceIdSchema } from "../ids.ts";
import { ed25519SignatureBytes, signedRecordSchema } from "../records.ts";
import { bytesSchema, countSchema, exactBytesSchema, timestampMsSchema } from "../schema.ts";
import { maxFrameBytes } from "./frames.ts";

/** An MLSMessage or a part of one. */
export const mlsBytesSchema = bytesSchema(maxFrameBytes);

/** Most rejections that come with a `reopened` entry. */
export const maxRejections = 16;
/** Devices' signed word that they can't take a commit: see `rejectionPayload`. */
export const rejectionsSchema = v.pipe(
  v.array(
    v.strictObject({
      deviceId: deviceIdSchema,
      signature: exactBytesSchema(ed25519SignatureBytes),
    }),
  ),
  v.maxLength(maxRejections),
);

/** An entry of a conversation's group log, as members get it. `sequence` counts from 1 without gaps. */
export const groupEntrySchema = v.variant("kind", [
  v.strictObject({
    kind: v.literal("application"),
    sequence: countSchema,
    epoch: countSchema,
    sender: deviceIdSchema,
    receivedAtMs: timestampMsSchema,
    /** When the relay drops it, or null for a control message that lives until all have it. */
    expiresAtMs: v.nullable(timestampMsSchema),
    bytes: mlsBytesSchema,
  }),
  v.strictObject({
    kind: v.literal("commit"),
    sequence: countSchema,
    /** The epoch that the commit ends. */
    epoch: countSchema,
    sender: deviceIdSchema,
    receivedAtMs: timestampMsSchema,
    bytes: mlsBytesSchema,
  }),
  /**
   * An epoch is open again (docs/adr/0022): the commit at `voids` counts for nothing, and neither does anything between it and here; roster and
   * GroupInfo are those from before it.
   */
  v.strictObject({
    kind: v.literal("reopened"),
    sequence: countSchema,
    /** The epoch that the void commit was to end. */
    epoch: countSchema,
    voids: countSchema,
    /** SHA-256 of the void commit. */
    commitHash: exactBytesSchema(32),
    /** Who made it. */
    sender: deviceIdSchema,
    receivedAtMs: timestampMsSchema,
    rejections: rejectionsSchema,
  }),
  /** The place of an entry that ended, was recalled or that all members have; only its number remains. */
  v.strictObject({ kind: v.literal("dropped"), sequence: countSchema }),
]);
/** An entry of a conversation's group log. */
export type GroupEntry = v.InferOutput<typeof groupEntrySchema>;

/** An entry of a device's inbox. `sequence` counts from 1. */
export const inboxEntrySchema = v.strictObject({
  sequence: countSchema,
  kind: v.literal("welcome"),
  conversationId: conversationIdSchema,
  /** The group log's sequence of the commit that added this device: reading goes on after it. */
  groupSequence: countSchema,
  sender: deviceIdSchema,
  receivedAtMs: timestampMsSchema,
  bytes: mlsBytesSchema,
});
/** An entry of a device's inbox. */
export type InboxEntry = v.InferOutput<typeof inboxEntrySchema>;

/** Most devices that a person can have at a time. */
export const maxActiveDevices = 10;
/** Most devices that a person can ever have had, so that each of them can be revoked. */
export const maxKnownDevices = 50;

/** A directory row: a person and their devices, each record as signed. */
export const directoryEntrySchema = v.strictObject({
  /** The directory's version at which this entry last changed. */
  version: countSchema,
  user: signedRecordSchema,
  /** Revoked ones too: their leaves can still be in a group that somebody joins, and are known by these records. */
  devices: v.pipe(v.array(signedRecordSchema), v.maxLength(maxKnownDevices)),
  revocations: v.pipe(v.array(signedRecordSchema), v.maxLength(maxKnownDevices)),
  /** The latest one; null for somebody who never was suspended. */
  suspension: v.nullable(signedRecordSchema),
});
/** A person and their devices, revocations and suspension, as signed. */
export type DirectoryEntry = v.InferOutput<typeof directoryEntrySchema>;
