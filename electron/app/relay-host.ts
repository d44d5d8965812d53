import { AppError, type EmbeddedRelayMessage } from "#protocol";
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
  | { readonly kind: "starting"; readonly worker: RelayWorker }
  | { readonly kind: "running"; readonly worker: RelayWorker; readonly relay: RunningRelay }
  | { readonly kind: "waiting"; readonly cancel: () => void };

/**
 * Keeps the relay inside this app running: it is started with the app, started again when it ends by itself, and stopped last, so that
 * what clients still say at the end is stored.
 */
export class RelayHost {
  readonly #spawn: () => RelayWorker;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #state: State = { kind: "stopped" };
  #wanted = false;
  #retryMs = firstRetryMs;

  constructor(options: {
    readonly spawn: () => RelayWorker;
    readonly directory: string;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#spawn = options.spawn;
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * Starts it, or says where it is when it runs already. A failure leaves it stopped: call again, or {@link keepTrying}.
   *
   * @throws AppError `relay-start-failed` or what the relay said
   */
  async start(): Promise<RunningRelay> {
    this.#wanted = true;
    if (this.#state.kind === "running") return this.#state.relay;
    if (this.#state.kind === "starting") throw new AppError("not-ready");
    if (this.#state.kind === "waiting") this.#state.cancel();
    return this.#launch();
  }

  /** Goes on trying in the background after a failed {@link start}. */
  keepTrying(): void {
    this.#wanted = true;
    if (this.#state.kind === "stopped") this.#retryLater();
  }

  /** Ends it after it has closed its store; by force when that takes too long. */
  async stop(): Promise<void> {
    this.#wanted = false;
    const state = this.#state;
    if (state.kind === "waiting") state.cancel();
    this.#state = { kind: "stopped" };
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
    this.#state = { kind: "starting", worker };
    return new Promise((resolve, reject) => {
      const fail = (error: AppError) => {
        cancel();
        if (this.#owns(worker)) this.#state = { kind: "stopped" };
        worker.kill();
        reject(error);
      };
      const cancel = this.#clock.setTimeout(() => {
        fail(new AppError("relay-start-failed", { data: { reason: "timeout" } }));
      }, startTimeoutMs);
      worker.onMessage((message) => {
        if (!this.#owns(worker)) return;
        const starting = this.#state.kind === "starting";
        const failure = failureOf(message);
        if (failure !== null && starting) fail(failure);
        else if (failure !== null) this.#died(failure);
        else if (message?.kind === "started" && starting) {
          cancel();
          const relay = { relayUrl: message.relayUrl, claimCode: message.claimCode };
          this.#state = { kind: "running", worker, relay };
          this.#retryMs = firstRetryMs;
          resolve(relay);
        }
      });
      worker.send({ kind: "start", directory: this.#directory, port: 0 });
    });
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
      this.#launch().catch((error: unknown) => {
        const failure =
          error instanceof AppError ? error : new AppError("internal", { cause: error });
        this.#log.error("the relay on this computer could not be started again", failure);
        if (this.#wanted && this.#state.kind === "stopped") this.#retryLater();
      });
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
    this.#state = { kind: "waiting", cancel };
  }
}

/** The failure a message stands for; the end of the worker (null) is one too. */
function failureOf(message: EmbeddedRelayMessage | null): AppError | null {
  if (message === null) return new AppError("relay-start-failed", { data: { reason: "ended" } });
  return message.kind === "failed" ? AppError.fromWire(message.error) : null;
}
