import {
  bytesSchema,
  conversationIdSchema,
  countSchema,
  deviceIdSchema,
  ed25519SignatureBytes,
  exactBytesSchema,
  idToBytes,
  inviteIdSchema,
  maxFrameBytes,
  networkIdSchema,
  rendezvousIdSchema,
  signedRecordSchema,
  timestampMsSchema,
  toBase64url,
  userIdSchema,
  type ConversationId,
  type DeviceId,
  type InviteId,
  type MessageId,
  type RendezvousId,
  type UserId,
} from "#protocol";
import * as v from "valibot";
import { sha256 } from "../primitives.ts";
import type { StorageKey } from "../storage/port.ts";
import { bytesSlots, keyPrefix, recordSlots, storageKey, type SlotValue } from "../storage/slot.ts";

// Everything the relay keeps, by key. One place, so that it can be seen at a glance what the relay knows.

/** Changes when older relays could no longer read what is stored. */
export const formatVersion = 1;

const roleSchema = v.picklist(["administrator", "member"]);
const hashSchema = exactBytesSchema(32);

// The relay itself.

export const formatSlot = recordSlots(
  () => storageKey("meta", "format"),
  v.strictObject({ version: countSchema }),
)();

const issuerSlots = recordSlots(
  () => storageKey("meta", "issuer"),
  v.strictObject({
    /** Secret: the Ed25519 seed with which user records are signed. */
    seed: exactBytesSchema(32),
    publicKey: exactBytesSchema(32),
  }),
);
/** The key that signs user records. */
export type Issuer = SlotValue<typeof issuerSlots>;
export const issuerSlot = issuerSlots();

/** The code that claims this relay; gone once there is an administrator. */
export const claimSlot = recordSlots(
  () => storageKey("meta", "claim"),
  v.strictObject({ code: v.string() }),
)();

/** The port used last. */
export const portSlot = recordSlots(
  () => storageKey("meta", "port"),
  v.strictObject({ port: countSchema }),
)();

const networkSlots = recordSlots(
  () => storageKey("meta", "network"),
  v.strictObject({
    networkId: networkIdSchema,
    networkKey: exactBytesSchema(32),
    issuerCertificate: signedRecordSchema,
    policy: signedRecordSchema,
    /** The invite of the first administrator, while there is none. */
    administratorInvite: v.nullable(inviteIdSchema),
  }),
);
/** The network that this relay serves. */
export type Network = SlotValue<typeof networkSlots>;
export const networkSlot = networkSlots();

// People and devices.

/** A person. */
export const userSlot = recordSlots(
  (userId: UserId) => storageKey("user", userId),
  v.strictObject({
    /** The directory's version at which this row last changed. */
    version: countSchema,
    record: signedRecordSchema,
    accountKey: exactBytesSchema(32),
    role: roleSchema,
    /** Revoked ones too. */
    devices: v.array(deviceIdSchema),
    /** The hash of the token that made this account. */
    redeemedWith: hashSchema,
    revocations: v.optional(
      v.array(v.strictObject({ deviceId: deviceIdSchema, record: signedRecordSchema })),
      [],
    ),
    suspension: v.optional(
      v.nullable(
        v.strictObject({
          suspended: v.boolean(),
          issuedAtMs: timestampMsSchema,
          record: signedRecordSchema,
        }),
      ),
      null,
    ),
  }),
);
export type StoredUser = SlotValue<typeof userSlot>;

/** A person's device. */
export const deviceSlot = recordSlots(
  (deviceId: DeviceId) => storageKey("device", deviceId),
  v.strictObject({
    userId: userIdSchema,
    record: signedRecordSchema,
    signatureKey: exactBytesSchema(32),
  }),
);

/** The highest vault sequence that a device ever named. */
export const vaultSequenceSlot = recordSlots(
  (deviceId: DeviceId) => storageKey("vault-sequence", deviceId),
  v.strictObject({ highest: countSchema }),
);

/** Whose an account key or a device's signature key is. */
export const keyOwnerSlot = recordSlots(
  (publicKey: Uint8Array) => storageKey("key-owner", toBase64url(publicKey)),
  v.strictObject({ userId: userIdSchema }),
);

/** The version of the whole directory. */
export const directoryVersionSlot = recordSlots(
  () => storageKey("directory", "version"),
  v.strictObject({ version: countSchema }),
)();

/** Who changed at a version; only a row's last change has one. */
export const directoryChangeSlot = recordSlots(
  (version: number) => storageKey("directory", "change", version),
  v.strictObject({ userId: userIdSchema }),
);
export const directoryChanges = keyPrefix("directory", "change");

/** An invite. */
export const inviteSlot = recordSlots(
  (inviteId: InviteId) => storageKey("invite", inviteId),
  v.strictObject({
    tokenHash: hashSchema,
    /** null for the administrator's, made by claiming the relay. */
    createdBy: v.nullable(userIdSchema),
    role: roleSchema,
    createdAtMs: timestampMsSchema,
    expiresAtMs: timestampMsSchema,
    uses: countSchema,
    usesLeft: countSchema,
  }),
);
export type StoredInvite = SlotValue<typeof inviteSlot>;
export const invites = keyPrefix("invite");

/** The invite that a token opens. The token itself is never stored: who copies the disk can't join with it. */
export const inviteTokenSlot = recordSlots(
  (tokenHash: Uint8Array) => storageKey("invite-token", toBase64url(tokenHash)),
  v.strictObject({ inviteId: inviteIdSchema }),
);

// Key packages.

/** A device's queue of one-time key packages: from `first` up to but without `next`. */
export const keyPackageQueueSlot = recordSlots(
  (deviceId: DeviceId) => storageKey("key-packages", deviceId),
  v.strictObject({
    first: countSchema,
    next: countSchema,
    lastResort: v.nullable(bytesSchema(maxFrameBytes)),
  }),
);
export type KeyPackageQueue = SlotValue<typeof keyPackageQueueSlot>;

/** A one-time key package at its place in the queue. */
export const keyPackageSlot = bytesSlots((deviceId: DeviceId, index: number) =>
  storageKey("key-package", deviceId, index),
);

/** Stands for a package that was published, so that a repeated publication doesn't hand it out twice. */
export const keyPackageSeenSlot = bytesSlots((deviceId: DeviceId, keyPackage: Uint8Array) =>
  storageKey("key-package-seen", deviceId, shortHash(keyPackage)),
);

// Conversations.

/** How far a conversation's log is. */
export const groupHeadSlot = recordSlots(
  (id: ConversationId) => storageKey("group", id, "head"),
  v.strictObject({
    creator: deviceIdSchema,
    epoch: countSchema,
    headSequence: countSchema,
    /** Application messages up to here are dropped: all members have them; but those that a removed device is still to read. */
    applicationFloor: countSchema,
    /** Entries up to here are dropped: all members have them, and those who were removed too. */
    commitFloor: countSchema,
    /** Commits that can still be found void, the oldest first. */
    undecided: v.optional(v.array(countSchema), []),
  }),
);
export type GroupHead = SlotValue<typeof groupHeadSlot>;

const membershipSchema = v.strictObject({
  joinedSequence: countSchema,
  /** Where this device's view of the log ends; null for a member. */
  removed: v.nullable(v.strictObject({ sequence: countSchema, epoch: countSchema })),
});
const position = {
  deviceId: deviceIdSchema,
  /** The log's sequence of the commit that added the device; it reads what comes after. */
  joinedSequence: countSchema,
  acknowledgedSequence: countSchema,
};
const removedSchema = v.strictObject({ ...position, removedSequence: countSchema });
/** Who is in a conversation. */
export const groupRosterSlot = recordSlots(
  (id: ConversationId) => storageKey("group", id, "roster"),
  v.strictObject({
    members: v.array(v.strictObject(position)),
    /** Removals that the device hasn't acknowledged; it may be back by now, and read both stays. */
    removed: v.array(removedSchema),
  }),
);
export type GroupRoster = SlotValue<typeof groupRosterSlot>;

/** What it takes to find a commit void: what was before it, what it brought, and who can't take it. */
export const undecidedSlot = recordSlots(
  (id: ConversationId, sequence: number) => storageKey("group", id, "undecided", sequence),
  v.strictObject({
    epoch: countSchema,
    committer: deviceIdSchema,
    /** Whose device that is. */
    person: userIdSchema,
    commitHash: hashSchema,
    add: v.array(deviceIdSchema),
    remove: v.array(deviceIdSchema),
    members: v.array(v.strictObject(position)),
    removed: v.array(removedSchema),
    /** Of the devices that it added or removed. */
    memberships: v.array(
      v.strictObject({ deviceId: deviceIdSchema, membership: v.nullable(membershipSchema) }),
    ),
    /** Where its Welcome went. */
    welcomes: v.array(v.strictObject({ deviceId: deviceIdSchema, sequence: countSchema })),
    rejections: v.array(
      v.strictObject({
        deviceId: deviceIdSchema,
        userId: userIdSchema,
        signature: exactBytesSchema(ed25519SignatureBytes),
        atMs: timestampMsSchema,
      }),
    ),
  }),
);
export type Undecided = SlotValue<typeof undecidedSlot>;

/** The GroupInfo from before an undecided commit. */
export const undecidedInfoSlot = bytesSlots((id: ConversationId, sequence: number) =>
  storageKey("group", id, "undecided-info", sequence),
);

/** Commits of a conversation that were found void, the newest last. */
export const voidsSlot = recordSlots(
  (id: ConversationId) => storageKey("group", id, "voids"),
  v.strictObject({
    voids: v.array(
      v.strictObject({
        person: userIdSchema,
        commitHash: hashSchema,
        /** The commit's place, and that of the entry which says that it is void: nothing between them counts. */
        from: countSchema,
        to: countSchema,
        atMs: timestampMsSchema,
      }),
    ),
  }),
);
export type Voids = SlotValue<typeof voidsSlot>["voids"];

/** The newest GroupInfo. */
export const groupInfoSlot = recordSlots(
  (id: ConversationId) => storageKey("group", id, "info"),
  v.strictObject({ epoch: countSchema, bytes: bytesSchema(maxFrameBytes) }),
);

/** An entry of a log, without its bytes. Absent at or below the head: dropped. */
export const entrySlot = recordSlots(
  (id: ConversationId, sequence: number) => storageKey("group", id, "entry", sequence),
  v.strictObject({
    kind: v.picklist(["application", "commit", "reopened"]),
    epoch: countSchema,
    sender: deviceIdSchema,
    receivedAtMs: timestampMsSchema,
    /** null: when all have it. */
    expiresAtMs: v.nullable(timestampMsSchema),
  }),
);
export type StoredEntry = SlotValue<typeof entrySlot>;

/** An entry's bytes. */
export const entryBytesSlot = bytesSlots((id: ConversationId, sequence: number) =>
  storageKey("group", id, "bytes", sequence),
);

/** What was answered to a message, for a client that didn't get the answer and asks again. */
export const messageAnswerSlot = recordSlots(
  (id: ConversationId, sender: DeviceId, messageId: MessageId) =>
    storageKey("group", id, "message", sender, shortHash(idToBytes(messageId))),
  v.strictObject({ sequence: countSchema, receivedAtMs: timestampMsSchema }),
);

/** The commit that ended an epoch, for the same reason. */
export const commitAnswerSlot = recordSlots(
  (id: ConversationId, epoch: number) => storageKey("group", id, "commit", epoch),
  v.strictObject({
    sender: deviceIdSchema,
    bytesHash: hashSchema,
    sequence: countSchema,
    receivedAtMs: timestampMsSchema,
  }),
);

/** What a device may see of a conversation. */
export const membershipSlot = recordSlots(
  (deviceId: DeviceId, id: ConversationId) => storageKey("member", deviceId, id),
  membershipSchema,
);
export type Membership = SlotValue<typeof membershipSlot>;
export const memberships = (deviceId: DeviceId): StorageKey => keyPrefix("member", deviceId);

// Inboxes. A Welcome is kept once per commit, and held by the inbox entries of those it is for.

/** How far a device's inbox is. */
export const inboxHeadSlot = recordSlots(
  (deviceId: DeviceId) => storageKey("inbox-head", deviceId),
  v.strictObject({ headSequence: countSchema }),
);

/** Up to where a device has acknowledged its inbox. */
export const inboxAcknowledgedSlot = recordSlots(
  (deviceId: DeviceId) => storageKey("inbox-acknowledged", deviceId),
  v.strictObject({ sequence: countSchema }),
);

/** An inbox entry, without the Welcome's bytes. */
export const inboxEntrySlot = recordSlots(
  (deviceId: DeviceId, sequence: number) => storageKey("inbox", deviceId, sequence),
  v.strictObject({
    conversationId: conversationIdSchema,
    groupSequence: countSchema,
    sender: deviceIdSchema,
    receivedAtMs: timestampMsSchema,
  }),
);
export const inboxEntries = (deviceId: DeviceId): StorageKey => keyPrefix("inbox", deviceId);

/** A Welcome's bytes. */
export const welcomeSlot = bytesSlots((id: ConversationId, groupSequence: number) =>
  storageKey("welcome", id, groupSequence),
);

/** Stands while a device hasn't acknowledged a Welcome. */
export const welcomeHolderSlot = bytesSlots(
  (id: ConversationId, groupSequence: number, deviceId: DeviceId) =>
    storageKey("welcome-holder", id, groupSequence, deviceId),
);
export const welcomeHolders = (id: ConversationId, groupSequence: number): StorageKey =>
  keyPrefix("welcome-holder", id, groupSequence);

// What is to be done at a time.

/** One due entry per time and subject; the subject is what it is about, tokens joined by dots. */
export const dueSlot = recordSlots(
  (atMs: number, subject: string) => storageKey("due", atMs, subject),
  v.variant("kind", [
    v.strictObject({
      kind: v.literal("entry"),
      conversationId: conversationIdSchema,
      sequence: countSchema,
    }),
    /** A removed device no longer holds back commits. */
    v.strictObject({
      kind: v.literal("removed-device"),
      conversationId: conversationIdSchema,
      deviceId: deviceIdSchema,
      removedSequence: countSchema,
    }),
    /** A Welcome whose inbox entry was acknowledged: perhaps it was the last. */
    v.strictObject({
      kind: v.literal("welcome"),
      conversationId: conversationIdSchema,
      groupSequence: countSchema,
    }),
    /** Enough time has passed for others to say whether they can take a commit. */
    v.strictObject({
      kind: v.literal("verdict"),
      conversationId: conversationIdSchema,
      sequence: countSchema,
    }),
    v.strictObject({ kind: v.literal("invite"), inviteId: inviteIdSchema }),
    /** A note that has served its time. */
    v.strictObject({ kind: v.literal("note"), key: v.string() }),
    v.strictObject({ kind: v.literal("rendezvous"), rendezvousId: rendezvousIdSchema }),
  ]),
);
export type Due = SlotValue<typeof dueSlot>;
export const dues = keyPrefix("due");
/** When a due entry is due. */
export const dueAtMs = (key: StorageKey): number =>
  Number(key.slice(dues.length, dues.length + 16));

/** The last token of a key. */
export function lastToken(key: StorageKey): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

function shortHash(bytes: Uint8Array): string {
  return toBase64url(sha256(bytes).subarray(0, 16));
}

// Two devices of a person that meet, one of which may not be in the directory yet.

const rendezvousSideSchema = v.strictObject({
  /** The number of the last message that this side has left. */
  sent: countSchema,
  /** Of the other side's messages, up to where it has taken them. */
  taken: countSchema,
});
/** A rendezvous; its messages have slots of their own. */
export const rendezvousSlot = recordSlots(
  (id: RendezvousId) => storageKey("rendezvous", id, "place"),
  v.strictObject({
    userId: userIdSchema,
    owner: deviceIdSchema,
    expiresAtMs: timestampMsSchema,
    closed: v.boolean(),
    /** The hash of the token of whoever came first; null: nobody yet. */
    seat: v.nullable(hashSchema),
    /** The guest's device, once it has signed in. */
    guest: v.nullable(deviceIdSchema),
    sides: v.strictObject({ owner: rendezvousSideSchema, guest: rendezvousSideSchema }),
  }),
);
export type Rendezvous = SlotValue<typeof rendezvousSlot>;

/** A side of a rendezvous. */
export type RendezvousSide = keyof Rendezvous["sides"];

/** What a side has left for the other. */
export const rendezvousMessageSlot = bytesSlots(
  (id: RendezvousId, from: RendezvousSide, sequence: number) =>
    storageKey("rendezvous", id, from, sequence),
);

/** A person's open rendezvous, the oldest first. */
export const rendezvousListSlot = recordSlots(
  (userId: UserId) => storageKey("rendezvous-list", userId),
  v.strictObject({ ids: v.array(rendezvousIdSchema) }),
);
