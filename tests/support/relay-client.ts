import WebSocket from "ws";
import {
  AppError,
  decodeFrame,
  encodeFrame,
  parse,
  relayEvents,
  relayMethods,
  relayPath,
  relayProtocolVersion,
  relaySubprotocol,
  type NetworkId,
  type RelayEvent,
  type RelayEventName,
  type RelayMethodName,
  type RelayParams,
  type RelayResult,
} from "#protocol";
import type { TestDevice } from "./relay-identity.ts";

interface ReceivedEvent {
  readonly name: string;
  readonly body: unknown;
}

/** How a connection ended. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

/** A bare client of a relay: frames in and out, nothing done by itself. */
export class RelayClient {
  readonly socket: WebSocket;
  readonly ended: Promise<Ending>;
  /** Events that nobody has asked for yet, in order of arrival. */
  readonly events: ReceivedEvent[] = [];
  #hello: RelayEvent<"hello"> | null = null;
  #nextId = 1;
  readonly #answers = new Map<number, (frame: ReturnType<typeof decodeFrame>) => void>();
  #wake: () => void = () => undefined;

  private constructor(url: string) {
    this.socket = new WebSocket(url + relayPath, [relaySubprotocol]);
    this.ended = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
    this.socket.on("message", (data) => {
      this.#take(new Uint8Array(data as Buffer));
    });
    this.socket.on("error", () => undefined);
  }

  /** Connects and waits for `hello`. */
  static async connect(url: string): Promise<RelayClient> {
    const client = new RelayClient(url);
    const hello = await client.nextEvent("hello");
    client.#hello = hello;
    return client;
  }

  get hello(): RelayEvent<"hello"> {
    if (this.#hello === null) throw new Error("no hello yet");
    return this.#hello;
  }

  /** @throws AppError with the relay's code */
  async request<Name extends RelayMethodName>(
    method: Name,
    params: RelayParams<Name>,
  ): Promise<RelayResult<Name>> {
    const result = await this.requestAnything(method, params);
    return parse(relayMethods[method].result, result);
  }

  /** As {@link request}, with whatever method and params. */
  requestAnything(method: string, params: unknown): Promise<unknown> {
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#answers.set(id, (frame) => {
        if (frame.kind === "response") resolve(frame.result);
        else if (frame.kind === "failure") reject(AppError.fromWire(frame.error));
      });
      void this.ended.then(({ code, reason }) => {
        reject(new Error(`connection ended before the answer: ${String(code)} ${reason}`));
      });
    });
    this.sendRaw(encodeFrame({ kind: "request", id, method, params }));
    return answer;
  }

  sendRaw(data: Uint8Array | string): void {
    this.socket.send(data);
  }

  /** Takes the next event of a name out of {@link events}, waiting for it. */
  async nextEvent<Name extends RelayEventName>(name: Name): Promise<RelayEvent<Name>> {
    for (;;) {
      const index = this.events.findIndex((event) => event.name === name);
      const [event] = index < 0 ? [] : this.events.splice(index, 1);
      if (event !== undefined) return parse(relayEvents[name], event.body);
      if (this.socket.readyState >= WebSocket.CLOSING) throw new Error(`no ${name}: closed`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async signIn(
    device: TestDevice,
    networkId: NetworkId,
    vaultSequence = 1,
  ): Promise<RelayResult<"session.signIn">> {
    return this.request("session.signIn", {
      protocolVersion: relayProtocolVersion,
      deviceId: device.deviceId,
      signature: device.signChallenge(networkId, this.hello.challenge, vaultSequence),
      vaultSequence,
    });
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.ended;
  }

  #take(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame.kind === "event") {
      this.events.push({ name: frame.name, body: frame.body });
      this.#wake();
    } else if (frame.kind !== "request") {
      this.#answers.get(frame.id)?.(frame);
      this.#answers.delete(frame.id);
    }
  }
}
