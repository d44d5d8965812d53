import {
  AppError,
  ensureAppError,
  type ConnectionView,
  type ErrorCode,
  type RelayEvent,
  type RelayMethodName,
  type RelayParams,
  type RelayResult,
} from "#protocol";
import { backoffDelayMs } from "./backoff.ts";
import { openConnection, type Connection } from "./connection.ts";
import type { Clock, Connect, Random } from "./ports.ts";
import type { RelayEventMessage } from "./relay-event.ts";

/** A connection that held this long starts the back-off anew, milliseconds. */
const lastingMs = 10_000;
/** With nothing heard for this long a question is asked, so that a dead connection is noticed, milliseconds. */
const silenceMs = 30_000;
/** More events than this before sign-in are no relay's. */
const maxEarlyEvents = 1000;

/** Who this device is, and whom it talks to. */
export interface LinkIdentity {
  /**
   * Checks that the relay belongs to the network, before anything is sent.
   *
   * @throws AppError `relay-identity-changed`, `policy-rollback`, …
   */
  checkRelay(hello: RelayEvent<"hello">): Promise<void>;
  /** Signs the challenge. */
  signIn(challenge: Uint8Array): Promise<RelayParams<"session.signIn">>;
  /**
   * Looks at the answer before anything else is sent.
   *
   * @param ask - asks the relay for more to look at
   * @throws AppError `clock-differs`, …
   */
  acceptSession(session: RelayResult<"session.signIn">, ask: Connection["request"]): Promise<void>;
}

/** Where a link tells what happens. */
export interface LinkListener {
  /** Signed in: what was missed can be fetched. Called once per connection, before its events. */
  readonly onSession: (session: RelayResult<"session.signIn">) => void;
  readonly onEvent: (event: RelayEventMessage) => void;
  readonly onState: (state: ConnectionView) => void;
}

/** A signed-in connection that comes back by itself. */
export interface Link {
  readonly state: ConnectionView;
  /** @throws AppError with the relay's code; `relay-unreachable` while there is no connection, or when it broke before the answer */
  request<Name extends RelayMethodName>(
    name: Name,
    params: RelayParams<Name>,
  ): Promise<RelayResult<Name>>;
  /** Ends the connection because of what the relay sent on it; it is made anew after a pause. */
  distrust(code: ErrorCode): void;
  /** Connects at once instead of at the next turn. */
  retryNow(): void;
  /**
   * From now on the present connection only listens: what was asked fails with `relay-unreachable`, nothing is signed, and no connection is made
   * after this one. Whoever it told before is let go of, with all that they hold.
   *
   * @param onEvent - hears what the relay says, until {@link Link.close}
   */
  rest(onEvent: (event: RelayEventMessage) => void): void;
  close(): void;
}

/** What a link is made of. */
export interface LinkOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly random: Random;
  readonly relayUrl: string;
  readonly identity: LinkIdentity;
  readonly listener: LinkListener;
}

function fractionOf(random: Random): number {
  const [high = 0, low = 0] = random(2);
  return (high * 256 + low) / 0xffff;
}

/** Starts connecting, and goes on until it is closed. */
export function startLink(options: LinkOptions): Link {
  const { connect, clock, random, relayUrl } = options;
  let { identity, listener } = options;
  let state: ConnectionView = { kind: "connecting" };
  let connection: Connection | null = null;
  let onlineSinceMs = Infinity;
  const ending = new AbortController();
  let failures = 0;
  let distrustCode: ErrorCode | null = null;
  let cancelTimer = (): void => undefined;
  let heardAtMs = 0;
  let resting = false;
  /** What fails the requests that are under way. */
  const asked = new Set<(error: AppError) => void>();

  const isClosed = (): boolean => ending.signal.aborted;
  const show = (next: ConnectionView): void => {
    if (isClosed()) return;
    state = next;
    listener.onState(next);
  };

  const watchSilence = (watched: Connection): void => {
    cancelTimer = clock.setTimeout(
      () => {
        if (connection !== watched) return;
        if (clock.now() - heardAtMs < silenceMs) {
          watchSilence(watched);
          return;
        }
        heardAtMs = clock.now();
        // Any answer will do; none ends the connection by its time-out.
        watched.request("policy.get", {}).catch(() => undefined);
        watchSilence(watched);
      },
      Math.max(1000, silenceMs - (clock.now() - heardAtMs)),
    );
  };

  const signIn = async (opened: Connection): Promise<void> => {
    await identity.checkRelay(opened.hello);
    const params = await identity.signIn(opened.hello.challenge);
    const session = await opened.request("session.signIn", params);
    await identity.acceptSession(session, (name, params) => opened.request(name, params));
    if (isClosed()) return;
    connection = opened;
    heardAtMs = clock.now();
    onlineSinceMs = heardAtMs;
    watchSilence(opened);
    show({ kind: "online" });
    listener.onSession(session);
  };

  /** One connection from start to end. @returns why it ended */
  const live = async (): Promise<ErrorCode> => {
    // Events that come before the session is accepted wait for it.
    let early: RelayEventMessage[] | null = [];
    const opened = await openConnection({
      connect,
      clock,
      relayUrl,
      signal: ending.signal,
      onEvent: (event) => {
        heardAtMs = clock.now();
        if (early === null) listener.onEvent(event);
        else if (early.length < maxEarlyEvents) early.push(event);
        else throw new AppError("frame-out-of-order", { data: { reason: "not signed in" } });
      },
    });
    try {
      await signIn(opened);
      const waiting = early;
      early = null;
      for (const event of waiting) listener.onEvent(event);
      const code = await opened.ended;
      return distrustCode ?? code;
    } catch (error) {
      // Whatever was asked fails when the connection ends. Why it did says more.
      opened.close();
      const { code } = ensureAppError(error);
      return code === "relay-unreachable" ? await opened.ended : code;
    } finally {
      connection = null;
      opened.close();
    }
  };

  const turn = async (): Promise<void> => {
    if (isClosed()) return;
    show({ kind: "connecting" });
    distrustCode = null;
    onlineSinceMs = Infinity;
    const code = await live().catch((error: unknown) => ensureAppError(error).code);
    cancelTimer();
    if (isClosed() || resting) return;
    const lasted = clock.now() - onlineSinceMs >= lastingMs;
    failures = lasted ? 1 : failures + 1;
    const delayMs = backoffDelayMs(failures, code, fractionOf(random));
    cancelTimer = clock.setTimeout(() => void turn(), delayMs);
    show({ kind: "offline", code, retryAtMs: clock.now() + delayMs });
  };
  const request = <Name extends RelayMethodName>(
    name: Name,
    params: RelayParams<Name>,
  ): Promise<RelayResult<Name>> => {
    const { promise, resolve, reject } = Promise.withResolvers<RelayResult<Name>>();
    if (connection === null || resting) reject(new AppError("relay-unreachable"));
    else {
      asked.add(reject);
      connection
        .request(name, params)
        .then(resolve, reject)
        .finally(() => asked.delete(reject));
    }
    return promise;
  };
  void turn();

  return {
    get state() {
      return state;
    },
    request,
    distrust: (code) => {
      distrustCode = code;
      connection?.close();
    },
    retryNow: () => {
      if (isClosed() || state.kind !== "offline") return;
      cancelTimer();
      failures = 0;
      void turn();
    },
    rest: (onEvent) => {
      resting = true;
      identity = nobody;
      listener = { onSession: () => undefined, onState: () => undefined, onEvent };
      for (const fail of asked) {
        fail(new AppError("relay-unreachable", { data: { reason: "rest" } }));
      }
      asked.clear();
      // What is not signed in yet can't be any more.
      if (connection !== null) return;
      cancelTimer();
      ending.abort();
    },
    close: () => {
      cancelTimer();
      ending.abort();
    },
  };
}

/** Who a resting link is: it can't sign in. */
const nobody: LinkIdentity = {
  checkRelay: () => Promise.reject(new AppError("not-ready")),
  signIn: () => Promise.reject(new AppError("not-ready")),
  acceptSession: () => Promise.reject(new AppError("not-ready")),
};
