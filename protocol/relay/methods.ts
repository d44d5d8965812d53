import * as v from "valibot";
import type { ErrorCode } from "../errors.ts";
import {
  conversationIdSchema,
  deviceIdSchema,
  inviteIdSchema,
  messageIdSchema,
  rendezvousIdSchema,
  userIdSchema,
} from "../ids.ts";
import { inviteTokenBytes } from "../invite-link.ts";
import { ed25519SignatureBytes, signedRecordSchema } from "../records.ts";
import {
  bytesSchema,
  countSchema,
  exactBytesSchema,
  nameSchema,
  timestampMsSchema,
  type Schema,
} from "../schema.ts";
import { supportedSuites } from "../suites.ts";
import {
  directoryEntrySchema,
  groupEntrySchema,
  inboxEntrySchema,
  mlsBytesSchema,
} from "./entries.ts";

/** One request that a client can make of a relay. */
interface RelayMethod {
  /** Who may ask: anybody who reached the socket and isn't signed in, only a signed-in device, or both. */
  readonly access: "open" | "device" | "any";
  readonly params: Schema;
  readonly result: Schema;
  /**
   * What it can fail with, besides `frame-malformed`, `frame-too-large`, `frame-out-of-order` (before sign-in, or signing in twice),
   * `command-unknown`, `rate-limited` (`data.retryAfterMs`), `relay-storage-failed` and `internal`.
   */
  readonly errors: readonly ErrorCode[];
}

/** The purpose label under which a device signs the sign-in challenge (see `signingInput`). */
export const signInLabel = "SignIn";
/** Size of the challenge in `hello`, bytes. */
export const challengeBytes = 32;
/** Most key packages in one publication, and most devices in one claim. */
export const maxKeyPackages = 200;
export const maxRosterDevices = 2000;
/** Most entries in one page of a log, inbox or the directory. */
export const maxPageEntries = 500;

/** Largest message of a rendezvous, bytes. A visitor's frames allow it less. */
export const maxRendezvousMessageBytes = 256 * 1024;
/** Messages that wait for a side of a rendezvous at most; its other side then waits. */
export const maxRendezvousMessages = 8;
/** Size of the token that holds the guest's seat, bytes. */
export const rendezvousSeatBytes = 16;
/** A rendezvous lives no longer than 7 days. */
const maxRendezvousLifeMs = 7 * 24 * 3_600_000;

const nothing = v.strictObject({});
const rendezvousPlace = {
  rendezvousId: rendezvousIdSchema,
  /** The guest's token, which takes the one seat with the guest's first message; null: the device that opened it. */
  seat: v.nullable(exactBytesSchema(rendezvousSeatBytes)),
};
const keyPackageSchema = bytesSchema(16_384);
const devicesSchema = v.pipe(v.array(deviceIdSchema), v.maxLength(maxRosterDevices));

const inviteSummarySchema = v.strictObject({
  inviteId: inviteIdSchema,
  createdBy: userIdSchema,
  createdAtMs: timestampMsSchema,
  expiresAtMs: timestampMsSchema,
  usesLeft: countSchema,
  uses: countSchema,
});
/** An invite as its maker sees it later; the token itself is shown once, when it is made. */
export type InviteSummary = v.InferOutput<typeof inviteSummarySchema>;

const orderedSchema = v.variant("kind", [
  v.strictObject({
    kind: v.literal("accepted"),
    sequence: countSchema,
    receivedAtMs: timestampMsSchema,
  }),
  /** The log is at another epoch: read up to `headSequence`, then try again. */
  v.strictObject({ kind: v.literal("stale"), epoch: countSchema, headSequence: countSchema }),
]);
/** How the relay ordered a commit or a message. */
export type Ordered = v.InferOutput<typeof orderedSchema>;

/** Every request, by name. */
export const relayMethods = {
  /** Makes an unclaimed relay serve a network. `claimCode` is printed by a relay at its first start. */
  "network.claim": {
    access: "open",
    params: v.strictObject({
      claimCode: v.pipe(v.string(), v.maxLength(64)),
      networkKey: exactBytesSchema(32),
      issuerCertificate: signedRecordSchema,
      policy: signedRecordSchema,
    }),
    result: v.strictObject({
      /** A token for the first administrator, to be redeemed at once with `invite.redeem`. */
      administratorToken: exactBytesSchema(inviteTokenBytes),
    }),
    errors: ["network-claimed", "claim-refused", "signature-invalid", "record-invalid"],
  },
  /** Makes an account from an invite, with its first device. Repeating it with the same account key and device gives the same answer. */
  "invite.redeem": {
    access: "open",
    params: v.strictObject({
      token: exactBytesSchema(inviteTokenBytes),
      displayName: nameSchema,
      accountKey: exactBytesSchema(32),
      /** Chosen by the client, so that the device record can be signed before the answer. */
      userId: userIdSchema,
      device: signedRecordSchema,
    }),
    result: v.strictObject({ user: signedRecordSchema }),
    errors: [
      "invite-unknown",
      "invite-expired",
      "invite-used",
      "record-invalid",
      "signature-invalid",
      "name-invalid",
    ],
  },
  /** Proves who this device is, by signing the challenge of `hello` with the device's MLS signature key. */
  "session.signIn": {
    access: "open",
    params: v.strictObject({
      protocolVersion: countSchema,
      deviceId: deviceIdSchema,
      /** Over `signingInput(signInLabel, signInPayload(…))`. */
      signature: exactBytesSchema(ed25519SignatureBytes),
      /** The vault's sequence number: a lower one than before shows that a vault was rolled back. */
      vaultSequence: countSchema,
    }),
    result: v.strictObject({
      relayTimeMs: timestampMsSchema,
      /** The highest vault sequence this device ever named. */
      highestVaultSequence: countSchema,
      /** Up to where this device ever acknowledged its inbox: a vault that hasn't read so far was rolled back. */
      acknowledgedInboxSequence: countSchema,
      directoryVersion: countSchema,
      /** The policy's version: it may have been changed since `hello`. */
      policyVersion: countSchema,
      keyPackagesLeft: countSchema,
    }),
    errors: [
      "sign-in-refused",
      "protocol-version-unknown",
      "signature-invalid",
      "device-revoked",
      "account-suspended",
    ],
  },
  "policy.get": {
    access: "device",
    params: nothing,
    result: v.strictObject({ policy: signedRecordSchema }),
    errors: [],
  },
  /** Changes the policy; for administrators. Anything but the version after the relay's is `record-invalid`, reason `version`. Repeating it is harmless. */
  "policy.set": {
    access: "device",
    params: v.strictObject({ policy: signedRecordSchema }),
    result: nothing,
    errors: ["not-allowed", "record-invalid", "signature-invalid"],
  },
  "invite.create": {
    access: "device",
    params: v.strictObject({
      expiresAtMs: timestampMsSchema,
      uses: v.pipe(countSchema, v.minValue(1), v.maxValue(1000)),
    }),
    result: v.strictObject({
      token: exactBytesSchema(inviteTokenBytes),
      invite: inviteSummarySchema,
    }),
    errors: ["not-allowed", "argument-invalid"],
  },
  "invite.list": {
    access: "device",
    params: nothing,
    result: v.strictObject({ invites: v.array(inviteSummarySchema) }),
    errors: [],
  },
  "invite.revoke": {
    access: "device",
    params: v.strictObject({ inviteId: inviteIdSchema }),
    result: nothing,
    errors: ["invite-unknown", "not-allowed"],
  },
  /** Entries whose version is above `afterVersion`, oldest first; go on until `version` is reached. */
  "directory.list": {
    access: "device",
    params: v.strictObject({ afterVersion: countSchema }),
    result: v.strictObject({
      entries: v.pipe(v.array(directoryEntrySchema), v.maxLength(maxPageEntries)),
      /** Version of the whole directory. */
      version: countSchema,
    }),
    errors: [],
  },
  /**
   * Adds a further device to the caller's account. The same device with the same key again replaces its record: it has another name now.
   */
  "device.add": {
    access: "device",
    params: v.strictObject({ device: signedRecordSchema }),
    result: nothing,
    errors: ["record-invalid", "signature-invalid", "too-many-devices", "device-revoked"],
  },
  /** Revokes a device of the caller's account, perhaps the calling one: it can't sign in any more. Repeating it is harmless. */
  "device.revoke": {
    access: "device",
    params: v.strictObject({ revocation: signedRecordSchema }),
    result: nothing,
    errors: ["record-invalid", "signature-invalid", "not-found"],
  },
  /** Suspends a person, or lifts that; for administrators. Repeating it is harmless. */
  "user.suspend": {
    access: "device",
    params: v.strictObject({ suspension: signedRecordSchema }),
    result: nothing,
    errors: ["not-allowed", "record-invalid", "signature-invalid", "not-found"],
  },
  /** Adds one-time key packages of this device, and replaces its last-resort one. */
  "keyPackages.publish": {
    access: "device",
    params: v.strictObject({
      /** Drops all one-time ones that are left from before: their private parts are gone. */
      replace: v.exactOptional(v.boolean()),
      keyPackages: v.pipe(v.array(keyPackageSchema), v.maxLength(maxKeyPackages)),
      lastResort: v.nullable(keyPackageSchema),
    }),
    result: v.strictObject({ keyPackagesLeft: countSchema }),
    errors: [],
  },
  /** Takes one key package of each device: a one-time one, handed out once, or the last-resort one when none is left. */
  "keyPackages.claim": {
    access: "device",
    params: v.strictObject({
      devices: devicesSchema,
      /** Only such of this suite. Left out: whichever come. */
      suite: v.exactOptional(v.picklist(supportedSuites)),
      /** Takes none at all unless each device has one. */
      whole: v.exactOptional(v.boolean()),
    }),
    result: v.strictObject({
      /** In the order asked; null where a device has none, and everywhere when all were wanted and one has none. */
      keyPackages: v.pipe(
        v.array(v.nullable(v.strictObject({ bytes: keyPackageSchema, lastResort: v.boolean() }))),
        v.maxLength(maxRosterDevices),
      ),
      /** The devices that have none. */
      lacking: devicesSchema,
    }),
    errors: ["not-found"],
  },
  /** Starts a conversation's log at epoch 0 with this device as only member. Repeating it is harmless. */
  "group.create": {
    access: "device",
    params: v.strictObject({ conversationId: conversationIdSchema, groupInfo: mlsBytesSchema }),
    result: nothing,
    errors: ["conversation-exists"],
  },
  /** Offers a commit for `epoch`; accepted only while that is the log's epoch. Repeating the accepted one is harmless. */
  "group.commit": {
    access: "device",
    params: v.strictObject({
      conversationId: conversationIdSchema,
      epoch: countSchema,
      bytes: mlsBytesSchema,
      groupInfo: mlsBytesSchema,
      add: devicesSchema,
      remove: devicesSchema,
      /** For the added devices; put into their inboxes only when the commit is accepted. */
      welcome: v.nullable(mlsBytesSchema),
    }),
    result: orderedSchema,
    errors: ["not-allowed", "not-found", "argument-invalid"],
  },
  /**
   * Says, signed, that this device can't take a commit and never will. `noted`: the relay waits for what others say; `reopened`: the commit is
   * void, and the log says so; `stands`: others have taken it, or it isn't one that can be void any more. Repeating it is harmless.
   */
  "group.reject": {
    access: "device",
    params: v.strictObject({
      conversationId: conversationIdSchema,
      epoch: countSchema,
      sequence: countSchema,
      commitHash: exactBytesSchema(32),
      /** Over `signingInput(rejectionLabel, rejectionPayload(…))`, by the device key. */
      signature: exactBytesSchema(ed25519SignatureBytes),
    }),
    result: v.strictObject({ kind: v.picklist(["noted", "reopened", "stands"]) }),
    errors: ["not-allowed", "not-found", "signature-invalid"],
  },
  /** Appends an application message. Repeating it with the same message id gives the first answer. */
  "group.append": {
    access: "device",
    params: v.strictObject({
      conversationId: conversationIdSchema,
      epoch: countSchema,
      messageId: messageIdSchema,
      expiresAtMs: v.nullable(timestampMsSchema),
      bytes: mlsBytesSchema,
    }),
    result: orderedSchema,
    errors: ["not-allowed", "not-found"],
  },
  /** Reads a log in order. */
  "group.read": {
    access: "device",
    params: v.strictObject({
      conversationId: conversationIdSchema,
      afterSequence: countSchema,
      limit: v.pipe(countSchema, v.minValue(1), v.maxValue(maxPageEntries)),
    }),
    result: v.strictObject({
      entries: v.pipe(v.array(groupEntrySchema), v.maxLength(maxPageEntries)),
      headSequence: countSchema,
      epoch: countSchema,
    }),
    errors: ["not-allowed", "not-found"],
  },
  /** This device keeps everything up to `sequence`. What all devices have, the relay drops. */
  "group.acknowledge": {
    access: "device",
    params: v.strictObject({ conversationId: conversationIdSchema, sequence: countSchema }),
    result: nothing,
    errors: ["not-allowed", "not-found"],
  },
  /** Drops the ciphertexts of this device's own messages at once (recall, burned by all). */
  "group.drop": {
    access: "device",
    params: v.strictObject({
      conversationId: conversationIdSchema,
      sequences: v.pipe(v.array(countSchema), v.maxLength(maxPageEntries)),
    }),
    result: nothing,
    errors: ["not-allowed", "not-found"],
  },
  /** The conversations of this device and how far each log is. */
  "group.list": {
    access: "device",
    params: nothing,
    result: v.strictObject({
      groups: v.array(
        v.strictObject({
          conversationId: conversationIdSchema,
          epoch: countSchema,
          headSequence: countSchema,
          /** Up to where this device has acknowledged it since it came in, or 0: a device that remembers less was rolled back. */
          acknowledgedSequence: countSchema,
        }),
      ),
    }),
    errors: [],
  },
  /** The newest GroupInfo, for an external commit of a device on the roster. */
  "group.info": {
    access: "device",
    params: v.strictObject({ conversationId: conversationIdSchema }),
    result: v.strictObject({ epoch: countSchema, groupInfo: mlsBytesSchema }),
    errors: ["not-allowed", "not-found"],
  },
  "inbox.read": {
    access: "device",
    params: v.strictObject({ afterSequence: countSchema }),
    result: v.strictObject({
      entries: v.pipe(v.array(inboxEntrySchema), v.maxLength(maxPageEntries)),
      headSequence: countSchema,
    }),
    errors: [],
  },
  /** This device keeps everything up to `sequence`; the relay drops it. */
  "inbox.acknowledge": {
    access: "device",
    params: v.strictObject({ sequence: countSchema }),
    result: nothing,
    errors: [],
  },
  /**
   * Opens a place where this device and one other meet, for sealed messages that the relay can't read. Opening it again changes nothing but its
   * end. A person has at most 8; the oldest is closed for a ninth.
   */
  "rendezvous.open": {
    access: "device",
    params: v.strictObject({
      rendezvousId: rendezvousIdSchema,
      lifetimeMs: v.pipe(countSchema, v.minValue(1), v.maxValue(maxRendezvousLifeMs)),
    }),
    result: v.strictObject({ expiresAtMs: timestampMsSchema }),
    errors: ["not-allowed"],
  },
  /** Nobody says or hears anything there any more. */
  "rendezvous.close": {
    access: "device",
    params: v.strictObject({ rendezvousId: rendezvousIdSchema }),
    result: nothing,
    errors: ["not-allowed", "link-code-unknown"],
  },
  /** Leaves a message for the other side. Its number is one above the last one's; repeating the last one is harmless. null: whichever comes next. */
  "rendezvous.send": {
    access: "any",
    params: v.strictObject({
      ...rendezvousPlace,
      sequence: v.nullable(v.pipe(countSchema, v.minValue(1))),
      bytes: bytesSchema(maxRendezvousMessageBytes),
    }),
    /** `full`: the other side must take some of what waits for it first. */
    result: v.strictObject({ kind: v.picklist(["accepted", "full"]), lastSequence: countSchema }),
    errors: ["link-code-unknown", "link-code-used", "link-ended", "argument-invalid"],
  },
  /** What the other side has left, oldest first. What is up to `afterSequence` is dropped. */
  "rendezvous.receive": {
    access: "any",
    params: v.strictObject({ ...rendezvousPlace, afterSequence: countSchema }),
    result: v.strictObject({
      messages: v.pipe(
        v.array(
          v.strictObject({
            sequence: countSchema,
            bytes: bytesSchema(maxRendezvousMessageBytes),
          }),
        ),
        v.maxLength(maxRendezvousMessages),
      ),
    }),
    errors: ["link-code-unknown", "link-code-used", "link-ended"],
  },
} as const satisfies Readonly<Record<string, RelayMethod>>;

/** The name of a relay request. */
export type RelayMethodName = keyof typeof relayMethods;
/** What a request takes, before parsing. */
export type RelayParams<Name extends RelayMethodName> = v.InferInput<
  (typeof relayMethods)[Name]["params"]
>;
/** What a request takes, parsed. */
export type ParsedRelayParams<Name extends RelayMethodName> = v.InferOutput<
  (typeof relayMethods)[Name]["params"]
>;
/** What a request gives. */
export type RelayResult<Name extends RelayMethodName> = v.InferOutput<
  (typeof relayMethods)[Name]["result"]
>;
