import type { ErrorCode } from "../errors.ts";
import type { ConversationId, DeviceId, InviteId, MessageId, NetworkId, UserId } from "../ids.ts";
import type { ConversationKind, Role, RoomAction } from "../room-state.ts";
import type { TimerOrigin, Timers } from "../timers.ts";

/*
 * What the main process lets the interface see: plain readonly data, shaped for display. No key, no path, nothing to decide about trust.
 */

/** What went wrong, and the ways out that are offered. */
export interface ProblemView {
  readonly code: ErrorCode;
  readonly actions: readonly ("retry" | "use-passphrase" | "quit" | "open-read-only")[];
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
  /** A vault that opens with a passphrase. */
  | { readonly phase: "locked"; readonly profile: string }
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
    };

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

export interface PersonDetailsView extends PersonView {
  readonly role: "administrator" | "member";
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
  readonly me: boolean;
  readonly deviceCount: number;
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
  readonly pinned: boolean;
  readonly muted: boolean;
  readonly draft: string;
  readonly encryption: {
    readonly suite: string;
    readonly epoch: number;
    readonly epochAuthenticator: string;
    /** Messages of this conversation that this device could not open. */
    readonly unopenableCount: number;
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
    })
  | (MessageCommon & { readonly kind: "system"; readonly line: SystemLine });

/** A system line: facts, not words; the catalogue makes the sentence. */
export type SystemLine =
  | { readonly kind: "created"; readonly by: PersonView }
  | { readonly kind: "joined"; readonly by: PersonView }
  | { readonly kind: "added"; readonly by: PersonView; readonly people: readonly PersonView[] }
  | { readonly kind: "removed"; readonly by: PersonView; readonly people: readonly PersonView[] }
  | { readonly kind: "left"; readonly by: PersonView }
  | { readonly kind: "renamed"; readonly by: PersonView; readonly name: string }
  | { readonly kind: "timers"; readonly by: PersonView; readonly timers: Timers }
  | {
      readonly kind: "roles";
      readonly by: PersonView;
      readonly administrators: readonly PersonView[];
    };

/** A stretch of a conversation, oldest first. */
export interface MessagePageView {
  readonly messages: readonly MessageView[];
  readonly hasEarlier: boolean;
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
