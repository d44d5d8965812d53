import {
  AppError,
  defaultVaultPolicy,
  type AppView,
  type CommandAnswer,
  type ConnectionView,
  type EmbeddedRelayMessage,
  type EmbeddedRelayRequest,
  type ErrorCode,
  type EventMessage,
  type KeySlotKind,
  type OwnAccountNotice,
  type LockSettings,
  type SettingsView,
  type VaultId,
  type VaultPolicy,
} from "#protocol";
import { startApp, type App } from "../../electron/app/app.ts";
import type { CommandSource } from "../../electron/app/dispatcher.ts";
import type { Engine, NewAccount, NewLink, NewSlots } from "../../electron/app/engine.ts";
import type { AppPorts, RelayWorker } from "../../electron/app/ports.ts";
import type { AccountProgress, Client, Notice } from "../../electron/client/index.ts";
import type { Clock } from "../../electron/link/index.ts";
import type {
  Attempts,
  KeychainState,
  SlotFacts,
  SlotRequest,
  Vault,
  VaultFacts,
  VaultInspection,
  VaultUnlock,
} from "../../electron/vault/index.ts";

/** A clock that moves only when it is told. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000;
  readonly #timers = new Set<{ atMs: number; readonly run: () => void }>();

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

  /** The computer sleeps: timers stand still. */
  sleep(ms: number): void {
    this.#nowMs += ms;
    for (const timer of this.#timers) timer.atMs += ms;
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

/** A vault that only remembers whether it was closed, and what was done to its slots. */
export class FakeVault implements Vault {
  readonly vaultId = "AAAAAAAAAAAAAAAAAAAAAA" as VaultId;
  readonly sequence = 7;
  readonly readOnly: ErrorCode | null;
  readonly damage: Vault["damage"];
  readonly blobs: Vault["blobs"] = {
    create: () => Promise.reject(new Error("no disk")),
    open: () => Promise.reject(new Error("no disk")),
    remove: () => Promise.resolve(),
  };
  closed = false;
  forgotten = false;
  compactions = 0;
  renewals = 0;
  rolledBack = false;
  keychainState: KeychainState = "in-step";
  keychainProblem: ErrorCode | null = null;
  slots: SlotFacts[] = [];
  /** Fails the next change of slots. */
  failWith: Error | null = null;
  /** Closing waits for this. */
  gate: Promise<void> = Promise.resolve();
  readonly #listeners = new Set<() => void>();

  constructor(readOnly: ErrorCode | null = null) {
    this.readOnly = readOnly;
    this.damage = readOnly === "vault-damaged" ? { file: "log.1", frame: 3 } : null;
  }

  onReadOnly(): () => void {
    return () => undefined;
  }

  onKeysChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  keysChanged(): void {
    for (const listener of this.#listeners) listener();
  }

  read(): [] {
    return [];
  }

  transact(): Promise<void> {
    return Promise.resolve();
  }

  destroyKeys(): Promise<void> {
    return Promise.resolve();
  }

  setSlot(slot: SlotRequest): Promise<{ readonly recoveryCode: string | null }> {
    if (this.failWith !== null) return Promise.reject(this.failWith);
    this.slots = [...this.slots.filter(({ kind }) => kind !== slot.kind), factsOf(slot)];
    return Promise.resolve({ recoveryCode: slot.kind === "recovery-code" ? "CODE" : null });
  }

  removeSlot(kind: KeySlotKind): Promise<void> {
    if (this.failWith !== null) return Promise.reject(this.failWith);
    if (!this.slots.some((slot) => slot.kind === kind)) {
      return Promise.reject(new AppError("argument-invalid"));
    }
    this.slots = this.slots.filter((slot) => slot.kind !== kind);
    return Promise.resolve();
  }

  renewKeychain(): Promise<void> {
    this.renewals += 1;
    return Promise.resolve();
  }

  compact(): Promise<void> {
    this.compactions += 1;
    return Promise.resolve();
  }

  facts(): Promise<VaultFacts> {
    return Promise.resolve({
      generation: 2,
      snapshotBytes: 1000,
      logBytes: 200,
      logFrames: 5,
      keyringBytes: 30,
      keyring: { revision: 4, generations: [2, 3], nodes: 9, droppedBefore: 0, sealedBytes: 20 },
      slots: this.slots,
      lastDestructionMs: 5,
      lastCompactionMs: null,
      isCompacting: false,
    });
  }

  forget(): void {
    this.forgotten = true;
  }

  async close(): Promise<void> {
    await this.gate;
    this.closed = true;
  }
}

/** A slot as if it had been made at 1. */
function factsOf(slot: SlotRequest): SlotFacts {
  switch (slot.kind) {
    case "keychain":
      return {
        kind: "keychain",
        account: "a",
        backend: "Secret Service",
        application: "app.sotto.desktop",
        user: "ada",
        path: "/p/vault",
      };
    case "passphrase":
      return { kind: "passphrase", createdAtMs: 1, passes: 3, memoryBytes: 2 ** 27 };
    case "recovery-code":
      return { kind: "recovery-code", createdAtMs: 1 };
    case "organisation":
      return { kind: "organisation", createdAtMs: 1, publicKey: slot.publicKey };
  }
}

export function fakeVault(readOnly: ErrorCode | null = null): FakeVault {
  return new FakeVault(readOnly);
}

/** Attempts in memory: five are free, then a minute is waited. */
class FakeAttempts implements Attempts {
  readonly #clock: ManualClock;
  tries = 0;
  limit: number | null = null;
  #untilMs = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  get waitMs(): number {
    return Math.max(0, this.#untilMs - this.#clock.now());
  }

  get left(): number | null {
    return this.limit === null ? null : Math.max(0, this.limit - this.tries);
  }

  begin(): Promise<void> {
    if (this.waitMs > 0) return Promise.reject(new AppError("unlock-delayed"));
    this.tries += 1;
    if (this.tries >= 5) this.#untilMs = this.#clock.now() + 60_000;
    return Promise.resolve();
  }

  takeBack(): Promise<void> {
    this.tries -= 1;
    return this.#noWait();
  }

  clear(): Promise<void> {
    this.tries = 0;
    return this.#noWait();
  }

  setLimit(limit: number | null): Promise<void> {
    this.limit = limit;
    return Promise.resolve();
  }

  #noWait(): Promise<void> {
    this.#untilMs = 0;
    return Promise.resolve();
  }
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
  vaultPolicy: VaultPolicy = defaultVaultPolicy;
  lockSettings: LockSettings = { idleMinutes: 15, onOsLock: true, onSuspend: true };
  rejoining: number | null = null;
  ownNotices: readonly OwnAccountNotice[] = [];
  /** Set while it rests. */
  arrive: (() => void) | null = null;
  rests = 0;
  /** Resting waits for this. */
  gate: Promise<void> = Promise.resolve();
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

  setLockSettings(settings: LockSettings): Promise<void> {
    this.lockSettings = settings;
    this.emit("view", undefined);
    return Promise.resolve();
  }

  storageFacts(): ReturnType<Client["storageFacts"]> {
    return { messages: 2, ends: [{ untilMs: null, messages: 2 }] };
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  async rest(onArrival: () => void): Promise<() => void> {
    this.rests += 1;
    this.arrive = onArrival;
    await this.gate;
    this.closed = true;
    return () => {
      this.arrive = null;
    };
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
  readonly opened: VaultUnlock[] = [];
  readonly attempts: FakeAttempts;
  passphrase = "correct horse battery staple";
  weakKeychain: string | null = null;
  readonly accounts: NewAccount[] = [];
  /** Codes by which this computer came into an account. */
  readonly links: string[] = [];
  restartWorker: () => void = () => undefined;
  /** Held steps wait for this. */
  gate: Promise<void> = Promise.resolve();

  constructor(clock: ManualClock) {
    this.attempts = new FakeAttempts(clock);
  }

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
    const { inspection, vault } = this;
    if (inspection.kind !== "present" || vault.slots.length === 0) return inspection;
    return { ...inspection, slotFacts: vault.slots, slots: vault.slots.map(({ kind }) => kind) };
  }

  openAttempts(): Promise<Attempts> {
    return Promise.resolve(this.attempts);
  }

  async checkPassphrase(passphrase: string): Promise<boolean> {
    await this.#step("checkPassphrase");
    return passphrase === this.passphrase;
  }

  dropKeys(): Promise<void> {
    this.steps.push("dropKeys");
    return Promise.resolve();
  }

  async destroyVault(): Promise<void> {
    await this.#step("destroyVault");
    this.inspection = { kind: "none" };
    this.progress = { kind: "none" };
  }

  async forgetErased(): Promise<void> {
    await this.#step("forgetErased");
  }

  /** There is a vault with these slots. */
  hasVault(...kinds: readonly KeySlotKind[]): void {
    this.inspection = {
      kind: "present",
      vaultId: this.vault.vaultId,
      revision: 1,
      slots: kinds,
      slotFacts: [],
    };
    this.vault.slots = kinds.map(slotOf);
  }

  async probeKeychain(): Promise<ErrorCode | null> {
    await this.#step("probeKeychain");
    return this.keychainProblem;
  }

  async createVault(slots: NewSlots): Promise<Vault> {
    await this.#step("createVault");
    this.created.push(slots);
    this.hasVault(
      ...(slots.keychain ? (["keychain"] as const) : []),
      ...(slots.passphrase === null ? [] : (["passphrase"] as const)),
    );
    return this.vault;
  }

  async openVault(unlockWith: VaultUnlock): Promise<Vault> {
    await this.#step("openVault");
    this.opened.push(unlockWith);
    this.vault.closed = false;
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

  async linkAccount(_vault: Vault, { link, compared, onStep }: NewLink): Promise<void> {
    await this.#step("linkAccount");
    const symbols = [1, 2, 3, 4, 5, 6];
    onStep({ kind: "compare", symbols });
    if (!(await compared())) throw new AppError("link-symbols-differ");
    this.links.push(link.code);
    this.progress = { kind: "ready", hosted: false, relayUrl: link.relayUrl };
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

function slotOf(kind: KeySlotKind): SlotFacts {
  switch (kind) {
    case "passphrase":
      return factsOf({ kind, passphrase: "" });
    case "organisation":
      return factsOf({ kind, publicKey: new Uint8Array(1216) });
    default:
      return factsOf({ kind });
  }
}

/** An app on fakes, and everything a test looks at. */
export class AppBench {
  readonly clock = new ManualClock();
  readonly engine = new FakeEngine(this.clock);
  /** null: the system doesn't tell. */
  systemIdleMs: number | null = null;
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
      uptimeMs: () => this.clock.now(),
      systemIdleMs: () => this.systemIdleMs,
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
