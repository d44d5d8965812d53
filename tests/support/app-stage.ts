import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AppError,
  type AppView,
  type CommandAnswer,
  type CommandName,
  type CommandParams,
  type CommandResult,
} from "#protocol";
import {
  createEngine,
  deviceNameOf,
  profilePaths,
  relayThread,
  startApp,
  systemClock,
  systemUptimeMs,
  thisMachine,
  type App,
  type AppPorts,
  type ProfilePaths,
} from "../../electron/app/index.ts";
import { unsafeMemoryKeychain, type Keychain } from "../../electron/keychain/index.ts";
import { connectWithWs } from "../../electron/link/index.ts";
import { threadSpawner, type SpawnWorker, type WorkerHost } from "../../electron/worker/index.ts";

const source = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const spawnThread = threadSpawner(source("crypto/worker.ts"));

const machineOf = (dataDirectory: string) => ({
  ...thisMachine(),
  env: { SOTTO_DATA_DIR: dataDirectory },
});

/** One profile of the real app without a window: real worker, vault, relay and link. */
export class StagedApp {
  readonly paths: ProfilePaths;
  readonly logged: AppError[] = [];
  readonly app: App;
  /** Time that has passed for waits and idleness, beyond what really has, milliseconds. */
  awayMs = 0;
  #crypto: { readonly host: WorkerHost; readonly exited: (reason: string) => void } | null = null;

  constructor(dataDirectory: string, profile: string, keychain: Keychain, link: string | null) {
    const machine = machineOf(dataDirectory);
    this.paths = profilePaths(machine, profile);
    const spawnWorker: SpawnWorker = (listener) => {
      const host = spawnThread(listener);
      this.#crypto = { host, exited: listener.exited };
      return host;
    };
    const ports: AppPorts = {
      paths: this.paths,
      clock: systemClock,
      uptimeMs: () => systemUptimeMs() + this.awayMs,
      systemIdleMs: () => null,
      connect: connectWithWs,
      keychain,
      spawnWorker,
      spawnRelay: relayThread(source("relay/embedded.ts")),
      notifications: { show: () => undefined },
      isFocused: () => true,
      raiseWindow: () => undefined,
      quit: () => undefined,
      deviceName: deviceNameOf(machine.platform),
      platform: machine.platform,
      about: {
        version: "0.0.0",
        runtime: "preview",
        electron: null,
        chromium: null,
        node: process.versions.node,
        licences: [],
      },
      log: {
        error: (_what, error) => {
          this.logged.push(error);
        },
      },
    };
    this.app = startApp(ports, createEngine(ports), link);
  }

  /** Ends the crypto worker as a crash would. */
  async crashCryptoWorker(): Promise<void> {
    const crashed = this.#crypto;
    await crashed?.host.terminate();
    crashed?.exited("the test ended it");
  }

  answer(name: string, params: unknown): Promise<CommandAnswer> {
    return this.app.dispatch({ id: 1, isTrusted: () => true }, { name, params });
  }

  /** Gives a command as a window would. @throws AppError what was answered */
  async ask<Name extends CommandName>(
    name: Name,
    params: CommandParams<Name>,
  ): Promise<CommandResult<Name>> {
    const answer = await this.answer(name, params);
    if (!answer.ok) throw AppError.fromWire(answer.error);
    return answer.result as CommandResult<Name>;
  }

  /** Waits until the app is where it should be. */
  async reaches<Phase extends AppView["phase"]>(
    phase: Phase,
  ): Promise<Extract<AppView, { readonly phase: Phase }>> {
    await this.until(() => this.app.view.phase === phase);
    return this.app.view as Extract<AppView, { readonly phase: Phase }>;
  }

  async isOnline(): Promise<void> {
    await this.until(() => {
      const { view } = this.app;
      return view.phase === "ready" && view.connection.kind === "online";
    });
  }

  /** Looks at each event and at once. @throws Error when it takes too long */
  until(isSo: () => boolean, timeoutMs = 30_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isSo()) return;
        clearTimeout(timer);
        unsubscribe();
        resolve();
      };
      const timer = setTimeout(() => {
        unsubscribe();
        reject(new Error(`still ${JSON.stringify(this.app.view)}`));
      }, timeoutMs);
      const unsubscribe = this.app.subscribe(look);
      look();
    });
  }
}

/** Profiles in a temporary directory, all stopped and removed at the end. */
export class AppStage {
  readonly directory: string;
  readonly #running = new Set<StagedApp>();

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<AppStage> {
    return new AppStage(await mkdtemp(join(tmpdir(), "sotto-app-")));
  }

  start(
    profile: string,
    options: { readonly keychain?: Keychain; readonly link?: string } = {},
  ): StagedApp {
    const { keychain = unsafeMemoryKeychain(), link = null } = options;
    const staged = new StagedApp(this.directory, profile, keychain, link);
    this.#running.add(staged);
    return staged;
  }

  /** Where a profile's files are, or would be. */
  pathsOf(profile: string): ProfilePaths {
    return profilePaths(machineOf(this.directory), profile);
  }

  async stop(staged: StagedApp): Promise<void> {
    this.#running.delete(staged);
    await staged.app.stop();
  }

  async close(): Promise<void> {
    for (const staged of [...this.#running].reverse()) await this.stop(staged);
    await rm(this.directory, { recursive: true, force: true });
  }
}
