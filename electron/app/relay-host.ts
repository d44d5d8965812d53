import { AppError, ensureAppError, type EmbeddedRelayMessage } from "#protocol";
import type { Clock } from "../link/index.ts";
import type { Log, RelayWorker } from "./ports.ts";

/** What a relay says when it is up. */
export interface RunningRelay {
  readonly relayUrl: string;
  /** null once it serves a network. */
  readonly claimCode: string | null;
}

const startTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;
const firstRetryMs = 2_000;
const lastRetryMs = 60_000;

type State =
  | { readonly kind: "stopped" }
  | {
      readonly kind: "starting";
      readonly worker: RelayWorker;
      readonly started: Promise<RunningRelay>;
      /** Ends the waiting of whoever wants to know where it is. */
      readonly abort: () => void;
    }
  | { readonly kind: "running"; readonly worker: RelayWorker; readonly relay: RunningRelay }
  | { readonly kind: "waiting"; readonly cancel: () => void; readonly retryAtMs: number };

/** What windows may know of it. */
export type RelayStatus =
  | { readonly kind: "stopped" | "starting" | "running" }
  | { readonly kind: "failed"; readonly retryAtMs: number };

/**
 * Keeps the relay inside this app running: it is started with the app, started again when it ends by itself, and stopped last, so that
 * what clients still say at the end is stored.
 */
export class RelayHost {
  readonly #spawn: () => RelayWorker;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onChanged: () => void;
  #state: State = { kind: "stopped" };
  #wanted = false;
  #retryMs = firstRetryMs;

  constructor(options: {
    readonly spawn: () => RelayWorker;
    readonly directory: string;
    readonly clock: Clock;
    readonly log: Log;
    /** Called at each change of {@link RelayHost.status}. */
    readonly onChanged: () => void;
  }) {
    this.#spawn = options.spawn;
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onChanged = options.onChanged;
  }

  get status(): RelayStatus {
    const state = this.#state;
    return state.kind === "waiting"
      ? { kind: "failed", retryAtMs: state.retryAtMs }
      : { kind: state.kind };
  }

  /**
   * Starts it, or says where it is when it runs already. A failure leaves it stopped.
   *
   * @throws AppError `relay-start-failed` or what the relay said
   */
  start(): Promise<RunningRelay> {
    this.#wanted = true;
    if (this.#state.kind === "running") return Promise.resolve(this.#state.relay);
    if (this.#state.kind === "starting") return this.#state.started;
    if (this.#state.kind === "waiting") this.#state.cancel();
    return this.#launch();
  }

  /** Starts it and, should that fail, tries again until it is up or stopped. */
  keepRunning(): void {
    this.start().catch((cause: unknown) => {
      if (!this.#wanted) return;
      this.#log.error("the relay on this computer did not start", ensureAppError(cause));
      if (this.#state.kind === "stopped") this.#retryLater();
    });
  }

  /** Ends it after it has closed its store; by force when that takes too long. */
  async stop(): Promise<void> {
    this.#wanted = false;
    const state = this.#state;
    if (state.kind === "waiting") state.cancel();
    this.#state = { kind: "stopped" };
    if (state.kind === "starting") state.abort();
    if (state.kind !== "starting" && state.kind !== "running") return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.setTimeout(() => {
        state.worker.kill();
        resolve();
      }, stopTimeoutMs);
      state.worker.onMessage((message) => {
        if (message !== null && message.kind !== "stopped") return;
        cancel();
        if (message !== null) state.worker.kill();
        resolve();
      });
      state.worker.send({ kind: "stop" });
    });
  }

  #launch(): Promise<RunningRelay> {
    const worker = this.#spawn();
    const { promise: started, resolve, reject } = Promise.withResolvers<RunningRelay>();
    const cancel = this.#clock.setTimeout(() => {
      fail(new AppError("relay-start-failed", { data: { reason: "timeout" } }));
    }, startTimeoutMs);
    const abort = (): void => {
      cancel();
      reject(new AppError("relay-start-failed", { data: { reason: "stopped" } }));
    };
    const fail = (error: AppError): void => {
      cancel();
      this.#state = { kind: "stopped" };
      worker.kill();
      reject(error);
    };
    this.#state = { kind: "starting", worker, started, abort };
    worker.onMessage((message) => {
      if (!this.#owns(worker)) return;
      const isStarting = this.#state.kind === "starting";
      const failure = failureOf(message);
      if (failure !== null && isStarting) fail(failure);
      else if (failure !== null) this.#died(failure);
      else if (message?.kind === "started" && isStarting) {
        cancel();
        const relay = { relayUrl: message.relayUrl, claimCode: message.claimCode };
        this.#state = { kind: "running", worker, relay };
        this.#retryMs = firstRetryMs;
        resolve(relay);
        this.#onChanged();
      }
    });
    this.#onChanged();
    worker.send({ kind: "start", directory: this.#directory, port: 0 });
    return started;
  }

  #owns(worker: RelayWorker): boolean {
    return "worker" in this.#state && this.#state.worker === worker;
  }

  #died(error: AppError): void {
    this.#log.error("the relay on this computer ended by itself", error);
    if ("worker" in this.#state) this.#state.worker.kill();
    this.#state = { kind: "stopped" };
    if (this.#wanted) this.#retryLater();
  }

  #retryLater(): void {
    const cancel = this.#clock.setTimeout(() => {
      this.#state = { kind: "stopped" };
      this.keepRunning();
    }, this.#retryMs);
    this.#state = { kind: "waiting", cancel, retryAtMs: this.#clock.now() + this.#retryMs };
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
    this.#onChanged();
  }
}

/** The failure a message stands for; the end of the worker (null) is one too. */
function failureOf(message: EmbeddedRelayMessage | null): AppError | null {
  if (message === null) return new AppError("relay-start-failed", { data: { reason: "ended" } });
  return message.kind === "failed" ? AppError.fromWire(message.error) : null;
}
