import {
  AppError,
  ensureAppError,
  type RelayEvent,
  type RelayMethodName,
  type RelayParams,
  type RelayResult,
} from "#protocol";
import { openConnection, type Clock, type Connect, type Connection } from "../../link/index.ts";

/** Between two tries at a relay that was there before, milliseconds. */
const retryMs = 1000;

/** What a {@link Visitor} is made of. */
interface VisitorOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly relayUrl: string;
  readonly signal: AbortSignal;
}

/** Asks a relay without signing in, over as many connections as it takes: the relay keeps none of a visitor's for long. */
export class Visitor {
  readonly #options: VisitorOptions;
  #connection: Connection | null = null;
  #reached = false;

  constructor(options: VisitorOptions) {
    this.#options = options;
  }

  /** What the relay says of itself. @throws AppError `relay-unreachable` */
  async hello(): Promise<RelayEvent<"hello">> {
    const connection = this.#connection ?? (await this.#open());
    return connection.hello;
  }

  /**
   * Asks until there is an answer.
   *
   * @throws AppError with the relay's code; `relay-unreachable` when it never was there; `link-ended` once the signal is given
   */
  async ask<Name extends RelayMethodName>(
    name: Name,
    params: RelayParams<Name>,
  ): Promise<RelayResult<Name>> {
    for (;;) {
      if (this.#options.signal.aborted) throw new AppError("link-ended");
      try {
        const connection = this.#connection ?? (await this.#open());
        return await connection.request(name, params);
      } catch (error) {
        const failure = ensureAppError(error);
        const waits = failure.code === "rate-limited";
        if (failure.code === "relay-unreachable") this.close();
        else if (!waits) throw failure;
        if (!this.#reached) throw failure;
        await pause(
          this.#options,
          waits ? Number(failure.data["retryAfterMs"] ?? retryMs) : retryMs,
        );
      }
    }
  }

  /** Asks once, over a connection of its own, also after the signal. @throws AppError */
  async askLast<Name extends RelayMethodName>(
    name: Name,
    params: RelayParams<Name>,
  ): Promise<RelayResult<Name>> {
    const { connect, clock, relayUrl } = this.#options;
    const onEvent = (): void => undefined;
    const connection = await openConnection({ connect, clock, relayUrl, onEvent });
    try {
      return await connection.request(name, params);
    } finally {
      connection.close();
    }
  }

  async #open(): Promise<Connection> {
    const { connect, clock, relayUrl, signal } = this.#options;
    const connection = await openConnection({
      connect,
      clock,
      relayUrl,
      signal,
      onEvent: () => undefined,
    });
    this.#reached = true;
    this.#connection = connection;
    return connection;
  }

  close(): void {
    this.#connection?.close();
    this.#connection = null;
  }
}

/** Waits; shorter when the signal is given. */
export function pause(
  { clock, signal }: Pick<VisitorOptions, "clock" | "signal">,
  delayMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.setTimeout(done, delayMs);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
