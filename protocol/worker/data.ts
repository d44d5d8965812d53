import type { ErrorCode } from "../errors.ts";
import type { ConversationId, DeviceId, MessageId, UserId } from "../ids.ts";
import type { DeviceRecord, UserRecord } from "../records.ts";
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
      readonly summary: GroupSummary;
      readonly writes: GroupWrites;
    }
  /**
   * A person asks to be taken out (`group.proposeLeave`). Until a commit carries it out, which any member may make and every
   * `group.prepareCommit` includes by itself, nothing can be sealed. A commit of somebody who hadn't seen it voids it.
   */
  | { readonly kind: "leave-proposed"; readonly member: GroupMember; readonly writes: GroupWrites }
  /** This device was removed; its state of the group is to be deleted. */
  | { readonly kind: "removed"; readonly change: GroupChange; readonly writes: GroupWrites }
  /** Made for an epoch that is over. */
  | { readonly kind: "stale"; readonly epoch: number }
  /** Made for an epoch not reached yet: read the log in order. */
  | { readonly kind: "future"; readonly epoch: number }
  /** A leaf names devices the worker has no trusted record of: update the directory, then try again. */
  | { readonly kind: "device-unknown"; readonly devices: readonly DeviceId[] }
  /** Refused for good: forged, malformed, against the roles, or already used. State is unchanged. */
  | { readonly kind: "refused"; readonly code: ErrorCode };

/** A passphrase slot of the keyring. */
export interface PassphraseSlot {
  readonly kind: "passphrase";
  readonly salt: Uint8Array;
  readonly passes: number;
  readonly memoryBytes: number;
  /** The vault key, sealed under Argon2id of the passphrase. */
  readonly sealedVaultKey: Uint8Array;
}

/** One conversation message body, sealed under its own message key. */
export interface BodyItem {
  readonly messageId: MessageId;
  /** The absolute end, which decides the key's bucket; milliseconds. */
  readonly expiresAtMs: number;
}

/** A message with a deadline. */
export interface Deadline {
  readonly messageId: MessageId;
  readonly deadlineMs: number;
}

/** A person whose records were verified. */
export interface TrustedPerson {
  readonly user: UserRecord;
  readonly devices: readonly DeviceRecord[];
  /** Device records that were refused. */
  readonly refusedDevices: number;
}
