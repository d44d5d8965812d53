import {
  AppError,
  decodeFrame,
  encodeFrame,
  ensureAppError,
  maxFrameBytes,
  parse,
  relayEvents,
  relayMethods,
  relayPath,
  relayProtocolVersion,
  relaySubprotocol,
  type ErrorCode,
  type Frame,
  type RelayEvent,
  type RelayMethodName,
  type RelayParams,
  type RelayResult,
  type WireError,
} from "#protocol";
import type { Clock, Connect, RelaySocket } from "./ports.ts";
import { parseRelayEvent, type RelayEventMessage } from "./relay-event.ts";

const helloTimeoutMs = 15_000;
const requestTimeoutMs = 30_000;

/** One connection to a relay, from `hello` to its end. */
export interface Connection {
  readonly hello: RelayEvent<"hello">;
  /**
   * Asks the relay.
   *
   * @throws AppError with the relay's code; `relay-unreachable` when the connection ended before the answer, so that it is
   *   unknown whether the relay did it
   */
  request<Name extends RelayMethodName>(
    name: Name,
    params: RelayParams<Name>,
  ): Promise<RelayResult<Name>>;
  /** Why it ended. */
  readonly ended: Promise<ErrorCode>;
  close(): void;
}

/** What a connection is made with. */
export interface ConnectionOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly relayUrl: string;
  /** Called for each event in the order of arrival. */
  readonly onEvent: (event: RelayEventMessage) => void;
  /** Ends it, wherever it is. */
  readonly signal?: AbortSignal;
}

/** The WebSocket's address at a relay. */
export function linkUrl(relayUrl: string): string {
  const base = relayUrl.replace(/\/+$/u, "");
  return base.endsWith(relayPath) ? base : base + relayPath;
}

interface Waiting {
  readonly method: RelayMethodName;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: AppError) => void;
  readonly cancelTimeout: () => void;
}

/**
 * Opens a connection and waits for the relay's `hello`.
 *
 * @throws AppError `relay-unreachable`, `frame-malformed`, `frame-too-large`, `frame-out-of-order`, `protocol-version-unknown`
 */
export function openConnection(options: ConnectionOptions): Promise<Connection> {
  const opening = Promise.withResolvers<Connection>();
  const end = Promise.withResolvers<ErrorCode>();
  const waiting = new Map<number, Waiting>();
  const { clock } = options;
  let socket: RelaySocket | null = null;
  let hello: RelayEvent<"hello"> | null = null;
  let over = false;
  let nextId = 1;

  const finish = (error: AppError): void => {
    if (over) return;
    over = true;
    cancelHelloTimeout();
    options.signal?.removeEventListener("abort", abort);
    socket?.close();
    opening.reject(error);
    for (const { reject, cancelTimeout } of waiting.values()) {
      cancelTimeout();
      reject(new AppError("relay-unreachable", { data: { reason: error.code } }));
    }
    waiting.clear();
    end.resolve(error.code);
  };
  const unreachable = (reason: string) => (): void => {
    finish(new AppError("relay-unreachable", { data: { reason } }));
  };
  const abort = unreachable("closed");
  options.signal?.addEventListener("abort", abort);
  const cancelHelloTimeout = clock.setTimeout(unreachable("hello"), helloTimeoutMs);

  const settle = (id: number, use: (entry: Waiting) => void): void => {
    const entry = waiting.get(id);
    if (entry === undefined) {
      throw new AppError("frame-out-of-order", { data: { frame: "answer" } });
    }
    use(entry);
    entry.cancelTimeout();
    waiting.delete(id);
  };
  const greet = (frame: Frame): void => {
    if (frame.kind !== "event" || frame.name !== "hello") {
      throw new AppError("frame-out-of-order", { data: { expected: "hello" } });
    }
    hello = parse(relayEvents.hello, frame.body);
    if (!hello.protocolVersions.includes(relayProtocolVersion)) {
      throw new AppError("protocol-version-unknown");
    }
    cancelHelloTimeout();
    opening.resolve({ hello, request, ended: end.promise, close: abort });
  };
  const take = (frame: Frame): void => {
    switch (frame.kind) {
      case "request":
        throw new AppError("frame-out-of-order", { data: { frame: "request" } });
      case "event":
        options.onEvent(parseRelayEvent(frame.name, frame.body));
        return;
      case "failure":
        settle(frame.id, ({ reject }) => {
          reject(failureOf(frame.error));
        });
        return;
      case "response":
        settle(frame.id, ({ method, resolve }) => {
          resolve(parse(relayMethods[method].result, frame.result));
        });
    }
  };

  const request = <Name extends RelayMethodName>(
    method: Name,
    params: RelayParams<Name>,
  ): Promise<RelayResult<Name>> => {
    if (over) return Promise.reject(new AppError("relay-unreachable"));
    const id = nextId++;
    const bytes = encodeFrame({ kind: "request", id, method, params });
    if (bytes.length > maxFrameBytes) {
      return Promise.reject(new AppError("frame-too-large", { data: { sizeBytes: bytes.length } }));
    }
    const answer = Promise.withResolvers<RelayResult<Name>>();
    waiting.set(id, {
      method,
      resolve: (result) => {
        // `result` was parsed with this method's schema.
        answer.resolve(result as RelayResult<Name>);
      },
      reject: answer.reject,
      // An answer that never comes leaves the order of things unknown: only a new connection clears it.
      cancelTimeout: clock.setTimeout(unreachable("timeout"), requestTimeoutMs),
    });
    socket?.send(bytes);
    return answer.promise;
  };

  socket = options.connect(
    {
      url: linkUrl(options.relayUrl),
      subprotocol: relaySubprotocol,
      maxMessageBytes: maxFrameBytes,
    },
    {
      opened: () => undefined,
      message: (bytes) => {
        if (over) return;
        try {
          const frame = decodeFrame(bytes);
          if (hello === null) greet(frame);
          else take(frame);
        } catch (error) {
          finish(ensureAppError(error));
        }
      },
      closed: abort,
    },
  );
  return opening.promise;
}

/** A relay's error code means what it says only if a relay can have it: what it calls "unreachable" is its own affair. */
function failureOf(error: WireError): AppError {
  return error.code === "relay-unreachable" ? new AppError("internal") : AppError.fromWire(error);
}
