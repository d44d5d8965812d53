import type {
  CommandName,
  CommandResult,
  ConnectionView,
  ConversationId,
  CryptoWorker,
  EventName,
  Events,
  HistoryView,
  Invite,
  LockSettings,
  MeView,
  NetworkView,
  OwnAccountNotice,
  ParsedCommandParams,
  SettingsView,
  StorageView,
  VaultPolicy,
} from "#protocol";
import type { Clock, Connect, Random } from "../link/index.ts";
import type { Vault } from "../vault/index.ts";

/** The commands that the client engine answers; the others belong to the composition around it. */
export type ClientCommandName = Exclude<
  CommandName,
  | "app.get"
  | "app.retry"
  | "app.openReadOnly"
  | "app.quit"
  | "about.get"
  | `profile.${string}`
  | "invite.inspect"
  | `vault.${string}`
  | `protection.${string}`
  | `storage.${string}`
>;

/** The events that the client engine sends. */
export type ClientEventName = Exclude<EventName, "app.changed" | "app.show">;

/** One function per command, with parsed parameters. Each throws AppError. */
export type ClientCommands = {
  readonly [Name in ClientCommandName]: (
    params: ParsedCommandParams<Name>,
  ) => Promise<CommandResult<Name>>;
};

/** What a client shows outside conversations. */
export interface ClientView {
  readonly me: MeView;
  readonly network: NetworkView;
  readonly connection: ConnectionView;
  readonly settings: SettingsView;
  /** Messages that come over between two computers of this person; null: none do. */
  readonly history: HistoryView | null;
}

/** Something to tell the person about, without content. */
export interface Notice {
  readonly conversationId: ConversationId;
  /** `invite`: this person was added to a conversation. */
  readonly kind: "message" | "invite";
}

/** An account at work: its conversations, outbox, timers and link. */
export interface Client {
  readonly commands: ClientCommands;
  /** @returns a disposer */
  on<Name extends EventName>(name: Name, listener: (body: Events[Name]) => void): () => void;
  readonly view: ClientView;
  /** Called when anything in {@link Client.view} changed. @returns a disposer */
  onViewChanged(listener: () => void): () => void;
  /** @returns a disposer */
  onNotify(listener: (notice: Notice) => void): () => void;
  /** Connects at once instead of waiting for the next try: the machine woke up, or the person asked. */
  retryNow(): void;
  /** Unread messages in conversations that aren't muted, for the tray and the title. */
  unreadCount(): number;
  /** What the network's administrator has decided about vaults. {@link Client.onViewChanged} tells of changes. */
  readonly vaultPolicy: VaultPolicy;
  /** When this person wants the app to lock by itself. */
  readonly lockSettings: LockSettings;
  /** @throws AppError why nothing can be written */
  setLockSettings(settings: LockSettings): Promise<void>;
  /**
   * The vault was rolled back: how many conversations are still to be joined anew before anything can be said in them. null: it wasn't, as far as
   * is known. {@link Client.onViewChanged} tells of changes.
   */
  readonly rejoining: number | null;
  /** What this person should read about their own account, the gravest first. {@link Client.onViewChanged} tells of changes. */
  readonly ownNotices: readonly OwnAccountNotice[];
  /** How many messages are kept, and when they end. */
  storageFacts(): Pick<StorageView, "messages" | "ends">;
  /** Ends the link and all work under way. The vault and the worker stay the caller's. */
  close(): Promise<void>;
  /**
   * As {@link Client.close}, but the connection stays for as long as it lasts, without a key and without an answer: the relay's pushes are counted
   * and dropped, and come again to the next client, because nothing acknowledges them.
   *
   * @param onArrival - called for each entry of somebody else that might be a message or an invitation
   * @returns what ends the connection
   */
  rest(onArrival: () => void): Promise<() => void>;
}

/** What a client is built on. */
export interface ClientPorts {
  readonly vault: Vault;
  /** Started and unlocked. */
  readonly worker: CryptoWorker;
  readonly connect: Connect;
  readonly clock: Clock;
  /** Left out: the platform's. */
  readonly random?: Random;
}

/** What {@link ClientPorts} don't say. */
export interface OpenClientOptions extends ClientPorts {
  /** Where the relay inside this app listens now, when the network is hosted here; null: as stored. */
  readonly relayUrl: string | null;
  /** Whether the person looks at a window: an open conversation then gives no notice. Left out: yes. */
  readonly isFocused?: () => boolean;
}

/** The first administrator makes the network, everybody else comes by invite. */
export type AccountOrigin =
  | { readonly claim: null; readonly invite: Invite }
  | {
      readonly claim: { readonly claimCode: string; readonly networkName: string };
      readonly invite: Pick<Invite, "relayUrl">;
    };

/** How an account comes to be on this device. */
export type CreateAccountOptions = ClientPorts &
  AccountOrigin & {
    readonly displayName: string;
    readonly deviceName: string;
    readonly platform: string;
    /** Whether the relay runs inside this app. */
    readonly hosted: boolean;
  };

/** What a vault holds of an account. */
export type AccountProgress =
  | { readonly kind: "none" }
  /** {@link CreateAccountOptions} that stopped halfway: call `createAccount` again, with these or with another invite. */
  | {
      readonly kind: "unfinished";
      readonly origin: AccountOrigin;
      readonly displayName: string;
      readonly deviceName: string;
      readonly platform: string;
      readonly hosted: boolean;
    }
  | { readonly kind: "ready"; readonly hosted: boolean; readonly relayUrl: string };
