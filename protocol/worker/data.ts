import type { ErrorCode } from "../errors.ts";
import type {
  ConversationId,
  DeviceId,
  KeyPackageRef,
  MessageId,
  UserId,
  VaultId,
} from "../ids.ts";
import type { DeviceRecord, SignedRecord, UserRecord } from "../records.ts";
import type { RoomState } from "../room-state.ts";

/*
 * What requests to the crypto worker and its answers are made of.
 */

/** Rows of sealed group state to be written (or deleted, where `sealed` is null) in one vault transaction. */
export interface GroupWrites {
  readonly conversationId: ConversationId;
  readonly pieces: readonly GroupPiece[];
}

/** One row of a group's sealed state. In pieces, so that later a message writes only what it changed. */
export interface GroupPiece {
  readonly name: string;
  readonly sealed: Uint8Array | null;
}

/** A stored piece. */
export interface StoredGroupPiece {
  readonly name: string;
  readonly sealed: Uint8Array;
}

/** One leaf of a group. */
export interface GroupMember {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

/** What the main process keeps in clear about a group. */
export interface GroupSummary {
  readonly conversationId: ConversationId;
  readonly epoch: number;
  /** The suite's name, as shown under "Encryption details". */
  readonly suite: string;
  readonly roomState: RoomState;
  readonly members: readonly GroupMember[];
  /** Equal for all members of an epoch; hex. Source: RFC 9420 §8.7. */
  readonly epochAuthenticator: string;
}

/** What a commit changed, for system lines and rosters. */
export interface GroupChange {
  readonly committer: GroupMember;
  readonly added: readonly GroupMember[];
  readonly removed: readonly GroupMember[];
  readonly before: RoomState;
  readonly after: RoomState;
}

/** How an entry of the group log was taken. */
export type OpenedEntry =
  | {
      readonly kind: "application";
      readonly sender: GroupMember;
      /** The sender's ratchet generation, to show gaps. */
      readonly generation: number;
      readonly content: Uint8Array;
      readonly authenticatedData: Uint8Array;
      readonly writes: GroupWrites;
    }
  | {
      readonly kind: "commit";
      readonly change: GroupChange;
      /** Empty for an external commit. */
      readonly authenticatedData: Uint8Array;
      readonly summary: GroupSummary;
      readonly writes: GroupWrites;
    }
  /**
   * A person asks to be taken out (`group.proposeLeave`). Until a commit carries it out, which any member may make and every
   * `group.prepareCommit` includes by itself, nothing can be sealed. A commit of somebody who hadn't seen it voids it.
   */
  | { readonly kind: "leave-proposed"; readonly member: GroupMember; readonly writes: GroupWrites }
  /**
   * It takes the conversation over to another suite, and is taken with `group.openReinit`: with the key package, one of `refs`, that it was made
   * for. `suite` is what it claims, not yet proved.
   */
  | {
      readonly kind: "reinit";
      readonly suite: string;
      readonly refs: readonly KeyPackageRef[];
    }
  /** This device was removed; its state of the group is to be deleted. */
  | { readonly kind: "removed"; readonly change: GroupChange; readonly writes: GroupWrites }
  /** Made for an epoch that is over. */
  | { readonly kind: "stale"; readonly epoch: number }
  /** Made for an epoch not reached yet: read the log in order. */
  | { readonly kind: "future"; readonly epoch: number }
  /** A leaf names devices the worker has no trusted record of: update the directory, then try again. */
  | { readonly kind: "device-unknown"; readonly devices: readonly DeviceId[] }
  /** Refused for good: forged, malformed, against the roles, or already used. State is unchanged. */
  | {
      readonly kind: "refused";
      readonly code: ErrorCode;
      /** What stands in clear in an entry of the present epoch, and may be anybody's. */
      readonly authenticatedData?: Uint8Array;
    };

/** Where a frame stands in a vault's log. */
export interface FramePlace {
  readonly generation: number;
  readonly sequence: number;
  /** The last 16 bytes of the frame before; empty for the first frame of a generation. */
  readonly previousTag: Uint8Array;
}

/**
 * A key for one frame of one generation, which XAES-256-GCM derives from the generation's key and the first half of a nonce (C2SP
 * XAES-256-GCM, step 4). Secret: `key`, which is wiped when the frame is sealed.
 */
export interface FrameKey {
  /** The first half of the frame's nonce, random: 12 bytes. */
  readonly nonceStart: Uint8Array;
  /** An AES-256-GCM key: 32 bytes. */
  readonly key: Uint8Array;
}

/** A leaf of the key tree: the key of one body, and of what belongs to it. */
export interface KeyLeaf {
  /** The bucket: hours since 1970 at which what it seals ends, rounded down; below 2^24. */
  readonly hour: number;
  /** Its index in the bucket, given out densely from 0; below 2^24. */
  readonly leaf: number;
}

/** One stored body: of a message, an edit, a reaction, a draft or an outbox item. */
export interface BodyItem {
  /** What the body belongs to. Bodies that share a leaf differ in this. */
  readonly messageId: MessageId;
  /** The absolute end, which decides the leaf's bucket; milliseconds. */
  readonly expiresAtMs: number;
  /** See {@link KeyLeaf.leaf}. */
  readonly leaf: number;
}

/** Where the keychain keeps this vault's key: two entries, `<account>/0` and `<account>/1`. */
export interface KeychainPlace {
  readonly account: string;
  /** What kept it then, to be able to say that it is another one now. */
  readonly backend: string;
  /** The application, the user of the operating system and the folder it was made for: to be able to say what has changed. */
  readonly application: string;
  readonly user: string;
  readonly path: string;
}

/**
 * What the keychain holds, by entry: 32 bytes each. A vault key is 6 bytes of its keyring's revision (big-endian) and 26 random ones; the one
 * of revision r lies in entry r % 2, and the next one, of which nothing is sealed yet, in the other.
 */
export type KeychainKeys = readonly [Uint8Array, Uint8Array];
/** As read; null where there is no entry. */
export type KeychainEntries = readonly [Uint8Array | null, Uint8Array | null];

/** The vault key itself lies in the keychain. */
export interface KeychainSlot extends KeychainPlace {
  readonly kind: "keychain";
  /** Tells the vault's key from any other; 16 bytes from which it doesn't follow. */
  readonly keyCheck: Uint8Array;
}

/**
 * The vault key sealed to a slot's X-Wing public key (HPKE, RFC 9180, base mode), so that each exchange wraps the new vault key without the
 * slot's secret (docs/adr/0015).
 */
export interface SealedVaultKey {
  /** 1216 bytes. */
  readonly publicKey: Uint8Array;
  /** HPKE's encapsulated key, 1120 bytes. */
  readonly kemOutput: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** A slot whose private key is sealed under Argon2id of a passphrase. */
export interface PassphraseSlot extends SealedVaultKey {
  readonly kind: "passphrase";
  readonly createdAtMs: number;
  readonly salt: Uint8Array;
  readonly passes: number;
  readonly memoryBytes: number;
  readonly sealedPrivateKey: Uint8Array;
}

/** A slot whose private key follows from a code of 128 bits that was shown once. */
export interface RecoveryCodeSlot extends SealedVaultKey {
  readonly kind: "recovery-code";
  readonly createdAtMs: number;
  readonly salt: Uint8Array;
}

/** A slot of the organisation: its private key is the administrator's. */
export interface OrganisationSlot extends SealedVaultKey {
  readonly kind: "organisation";
  readonly createdAtMs: number;
}

/** One way to the vault key. At most one of each kind. */
export type KeySlot = KeychainSlot | PassphraseSlot | RecoveryCodeSlot | OrganisationSlot;
/** The kind of a key slot. */
export type KeySlotKind = KeySlot["kind"];

/** The content of the file `keyring`. */
export interface KeyringRecord {
  readonly vaultId: VaultId;
  /** From 1, one more with each exchange; below 2^48. */
  readonly revision: number;
  readonly slots: readonly KeySlot[];
  /** Bound to all of the above. */
  readonly sealedKeyring: Uint8Array;
}

/** What opens a slot. */
export type VaultSecret =
  | { readonly kind: "keychain"; readonly entries: KeychainEntries }
  | { readonly kind: "passphrase"; readonly passphrase: string }
  /** As typed: case, blanks and hyphens don't matter. */
  | { readonly kind: "recovery-code"; readonly code: string }
  /** X-Wing's private key, 32 bytes. */
  | { readonly kind: "organisation"; readonly privateKey: Uint8Array };

/** What an exchange does to the keyring. */
export type KeyringChange =
  /** Destroys leaves, and all buckets before an hour. */
  | {
      readonly kind: "destroy";
      readonly leaves: readonly KeyLeaf[];
      readonly hoursBefore: number | null;
    }
  /** The vault is at this generation now: keeps its key and the next one's, destroys all others. */
  | { readonly kind: "generation"; readonly current: number }
  /** Replaces a slot of the same kind. */
  | { readonly kind: "set-slot"; readonly slot: NewKeySlot }
  /** The last slot can't be removed. */
  | { readonly kind: "remove-slot"; readonly slot: KeySlotKind };

/** A slot to be made. */
export type NewKeySlot =
  | ({ readonly kind: "keychain" } & KeychainPlace)
  | { readonly kind: "passphrase"; readonly passphrase: string }
  | { readonly kind: "recovery-code" }
  | { readonly kind: "organisation"; readonly publicKey: Uint8Array };

/** An unlocked keyring, in numbers. */
export interface KeyringFacts {
  readonly revision: number;
  /** Generations whose frames and snapshots can be opened. */
  readonly generations: readonly number[];
  /** Nodes of the key tree. */
  readonly nodes: number;
  /** Buckets before this hour have been dropped. */
  readonly droppedBefore: number;
  readonly sealedBytes: number;
}

/** A message with a deadline. */
export interface Deadline {
  readonly messageId: MessageId;
  readonly deadlineMs: number;
}

/** A person's records as they are kept: what was verified once, whatever the relay says now. */
export interface PersonRecords {
  readonly user: SignedRecord;
  readonly devices: readonly SignedRecord[];
  readonly revocations?: readonly SignedRecord[];
  readonly suspension?: SignedRecord | null;
  /** Of account keys that this person had before, the oldest first. */
  readonly former?: readonly FormerRecords[];
}

/** A person's records under an account key that another one took the place of. */
export interface FormerRecords {
  readonly user: SignedRecord;
  readonly devices: readonly SignedRecord[];
}

/** What a code of a safety number says that somebody shows. See crypto/identity/safety-number.ts. */
export type CodeVerdict =
  /** It is theirs, for this person, and both keys are the ones that are known here. */
  | "matches"
  /** It is theirs, for this person, and a key is another one: somebody may sit in between. */
  | "differs"
  /** Somebody else's. */
  | "other-person"
  /** Theirs, but opened for somebody else. */
  | "other-reader"
  /** This person's own. */
  | "own"
  /** Made by a version to come. */
  | "newer"
  | "unreadable";

/** Something that isn't right in what the relay gives of a person. An honest one never gives it. */
export interface Objection {
  readonly kind: ObjectionKind;
  /** What was refused; with `left-out`, what is missing. */
  readonly record: SignedRecord;
}

export type ObjectionKind =
  /** The record of a person isn't the issuer's, or is older than the known one. */
  | "person"
  /** A device isn't signed by their account key, or its id is another's, or there are too many. */
  | "device"
  /** A revocation or a suspension isn't signed by who may, or is older than the known one. */
  | "exclusion"
  /** A device of theirs is missing that nobody has revoked. */
  | "left-out";

/** A person whose records were verified. */
export interface TrustedPerson {
  readonly user: UserRecord;
  /** Those that are not revoked. */
  readonly devices: readonly DeviceRecord[];
  /** What isn't right in what the relay gave of them, the gravest first; nothing of it is believed. */
  readonly objections: readonly Objection[];
  /** Devices that were theirs and are no longer. */
  readonly revoked: readonly DeviceId[];
  readonly suspended: boolean;
  /** What says so, as signed and verified: to be kept, whatever the relay leaves out later. */
  readonly kept: {
    readonly devices: readonly SignedRecord[];
    readonly revocations: readonly SignedRecord[];
    readonly suspension: SignedRecord | null;
  };
}
