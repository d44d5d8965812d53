import type { ErrorCode } from "../errors.ts";
import type { ConversationId, DeviceId, InviteId, MessageId, NetworkId, UserId } from "../ids.ts";
import type { ConversationKind, Role, RoomAction } from "../room-state.ts";
import type { SuiteName } from "../suites.ts";
import type { TimerOrigin, Timers } from "../timers.ts";
import type { ObjectionKind } from "../worker/data.ts";
import type { VaultNotice } from "./notices.ts";

/*
 * What the main process lets the interface see: plain readonly data, shaped for display. No key, no path, nothing to decide about trust.
 */

/** What went wrong, and the ways out that are offered. */
export interface ProblemView {
  readonly code: ErrorCode;
  /** `erase` is always the last. */
  readonly actions: readonly (
    "retry" | "use-passphrase" | "use-recovery-code" | "quit" | "open-read-only" | "erase"
  )[];
  /** What is different from when the key was stored: shown as "then … now …". */
  readonly changed: readonly {
    readonly what: "backend" | "application" | "user" | "path";
    readonly before: string;
    readonly now: string;
  }[];
}

/** Where the app is. The first thing the interface asks for, and pushed at every change. */
export type AppView =
  | { readonly phase: "starting"; readonly profile: string; readonly step: StartStep }
  /** No vault yet. `link` is an invite that the app was started with. */
  | {
      readonly phase: "first-run";
      readonly profile: string;
      readonly link: string | null;
      /** Whether this computer can keep the vault's key in its keychain; else a passphrase must be chosen. */
      readonly keychain: "available" | "unavailable";
      readonly keychainProblem: ErrorCode | null;
    }
  /** This computer is being added to an account. */
  | { readonly phase: "linking"; readonly profile: string; readonly step: LinkStepView }
  /** Nothing of the vault is in memory; a passphrase or a recovery code opens it. */
  | ({ readonly phase: "locked"; readonly profile: string } & LockedView)
  | { readonly phase: "problem"; readonly profile: string; readonly problem: ProblemView }
  | {
      readonly phase: "ready";
      readonly profile: string;
      readonly me: MeView;
      readonly network: NetworkView;
      readonly connection: ConnectionView;
      /** Set when the vault is damaged or can't be written: everything can be read, nothing changed. */
      readonly readOnly: ErrorCode | null;
      readonly settings: SettingsView;
      /** Messages that come over between two computers of this person; left out or null: none do. */
      readonly history?: HistoryView | null;
      /** Whether "Lock" can be had: there is a passphrase. */
      readonly canLock: boolean;
      /** What the person should know of the vault's keys, the gravest first. */
      readonly vaultNotices: readonly VaultNotice[];
    };

/** The page of a locked vault. */
export interface LockedView {
  readonly reason: "start" | "person" | "idle" | "os-lock" | "suspend";
  readonly ways: readonly ("passphrase" | "recovery-code")[];
  /** No attempt is taken before this time; null: at once. */
  readonly waitUntilMs: number | null;
  /** Wrong attempts that are left before the vault is destroyed; null: the policy sets no limit. */
  readonly attemptsLeft: number | null;
  /** What has arrived since it was locked, without content. */
  readonly newMessages: number;
}

/** What is being done while starting. */
export type StartStep =
  "starting" | "unlocking" | "making-keys" | "starting-relay" | "joining" | "sweeping";

export interface MeView {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly displayName: string;
  readonly role: "administrator" | "member";
}

export interface NetworkView {
  readonly networkId: NetworkId;
  readonly name: string;
  readonly relayUrl: string;
  /** Whether the relay runs inside this app. */
  readonly hosted: boolean;
  readonly maxExpirationSeconds: number;
  readonly defaultExpirationSeconds: number;
  readonly mayInvite: boolean;
  /** Whether messages may come over to a computer that is added to an account. */
  readonly historyOnLink: boolean;
  /** What conversations are encrypted with; those in another suite go over to it. */
  readonly suite: SuiteName;
  /** Whether this computer has the network's key, without which the rules can't be changed. */
  readonly hasNetworkKey: boolean;
}

export type ConnectionView =
  | { readonly kind: "online" }
  | { readonly kind: "connecting" }
  | { readonly kind: "offline"; readonly code: ErrorCode; readonly retryAtMs: number };

export interface SettingsView {
  readonly theme: "system" | "light" | "dark" | "high-contrast";
  /** 1 is 100 %; from 0.8 to 2. */
  readonly textScale: number;
  /** Whether the window's close button leaves Sotto running in the tray. */
  readonly closeToTray: boolean;
  readonly notifications: boolean;
}

/** A person anywhere in the interface. */
export interface PersonView {
  readonly userId: UserId;
  readonly displayName: string;
}

/** How a person's account key stands: compared here, or not; or another one waits for a decision, and nothing is sent to them. */
export type TrustState = "unverified" | "verified" | "changed";

/** A device of a person, as their account key has signed it. */
export interface PersonDeviceView {
  readonly deviceId: DeviceId;
  readonly deviceName: string;
  readonly platform: string;
  readonly createdAtMs: number;
  /** The beginning of its key's SHA-256: 16 hexadecimal digits in groups of four. */
  readonly fingerprint: string;
}

/** What is compared with a person, and what came of it. With `changed` it is about the key that waits. */
export interface VerificationView extends PersonView {
  readonly state: TrustState;
  readonly verifiedAtMs: number | null;
  readonly how: "digits" | "code" | null;
  /** 60 digits, the same at the other's. */
  readonly digits: string;
  /** What the QR code shows, for the other to scan. */
  readonly code: string;
  readonly devices: readonly PersonDeviceView[];
}

export interface PersonDetailsView extends PersonView {
  readonly role: "administrator" | "member";
  /** By an administrator of the network: they can't be in conversations. */
  readonly suspended: boolean;
  readonly trust: TrustState;
  readonly deviceCount: number;
  readonly me: boolean;
}

/** A row of the conversation list. */
export interface ConversationRowView {
  readonly conversationId: ConversationId;
  readonly kind: ConversationKind;
  /** The conversation's name, or the other person's. */
  readonly title: string;
  /** What the avatar's colour and initials come from. */
  readonly avatarSeed: string;
  readonly lastActivityMs: number;
  readonly preview: RowPreview;
  /** Counted up to 1,000. */
  readonly unreadCount: number;
  readonly pinned: boolean;
  readonly muted: boolean;
  /** Something in it ends within the hour. */
  readonly endsSoon: boolean;
  readonly draft: boolean;
  /** False after leaving or being removed. */
  readonly active: boolean;
}

/** The one line below a conversation's name. */
export type RowPreview =
  | { readonly kind: "empty" }
  /** The last message has ended. */
  | { readonly kind: "ended" }
  | { readonly kind: "covered"; readonly senderName: string | null }
  | { readonly kind: "text"; readonly senderName: string | null; readonly text: string }
  | { readonly kind: "recalled"; readonly senderName: string | null }
  | { readonly kind: "system"; readonly line: SystemLine };

export interface MemberView extends PersonView {
  readonly role: Role;
  readonly trust: TrustState;
  readonly me: boolean;
  readonly deviceCount: number;
}

/** A device, as people call it. */
export interface NamedDeviceView {
  readonly deviceId: DeviceId;
  readonly displayName: string;
  readonly deviceName: string;
}

/** By whose word a conversation could be joined anew, when nobody vouches whom this device knew there. */
export interface VoucherView {
  readonly by: PersonView;
  /** The computer that signed it. */
  readonly deviceName: string;
  /** Who else is in it by their word: what waits would go to them. */
  readonly people: readonly PersonView[];
}

/** An open conversation. */
export interface ConversationView {
  readonly conversationId: ConversationId;
  readonly kind: ConversationKind;
  readonly title: string;
  readonly avatarSeed: string;
  readonly timers: Timers;
  /** The bounds a single message's timers must stay under. */
  readonly bound: Timers & { readonly origin: TimerOrigin };
  readonly members: readonly MemberView[];
  readonly allowed: readonly RoomAction[];
  readonly active: boolean;
  /** It isn't active since this person leaves it, on another of their computers, and the others are still to carry that out. */
  readonly leavingElsewhere: boolean;
  /** Members whose key was verified and has changed: nothing is sent until each of them is verified again or accepted. */
  readonly stoppedFor: readonly PersonView[];
  /** Set while it can't be joined anew for want of somebody known; null: it needn't be, or nobody is there to ask about. */
  readonly unvouched: VoucherView | null;
  readonly pinned: boolean;
  readonly muted: boolean;
  readonly draft: string;
  readonly encryption: {
    readonly suite: string;
    /** The suite that it goes over to when all devices in it have keys of it; null: it stays as it is. */
    readonly nextSuite: string | null;
    /** How many devices may be in it then, when there are more; null: there aren't. */
    readonly nextSuiteLimit: number | null;
    /** Devices that were seen to have none; empty also when that isn't known. */
    readonly awaited: readonly NamedDeviceView[];
    /** Further devices of its members that aren't in it, since no more fit. */
    readonly withoutRoom: readonly NamedDeviceView[];
    readonly epoch: number;
    readonly epochAuthenticator: string;
    /** Others see another conversation: the relay may have shown different ones. */
    readonly doubtful: boolean;
    /** Messages of this conversation that this device could not open, or that didn't come, when it was their turn. */
    readonly unopenableCount: number;
    /** How many of them came after all. */
    readonly recoveredCount: number;
    /** How many of them are still asked for from who sent them. */
    readonly askedCount: number;
    /** How many of them can't be had any more, though nobody says that they were over. */
    readonly lostCount: number;
  };
  /** Where reading goes on; null when all is read. */
  readonly firstUnreadId: MessageId | null;
}

/** When and why a message ends. */
export interface ExpiryView {
  readonly sentAtMs: number;
  /** The absolute end. */
  readonly endsAtMs: number;
  readonly origin: TimerOrigin;
  readonly originSeconds: number;
  readonly burnSeconds: number | null;
  /** Set once this reader has seen a burn-on-read message. */
  readonly burnsAtMs: number | null;
}

/** The state of an own message. */
export type DeliveryView =
  | { readonly kind: "waiting" }
  | { readonly kind: "sent" }
  | { readonly kind: "delivered" }
  | { readonly kind: "read" }
  | { readonly kind: "failed"; readonly code: ErrorCode };

export interface ReactionView {
  readonly emoji: string;
  readonly people: readonly PersonView[];
  readonly own: boolean;
}

export interface QuoteView {
  readonly messageId: MessageId;
  readonly senderName: string;
  /** null when the message it quotes has ended. */
  readonly text: string | null;
}

interface MessageCommon {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  /** Orders messages in a conversation; never changes, may have gaps. */
  readonly order: number;
  readonly sentAtMs: number;
  readonly sender: PersonView;
  readonly own: boolean;
}

/** One item of a conversation. */
export type MessageView =
  | (MessageCommon & {
      readonly kind: "text";
      /** Markdown (GFM subset; raw HTML is shown as text). */
      readonly text: string;
      readonly expiry: ExpiryView;
      readonly quote: QuoteView | null;
      readonly edited: boolean;
      readonly reactions: readonly ReactionView[];
      /** null for messages of others. */
      readonly delivery: DeliveryView | null;
    })
  /** A burn-on-read message that this reader has not uncovered. */
  | (MessageCommon & { readonly kind: "covered"; readonly expiry: ExpiryView })
  | (MessageCommon & { readonly kind: "recalled"; readonly expiry: ExpiryView })
  /** What arrived and could not be opened, or never came though it was sent. */
  | (MessageCommon & {
      readonly kind: "unopenable";
      readonly code: ErrorCode;
      /** How many messages it stands for; one when the sender is known. */
      readonly count: number;
      /** Whether `sender` was proved; otherwise it is nobody, with an empty name. */
      readonly senderKnown: boolean;
      /** Whether any of them is still asked for from who sent it. */
      readonly asking: boolean;
    })
  | (MessageCommon & { readonly kind: "system"; readonly line: SystemLine });

/** A system line: facts, not words; the catalogue makes the sentence. */
export type SystemLine =
  | { readonly kind: "created"; readonly by: PersonView }
  /** A change of theirs was void: nobody else could take it. */
  | { readonly kind: "reopened"; readonly by: PersonView }
  /** This device had lost the thread, and joined anew. */
  | { readonly kind: "rejoined"; readonly by: PersonView }
  /** Who had come or gone when this device joined anew, and all who were there when it did from older data; by whom vouched. */
  | {
      readonly kind: "came-meanwhile" | "went-meanwhile" | "restored";
      readonly by: PersonView;
      readonly people: readonly PersonView[];
    }
  /** Others see another conversation than this device. */
  | { readonly kind: "forked"; readonly by: PersonView }
  | { readonly kind: "joined"; readonly by: PersonView }
  | { readonly kind: "added"; readonly by: PersonView; readonly people: readonly PersonView[] }
  | { readonly kind: "removed"; readonly by: PersonView; readonly people: readonly PersonView[] }
  | { readonly kind: "left"; readonly by: PersonView }
  /** Their computers were taken out: an administrator of the network suspended them, or they have none any more. */
  | { readonly kind: "suspended" | "revoked"; readonly by: PersonView }
  | { readonly kind: "renamed"; readonly by: PersonView; readonly name: string }
  /** The conversation is encrypted otherwise now, as the network's policy asks. */
  | { readonly kind: "suite"; readonly by: PersonView; readonly suite: string }
  | { readonly kind: "timers"; readonly by: PersonView; readonly timers: Timers }
  | {
      readonly kind: "roles";
      readonly by: PersonView;
      readonly administrators: readonly PersonView[];
    }
  /** The issuer has given them another account key. `stopped`: they were verified, so it isn't believed yet, and nothing is sent. */
  | { readonly kind: "key-changed"; readonly by: PersonView; readonly stopped: boolean }
  /** The person here has decided about it. */
  | { readonly kind: "key-taken"; readonly by: PersonView; readonly verified: boolean }
  | { readonly kind: "device-added"; readonly by: PersonView; readonly deviceName: string }
  | { readonly kind: "device-removed"; readonly by: PersonView; readonly deviceName: string }
  /** What the relay gave of them isn't right, and wasn't believed. */
  | { readonly kind: "relay-objection"; readonly by: PersonView; readonly what: ObjectionKind };

/** A stretch of a conversation, oldest first. */
export interface MessagePageView {
  readonly messages: readonly MessageView[];
  readonly hasEarlier: boolean;
}

/** A stretch that need not reach to the newest message. */
export interface MessageWindowView extends MessagePageView {
  readonly hasLater: boolean;
}

/** Who has a message, when. */
export interface MessageInfoView {
  readonly messageId: MessageId;
  readonly sentAtMs: number;
  readonly expiry: ExpiryView;
  readonly suite: string;
  readonly epoch: number;
  readonly receipts: readonly (PersonView & {
    readonly deliveredAtMs: number | null;
    readonly readAtMs: number | null;
  })[];
}

/** "Add a computer", as the device shows it that is there already. */
export type LinkView =
  | { readonly kind: "idle" }
  /** The code, to be carried to the other computer. */
  | { readonly kind: "code"; readonly link: string; readonly expiresAtMs: number }
  /** Six numbers from 0 to 63, shown as symbols; the other computer shows the same. */
  | {
      readonly kind: "compare";
      readonly symbols: readonly number[];
      /** Whether the policy lets messages come over. */
      readonly historyAllowed: boolean;
    }
  /** The person has said here that they match, and not yet there. */
  | { readonly kind: "waiting" }
  | { readonly kind: "adding"; readonly deviceName: string }
  | { readonly kind: "added"; readonly deviceName: string; readonly history: boolean }
  | { readonly kind: "failed"; readonly code: ErrorCode };

/** What a computer is doing that is being added to an account. */
export type LinkStepView =
  | { readonly kind: "connecting" }
  | { readonly kind: "compare"; readonly symbols: readonly number[] }
  | { readonly kind: "waiting"; readonly symbols: readonly number[] }
  | { readonly kind: "receiving" };

/** How far the messages have come that a linked computer gets from the other one. */
export interface HistoryView {
  /** `sending`: to the other one; `receiving`: from it. */
  readonly direction: "sending" | "receiving";
  readonly done: number;
  readonly total: number;
  /** Whether all of it has come. */
  readonly finished: boolean;
}

export interface DeviceView {
  readonly deviceId: DeviceId;
  readonly deviceName: string;
  readonly platform: string;
  readonly createdAtMs: number;
  readonly thisDevice: boolean;
}

export interface InviteView {
  readonly inviteId: InviteId;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly uses: number;
  readonly usesLeft: number;
}

/** What an invite link says before it is used. */
export interface InvitePreviewView {
  readonly networkName: string;
  readonly relayUrl: string;
}

export interface AboutView {
  readonly version: string;
  readonly runtime: "electron" | "preview";
  readonly electron: string | null;
  readonly chromium: string | null;
  readonly node: string;
  readonly suite: string;
  readonly libsodium: string;
  readonly keyStore: "keychain" | "passphrase";
  readonly licences: readonly {
    readonly name: string;
    readonly version: string;
    readonly license: string;
  }[];
}

/** What opens this computer's vault, and what the policy says of it. */
export interface ProtectionView {
  readonly keychain: {
    readonly backend: string;
    readonly state: "in-step" | "behind" | "unavailable";
    readonly weak: boolean;
  } | null;
  readonly passphrase: { readonly createdAtMs: number } | null;
  /** Whether a new passphrase takes the one before: not when the vault was opened with its recovery code, because that was forgotten. */
  readonly asksPassphrase: boolean;
  readonly recoveryCode: { readonly createdAtMs: number } | null;
  readonly organisation: { readonly createdAtMs: number } | null;
  readonly lock: LockSettings;
  /** What the network's administrator has set; a setting that is locked is shown with the reason. */
  readonly policy: {
    readonly lockRequired: boolean;
    readonly maxIdleMinutes: number | null;
    readonly maxAttempts: number | null;
    readonly recoveryCodeAllowed: boolean;
  };
}

/** When the app locks by itself. */
export interface LockSettings {
  /** null: never by itself. */
  readonly idleMinutes: number | null;
  readonly onOsLock: boolean;
  readonly onSuspend: boolean;
}

/** What is kept on this computer, and when it ends. */
export interface StorageView {
  readonly messages: number;
  /** Of all files of the vault. */
  readonly bytes: number;
  /** How many messages end in each span, the soonest first; `untilMs` null: later. */
  readonly ends: readonly { readonly untilMs: number | null; readonly messages: number }[];
  readonly health: {
    readonly state: "healthy" | "damaged" | "read-only";
    readonly damage: { readonly file: string; readonly frame: number } | null;
    /** Committed transactions over the vault's life. */
    readonly sequence: number;
    readonly generation: number;
    readonly snapshotBytes: number;
    readonly logBytes: number;
    readonly logFrames: number;
    readonly keyringBytes: number;
    readonly keyringRevision: number;
    readonly treeNodes: number;
    /** When keys were last destroyed; null: not since the start. */
    readonly lastDestructionMs: number | null;
    /** When the files were last written anew; null: not since the start. */
    readonly lastCompactionMs: number | null;
  };
  readonly slots: readonly ("keychain" | "passphrase" | "recovery-code" | "organisation")[];
  readonly isCompacting: boolean;
}

/** How far the index of the search has come. */
export interface SearchProgressView {
  readonly indexed: number;
  readonly total: number;
}

/** What a search has found, newest first. */
export interface SearchResultsView {
  readonly hits: readonly SearchHitView[];
  /** To go on with; null: there is no more. */
  readonly before: string | null;
  readonly progress: SearchProgressView;
  /** Filters that say nothing, as `from:` of nobody, in the words of the query. */
  readonly unknown: readonly string[];
}

/** One message that was found. */
export interface SearchHitView {
  readonly conversationId: ConversationId;
  readonly conversationTitle: string;
  readonly avatarSeed: string;
  readonly messageId: MessageId;
  readonly sender: PersonView;
  readonly sentAtMs: number;
  readonly endsAtMs: number;
  /** A stretch of the text around what was found. */
  readonly text: string;
  /** Where in `text` it was found: from, to, UTF-16 code units. */
  readonly marks: readonly (readonly [from: number, to: number])[];
}
