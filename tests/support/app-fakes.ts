import type { AppError } from "#protocol";
import {
  type AppView,
  type CommandAnswer,
  type ConnectionView,
  type EmbeddedRelayMessage,
  type EmbeddedRelayRequest,
  type ErrorCode,
  type EventMessage,
  type SettingsView,
} from "#protocol";
import { startApp, type App } from "../../electron/app/app.ts";
import type { CommandSource } from "../../electron/app/dispatcher.ts";
import type { Engine, NewAccount, NewSlots, Slot } from "../../electron/app/engine.ts";
import type { AppPorts, RelayWorker } from "../../electron/app/ports.ts";
import type { AccountProgress, Client, Notice } from "../../electron/client/index.ts";
import type { Clock } from "../../electron/link/index.ts";
import type { Vault, VaultInspection } from "../../electron/vault/index.ts";

/** A clock that moves only when it is told. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000;
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  setTimeout(run: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  get waiting(): number {
    return this.#timers.size;
  }

  async advance(ms: number): Promise<void> {
    this.#nowMs += ms;
    const due = [...this.#timers].filter(({ atMs }) => atMs <= this.#nowMs);
    for (const timer of due.sort((left, right) => left.atMs - right.atMs)) {
      this.#timers.delete(timer);
      timer.run();
    }
    await settle();
  }
}

/** Lets everything that waits for a promise go on. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

/** A relay worker that answers as it is told. */
export class FakeRelayWorker implements RelayWorker {
  readonly requests: EmbeddedRelayRequest[] = [];
  killed = false;
  readonly #listeners: ((message: EmbeddedRelayMessage | null) => void)[] = [];
  readonly #answer: (request: EmbeddedRelayRequest) => EmbeddedRelayMessage | null | "silence";

  constructor(answer: FakeRelayWorker["answer"]) {
    this.#answer = answer;
  }

  get answer(): (request: EmbeddedRelayRequest) => EmbeddedRelayMessage | null | "silence" {
    return this.#answer;
  }

  send(request: EmbeddedRelayRequest): void {
    this.requests.push(request);
    const answer = this.#answer(request);
    if (answer === "silence") return;
    queueMicrotask(() => {
      this.say(answer);
    });
  }

  onMessage(listener: (message: EmbeddedRelayMessage | null) => void): void {
    this.#listeners.push(listener);
  }

  kill(): void {
    this.killed = true;
  }

  say(message: EmbeddedRelayMessage | null): void {
    for (const listener of [...this.#listeners]) listener(message);
  }
}

/** Answers as a healthy relay does. */
export function healthyRelay(claimCode: string | null): FakeRelayWorker["answer"] {
  return (request) =>
    request.kind === "start"
      ? { kind: "started", relayUrl: "ws://127.0.0.1:4100", claimCode }
      : { kind: "stopped" };
}

/** A vault that only remembers whether it was closed. */
export interface FakeVault extends Vault {
  closed: boolean;
}

export function fakeVault(readOnly: ErrorCode | null = null): FakeVault {
  const vault = { closed: false, readOnly, onReadOnly: () => () => undefined, damage: null };
  return Object.assign(vault, {
    vaultId: "" as never,
    sequence: 0,
    read: () => [],
    transact: () => Promise.resolve(),
    compact: () => Promise.resolve(),
    close: () => {
      vault.closed = true;
      return Promise.resolve();
    },
  });
}

/** A client whose commands answer null and are written down. */
class FakeClient {
  readonly calls: { readonly name: string; readonly params: unknown }[] = [];
  closed = false;
  retries = 0;
  settings: SettingsView = {
    theme: "system",
    textScale: 1,
    closeToTray: false,
    notifications: true,
  };
  connection: ConnectionView = { kind: "online" };
  hosted = false;
  failWith: Error | null = null;
  result: unknown = null;
  readonly #listeners = new Map<string, Set<(body: never) => void>>();

  readonly commands = new Proxy(
    {},
    {
      get: (_target, name) => (params: unknown) => {
        this.calls.push({ name: String(name), params });
        if (this.failWith !== null) return Promise.reject(this.failWith);
        return Promise.resolve(this.result);
      },
    },
  ) as Client["commands"];

  get view(): Client["view"] {
    const me = { userId: "u", deviceId: "d", displayName: "Ada", role: "administrator" };
    const { connection, hosted, settings } = this;
    const network = { networkId: "n", name: "Lab", relayUrl: "ws://127.0.0.1:4100", hosted };
    return { me, network, connection, settings } as never;
  }

  on(name: string, listener: (body: never) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  onViewChanged(listener: () => void): () => void {
    return this.on("view", listener);
  }

  onNotify(listener: (notice: Notice) => void): () => void {
    return this.on("notify", listener);
  }

  emit(name: string, body: unknown): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(body as never);
  }

  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((count, { size }) => count + size, 0);
  }

  retryNow(): void {
    this.retries++;
  }

  unreadCount(): number {
    return 3;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** An engine without keys and files: each step does what the test says. */
class FakeEngine implements Engine {
  inspection: VaultInspection = { kind: "none" };
  keychainProblem: ErrorCode | null = null;
  progress: AccountProgress = { kind: "none" };
  vault = fakeVault();
  client = new FakeClient();
  disposed = false;
  readonly steps: string[] = [];
  /** Fails the step of this name. */
  readonly failures = new Map<string, Error>();
  readonly created: NewSlots[] = [];
  readonly opened: Slot[] = [];
  readonly accounts: NewAccount[] = [];
  restartWorker: () => void = () => undefined;
  /** Held steps wait for this. */
  gate: Promise<void> = Promise.resolve();

  async #step(name: string): Promise<void> {
    this.steps.push(name);
    await this.gate;
    const failure = this.failures.get(name);
    if (failure !== undefined) throw failure;
  }

  async selfTest(): Promise<{ libsodium: string; suite: string }> {
    await this.#step("selfTest");
    return { libsodium: "1.0.20", suite: "SUITE" };
  }

  onWorkerRestart(listener: () => void): void {
    this.restartWorker = listener;
  }

  async inspectVault(): Promise<VaultInspection> {
    await this.#step("inspectVault");
    return this.inspection;
  }

  async probeKeychain(): Promise<ErrorCode | null> {
    await this.#step("probeKeychain");
    return this.keychainProblem;
  }

  async createVault(slots: NewSlots): Promise<Vault> {
    await this.#step("createVault");
    this.created.push(slots);
    return this.vault;
  }

  async openVault(slot: Slot): Promise<Vault> {
    await this.#step("openVault");
    this.opened.push(slot);
    return this.vault;
  }

  accountProgress(): AccountProgress {
    return this.progress;
  }

  async createAccount(_vault: Vault, account: NewAccount): Promise<void> {
    await this.#step("createAccount");
    this.accounts.push(account);
    this.progress = { kind: "ready", hosted: account.hosted, relayUrl: "ws://127.0.0.1:4100" };
  }

  async openClient(): Promise<Client> {
    await this.#step("openClient");
    return this.client;
  }

  dispose(): Promise<void> {
    this.disposed = true;
    return Promise.resolve();
  }
}

/** An app on fakes, and everything a test looks at. */
export class AppBench {
  readonly engine = new FakeEngine();
  readonly clock = new ManualClock();
  readonly relays: FakeRelayWorker[] = [];
  relayAnswer = healthyRelay("code-1");
  readonly notified: { title: string; body: string; click: () => void }[] = [];
  readonly logged: AppError[] = [];
  readonly events: EventMessage[] = [];
  focused = false;
  raised = 0;
  quits = 0;
  trusted = true;
  app!: App;

  /** Starts the app and waits until it stands still. */
  async start(link: string | null = null): Promise<this> {
    this.begin(link);
    await settle();
    return this;
  }

  begin(link: string | null = null): void {
    this.app = startApp(this.#ports(), this.engine, link);
    this.app.subscribe((message) => this.events.push(message));
  }

  source(id: number): CommandSource {
    return { id, isTrusted: () => this.trusted };
  }

  send(name: string, params: unknown, sourceId = 1): Promise<CommandAnswer> {
    return this.app.dispatch(this.source(sourceId), { name, params });
  }

  /** Every phase that windows were told of, with the step of those that have one. */
  get phases(): readonly string[] {
    return this.events
      .filter(({ name }) => name === "app.changed")
      .map(({ body }) => {
        const view = body as AppView;
        return view.phase === "starting" ? view.step : view.phase;
      });
  }

  #ports(): AppPorts {
    const unused = (): never => {
      throw new Error("the fake engine uses no such port");
    };
    return {
      paths: { name: "default", root: "/p", vault: "/p/vault", relay: "/p/relay", browser: "/p/b" },
      clock: this.clock,
      connect: unused,
      keychain: { backend: "none", get: unused, set: unused, delete: unused },
      spawnWorker: unused,
      spawnRelay: () => {
        const relay = new FakeRelayWorker((request) => this.relayAnswer(request));
        this.relays.push(relay);
        return relay;
      },
      notifications: {
        show: (title, body, click) => {
          this.notified.push({ title, body, click });
        },
      },
      isFocused: () => this.focused,
      raiseWindow: () => {
        this.raised++;
      },
      quit: () => {
        this.quits++;
      },
      deviceName: "bench",
      platform: "linux",
      about: {
        version: "0.1.0",
        runtime: "preview",
        electron: null,
        chromium: null,
        node: "24",
        licences: [],
      },
      log: {
        error: (_what, error) => {
          this.logged.push(error);
        },
      },
    };
  }
}
