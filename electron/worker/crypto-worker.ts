import {
  AppError,
  isErrorCode,
  type CryptoWorker,
  type WireError,
  type WorkerEventName,
  type WorkerEvents,
  type WorkerMessage,
  type WorkerMethodName,
  type WorkerParams,
  type WorkerResult,
} from "#protocol";
import type { Clock } from "../link/index.ts";
import { pack } from "./pack.ts";
import type { SpawnWorker, WorkerHost } from "./ports.ts";
import { createWatchdog, type Watchdog } from "./watchdog.ts";

/** What {@link createCryptoWorker} needs. */
export interface CryptoWorkerOptions {
  readonly spawn: SpawnWorker;
  readonly clock: Clock;
  /** How long the worker may go without any answer while a call waits, milliseconds; left out: 30 s. */
  readonly callTimeoutMs?: number;
  /** The same while a call waits that stretches passphrases or changes large groups; left out: 2 min. */
  readonly slowCallTimeoutMs?: number;
  /** Told why the worker died, for the log. */
  readonly onStopped?: (reason: string) => void;
}

/** Argon2id, key generation, and everything that grows with a group's size. */
const slowMethods: ReadonlySet<WorkerMethodName> = new Set<WorkerMethodName>([
  "start",
  "vault.create",
  "vault.unlock",
  "vault.prepareKeyring",
  "vault.checkPassphrase",
  "directory.trust",
  "keyPackages.generate",
  "group.load",
  "group.create",
  "group.join",
  "group.prepareCommit",
  "group.settleCommit",
  "group.open",
]);

const defaultCallTimeoutMs = 30_000;
const defaultSlowCallTimeoutMs = 120_000;

/** Waiting times before the second, third … restart in a row, milliseconds; the last one repeats. The first comes at once. */
const restartDelaysMs = [0, 250, 1_000, 4_000, 15_000] as const;
/** A worker that lived this long, milliseconds, makes the next restart count as the first. */
const stableAfterMs = 60_000;

interface PendingCall {
  readonly method: WorkerMethodName;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: AppError) => void;
}

/**
 * The crypto worker as the main process sees it. One that dies or no longer answers is ended and started again, with empty memory:
 * calls that were waiting fail with `worker-stopped`, then the restart listeners are told, who begin with `start`.
 */
export function createCryptoWorker(options: CryptoWorkerOptions): CryptoWorker {
  return new RestartingWorker(options);
}

class RestartingWorker implements CryptoWorker {
  readonly #options: CryptoWorkerOptions;
  readonly #pending = new Map<number, PendingCall>();
  readonly #eventListeners = new Map<WorkerEventName, Set<(body: never) => void>>();
  readonly #restartListeners = new Set<() => void>();
  readonly #watchdog: Watchdog;
  #host: WorkerHost | null = null;
  /** Tells messages of the present worker from late ones of its predecessors. */
  #life = 0;
  #nextId = 1;
  #restartsInRow = 0;
  #startedAtMs = 0;
  #cancelRestart: (() => void) | null = null;
  #disposed = false;

  constructor(options: CryptoWorkerOptions) {
    this.#options = options;
    const callTimeoutMs = options.callTimeoutMs ?? defaultCallTimeoutMs;
    const slowCallTimeoutMs = options.slowCallTimeoutMs ?? defaultSlowCallTimeoutMs;
    this.#watchdog = createWatchdog({
      clock: options.clock,
      // A worker takes its calls one after another: while a slow one waits, the others wait behind it.
      limitMs: () => {
        if (this.#pending.size === 0) return null;
        const slow = this.#pending.values().some((call) => slowMethods.has(call.method));
        return slow ? slowCallTimeoutMs : callTimeoutMs;
      },
      onStuck: () => {
        this.#stopped("no answer in time");
      },
    });
    this.#spawn();
  }

  call<Name extends WorkerMethodName>(
    method: Name,
    params: WorkerParams<Name>,
  ): Promise<WorkerResult<Name>> {
    const host = this.#host;
    if (host === null) return Promise.reject(new AppError("worker-stopped", { data: { method } }));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#pending.size === 0) this.#watchdog.sign();
      this.#pending.set(id, { method, resolve: resolve as (result: unknown) => void, reject });
      this.#watchdog.watch();
      try {
        const packed = pack(params);
        host.post({ id, method, params: packed.value }, packed.transfer);
      } catch (cause) {
        this.#pending.delete(id);
        reject(new AppError("internal", { cause, data: { method } }));
      }
    });
  }

  on<Name extends WorkerEventName>(
    name: Name,
    listener: (body: WorkerEvents[Name]) => void,
  ): () => void {
    const listeners = this.#eventListeners.get(name) ?? new Set();
    this.#eventListeners.set(name, listeners);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  onRestart(listener: () => void): () => void {
    this.#restartListeners.add(listener);
    return () => void this.#restartListeners.delete(listener);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#cancelRestart?.();
    this.#watchdog.dispose();
    this.#restartListeners.clear();
    this.#eventListeners.clear();
    await this.#endHost();
  }

  #spawn(): void {
    const life = ++this.#life;
    const isPresent = () => life === this.#life && !this.#disposed;
    this.#startedAtMs = this.#options.clock.now();
    this.#host = this.#options.spawn({
      message: (message) => {
        if (isPresent()) this.#receive(message);
      },
      exited: (reason) => {
        if (isPresent()) this.#stopped(reason);
      },
    });
  }

  #receive(message: WorkerMessage): void {
    this.#watchdog.sign();
    if (message.kind === "event") {
      const listeners = this.#eventListeners.get(message.name) ?? [];
      for (const listener of [...listeners]) listener(message.body as never);
      return;
    }
    const call = this.#pending.get(message.id);
    if (call === undefined) return;
    this.#pending.delete(message.id);
    if (message.kind === "result") call.resolve(message.result);
    else call.reject(fromWorker(message.error, call.method));
  }

  #stopped(reason: string): void {
    // Whatever the dead worker still says is not heard any more.
    this.#life += 1;
    this.#options.onStopped?.(reason);
    void this.#endHost();
    const livedMs = this.#options.clock.now() - this.#startedAtMs;
    this.#restartsInRow = livedMs >= stableAfterMs ? 0 : this.#restartsInRow;
    const step = Math.min(this.#restartsInRow, restartDelaysMs.length - 1);
    this.#restartsInRow += 1;
    this.#cancelRestart = this.#options.clock.setTimeout(() => {
      this.#cancelRestart = null;
      this.#spawn();
      for (const listener of [...this.#restartListeners]) listener();
    }, restartDelaysMs[step] ?? 0);
  }

  /** Ends the present worker and fails what waits for it. */
  async #endHost(): Promise<void> {
    const host = this.#host;
    this.#host = null;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { method, reject } of waiting) {
      reject(new AppError("worker-stopped", { data: { method } }));
    }
    await host?.terminate();
  }
}

function fromWorker(error: WireError, method: WorkerMethodName): AppError {
  return isErrorCode(error.code)
    ? AppError.fromWire(error)
    : new AppError("internal", { data: { method } });
}
