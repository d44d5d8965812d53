import type { WebSocket } from "@fastify/websocket";
import {
  AppError,
  challengeBytes,
  decodeFrame,
  encodeFrame,
  ensureAppError,
  maxFrameBytes,
  maxUnauthenticatedFrameBytes,
  relayCloseCodes,
  type DeviceId,
  type RelayCloseReason,
} from "#protocol";
import type { Disposer } from "../clock.ts";
import type { DeviceCaller, RelayContext } from "../domain/context.ts";
import { hello } from "../domain/network.ts";
import { failureFrame, type Caller, type Dispatch, type Request } from "./dispatcher.ts";
import { TokenBucket, type RelayLimits } from "./limits.ts";
import { listenLive } from "./live.ts";

/** What connections of one relay share. */
export interface ConnectionHost {
  readonly context: RelayContext;
  readonly dispatch: Dispatch;
  readonly limits: RelayLimits;
  /** Called when a connection is a device's, and when it no longer is. */
  readonly signedIn: (deviceId: DeviceId, connection: Connection) => void;
  readonly ended: (connection: Connection, deviceId: DeviceId | null) => void;
}

/** One client's connection, from `hello` to its end. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #host: ConnectionHost;
  readonly #challenge: Uint8Array;
  readonly #bucket: TokenBucket;
  #caller: Caller;
  #signingIn = false;
  #lastRequestId = -1;
  /** Frames that came while enough was under way. */
  #backlog: Uint8Array[] = [];
  #requests = 0;
  /** Requests begun in this turn of the event loop. */
  #begun = 0;
  #unsentBytes = 0;
  #greeted = false;
  #paused = false;
  #alive = true;
  #over = false;
  #dismissed: RelayCloseReason | null = null;
  #stopListening: Disposer = () => undefined;
  #cancelSignInTimeout: Disposer;
  #cancelKeepAlive: Disposer;

  constructor(socket: WebSocket, host: ConnectionHost) {
    const { clock, random } = host.context;
    this.#socket = socket;
    this.#host = host;
    this.#challenge = random(challengeBytes);
    this.#bucket = new TokenBucket(host.limits.visitorRate, () => clock.nowMs());
    this.#caller = {
      kind: "visitor",
      visitor: {
        challenge: this.#challenge,
        signIn: (device, check) => this.#signIn(device, check),
      },
    };
    this.#cancelSignInTimeout = clock.setTimer(() => {
      this.close("sign-in-timeout");
    }, host.limits.signInTimeoutMs);
    this.#cancelKeepAlive = () => undefined;
    socket.on("message", (data, isBinary) => {
      this.#alive = true;
      this.#receive(data as Buffer, isBinary);
    });
    socket.on("pong", () => {
      this.#alive = true;
    });
    socket.on("close", () => {
      this.#end();
    });
    this.#keepAlive();
    void this.#greet();
  }

  /** Whether it isn't signed in yet. */
  get isVisitor(): boolean {
    return this.#caller.kind === "visitor";
  }

  /** Whether requests are under way. */
  get isBusy(): boolean {
    return this.#requests > 0;
  }

  /** Ends it with a close code and its name. What waits to be sent is sent before. */
  close(reason: RelayCloseReason): void {
    this.closeWith(relayCloseCodes[reason], reason);
  }

  /** Ends it with one of the codes that WebSocket itself defines. */
  closeWith(code: number, reason: string): void {
    if (this.#over) return;
    this.#end();
    // A paused socket would never see the answer to its close frame.
    this.#socket.resume();
    this.#socket.close(code, reason);
    this.#host.context.log.info("connection-closed", { reason });
  }

  async #greet(): Promise<void> {
    try {
      const body = await hello(this.#host.context, this.#challenge);
      this.#send(encodeFrame({ kind: "event", name: "hello", body }));
      this.#greeted = true;
      this.#takeBacklog();
    } catch (error) {
      const failure = ensureAppError(error);
      this.#host.context.log.error("hello-failed", failure);
      this.closeWith(1011, failure.code);
    }
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#over) return;
    if (!isBinary) {
      this.close("frame-malformed");
      return;
    }
    this.#backlog.push(new Uint8Array(data.buffer, data.byteOffset, data.length));
    this.#takeBacklog();
  }

  /** Begins as many of the waiting requests as may be under way, and lets the client send more only when none waits. */
  #takeBacklog(): void {
    while (!this.#over && this.#mayBegin()) {
      const bytes = this.#backlog.shift();
      if (bytes === undefined) break;
      this.#countTurn();
      this.#take(bytes);
    }
    if (this.#over) return;
    const paused = this.#backlog.length > 0 || !this.#mayBegin();
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  #mayBegin(): boolean {
    const { maxRequests, unsentHighWaterBytes } = this.#host.limits;
    return (
      this.#greeted &&
      this.#dismissed === null &&
      this.#begun < maxRequests &&
      this.#requests < maxRequests &&
      this.#unsentBytes < unsentHighWaterBytes
    );
  }

  /** Requests that storage answers at once would follow each other without end: others get their turn in between. */
  #countTurn(): void {
    if (this.#begun === 0) {
      setImmediate(() => {
        this.#begun = 0;
        this.#takeBacklog();
      });
    }
    this.#begun += 1;
  }

  #take(bytes: Uint8Array): void {
    const maxBytes = this.isVisitor ? maxUnauthenticatedFrameBytes : maxFrameBytes;
    if (bytes.length > maxBytes) {
      this.close("frame-too-large");
      return;
    }
    const request = readRequest(bytes);
    if (request === null || request.id <= this.#lastRequestId) {
      this.close("frame-malformed");
      return;
    }
    this.#lastRequestId = request.id;
    const admission = this.#bucket.admit(bytes.length);
    switch (admission.kind) {
      case "flood":
        this.close("flood");
        return;
      case "limited": {
        const { retryAfterMs } = admission;
        this.#send(failureFrame(request.id, { code: "rate-limited", data: { retryAfterMs } }));
        return;
      }
      case "admitted":
        void this.#answer(request);
    }
  }

  async #answer(request: Request): Promise<void> {
    this.#requests += 1;
    const frame = await this.#host.dispatch(request, this.#caller);
    this.#requests -= 1;
    this.#send(frame);
    if (this.#dismissed !== null && this.#requests === 0) this.close(this.#dismissed);
    this.#takeBacklog();
  }

  async #signIn(device: DeviceCaller, check: () => Promise<void>): Promise<void> {
    if (this.#signingIn) {
      throw new AppError("frame-out-of-order", { data: { reason: "signed-in" } });
    }
    this.#signingIn = true;
    const { context, limits, signedIn } = this.#host;
    const listening = listenLive(context, device, {
      push: (frame) => {
        this.#push(frame);
      },
      close: (reason) => {
        this.#dismiss(reason);
      },
    });
    const stop = await listening.catch((error: unknown) => {
      this.#signingIn = false;
      throw error;
    });
    await check().catch((error: unknown) => {
      stop();
      this.#signingIn = false;
      throw error;
    });
    if (this.#over) {
      stop();
      return;
    }
    this.#stopListening = stop;
    this.#cancelSignInTimeout();
    this.#caller = { kind: "device", device };
    this.#bucket.setLimit(limits.deviceRate);
    signedIn(device.deviceId, this);
  }

  /** Begins nothing more, and ends the connection once what is under way has its answer: a device may have asked for this itself. */
  #dismiss(reason: RelayCloseReason): void {
    this.#dismissed = reason;
    if (this.#requests === 0) this.close(reason);
  }

  /** Sends a live event, unless the client is so far behind that it has to catch up by reading. */
  #push(frame: Uint8Array): void {
    if (this.#over) return;
    if (this.#unsentBytes + frame.length > this.#host.limits.maxUnsentBytes) {
      this.close("resync");
      return;
    }
    this.#send(frame);
  }

  #send(frame: Uint8Array): void {
    if (this.#over) return;
    this.#unsentBytes += frame.length;
    this.#socket.send(frame, { binary: true }, () => {
      // Also called when the socket broke; its end is told by "close".
      this.#alive = true;
      this.#unsentBytes -= frame.length;
      this.#takeBacklog();
    });
  }

  #keepAlive(): void {
    this.#cancelKeepAlive = this.#host.context.clock.setTimer(() => {
      if (!this.#alive) {
        this.#host.context.log.info("connection-dead");
        this.#socket.terminate();
        return;
      }
      this.#alive = false;
      // A paused socket gets no pong; what it sends or finishes counts instead.
      this.#socket.ping();
      this.#keepAlive();
    }, this.#host.limits.keepAliveMs);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#backlog = [];
    this.#cancelSignInTimeout();
    this.#cancelKeepAlive();
    this.#stopListening();
    this.#host.ended(this, this.#caller.kind === "device" ? this.#caller.device.deviceId : null);
  }
}

function readRequest(bytes: Uint8Array): Request | null {
  try {
    const frame = decodeFrame(bytes);
    return frame.kind === "request" ? frame : null;
  } catch {
    return null;
  }
}
