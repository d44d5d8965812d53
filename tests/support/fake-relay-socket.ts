import { decodeFrame, encodeFrame, type Frame, type RelayEventInput } from "#protocol";
import type { Connect, SocketListener, SocketTarget } from "../../electron/link/index.ts";

type Request = Extract<Frame, { readonly kind: "request" }>;

/** The relay's end of one socket. */
export class FakeSocket {
  readonly target: SocketTarget;
  readonly requests: Request[] = [];
  readonly #listener: SocketListener;
  closed = false;

  constructor(target: SocketTarget, listener: SocketListener) {
    this.target = target;
    this.#listener = listener;
  }

  /** The client's end. */
  readonly clientEnd = {
    send: (bytes: Uint8Array): void => {
      const frame = decodeFrame(bytes);
      if (frame.kind === "request") this.requests.push(frame);
    },
    close: (): void => {
      this.hangUp();
    },
  };

  get last(): Request {
    const request = this.requests.at(-1);
    if (request === undefined) throw new Error("nothing was asked");
    return request;
  }

  bytes(bytes: Uint8Array): void {
    this.#listener.message(bytes);
  }

  frame(frame: Frame): void {
    this.bytes(encodeFrame(frame));
  }

  hello(changes: Partial<RelayEventInput<"hello">> = {}): void {
    this.frame({
      kind: "event",
      name: "hello",
      body: {
        protocolVersions: [1],
        challenge: new Uint8Array(32),
        relayTimeMs: 1_700_000_000_000,
        issuerKey: new Uint8Array(32),
        network: null,
        ...changes,
      },
    });
  }

  answer(result: unknown, id: number = this.last.id): void {
    this.frame({ kind: "response", id, result });
  }

  hangUp(): void {
    if (this.closed) return;
    this.closed = true;
    this.#listener.closed();
  }
}

/** Sockets that lead to the test. */
export function createFakeSockets(): { readonly connect: Connect; readonly sockets: FakeSocket[] } {
  const sockets: FakeSocket[] = [];
  return {
    sockets,
    connect: (target, listener) => {
      const socket = new FakeSocket(target, listener);
      sockets.push(socket);
      return socket.clientEnd;
    },
  };
}

/** Lets everything that waits for promises go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
