import type { AboutView, AppError, EmbeddedRelayMessage, EmbeddedRelayRequest } from "#protocol";
import type { Keychain } from "../keychain/index.ts";
import type { Clock, Connect } from "../link/index.ts";
import type { SpawnWorker } from "../worker/index.ts";
import type { ProfilePaths } from "./profile.ts";

/** Where failures go that no person can mend. Never content, keys, names or links. */
export interface Log {
  error(what: string, error: AppError): void;
}

/** The embedded relay as a worker of ours: a thread, or a process of its own. */
export interface RelayWorker {
  send(request: EmbeddedRelayRequest): void;
  /** Adds a listener, told of each message from now on, and of the end of the worker with null. */
  onMessage(listener: (message: EmbeddedRelayMessage | null) => void): void;
  /** Ends it at once. */
  kill(): void;
}

/** A notification of the operating system. Its words never come from a message. */
export interface NotificationPort {
  /** @param onClick - the person clicked it */
  show(title: string, body: string, onClick: () => void): void;
}

/** What the composition needs of the shell around it: Electron's, the preview's, or a test's. */
export interface AppPorts {
  readonly paths: ProfilePaths;
  readonly clock: Clock;
  /** Milliseconds since the machine was started, whatever its clock is set to. */
  readonly uptimeMs: () => number;
  /** How long nobody has touched this computer, milliseconds. null where it can't be told: then what windows ask for counts. */
  readonly systemIdleMs: () => number | null;
  readonly connect: Connect;
  readonly keychain: Keychain;
  readonly spawnWorker: SpawnWorker;
  readonly spawnRelay: () => RelayWorker;
  readonly notifications: NotificationPort;
  /** Whether the person looks at a window of ours. */
  readonly isFocused: () => boolean;
  /** Brings a window to the front, making one if there is none. */
  readonly raiseWindow: () => void;
  /** The person asked to quit: the shell stops the app and ends. */
  readonly quit: () => void;
  /** How this computer shall be called in the list of devices. */
  readonly deviceName: string;
  readonly platform: "darwin" | "win32" | "linux";
  /** What "About" says of the programs around the engine. */
  readonly about: AboutFacts;
  readonly log: Log;
}

/** What only the shell knows of `AboutView`. */
export type AboutFacts = Omit<AboutView, "suite" | "libsodium" | "keyStore">;
