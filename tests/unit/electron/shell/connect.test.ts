import { beforeEach, describe, expect, test } from "vitest";
import { chromiumConnect } from "../../../../electron/shell/connect.ts";

/** A WebSocket as Chromium's, moved by the test. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static last: FakeSocket;
  static refuses = false;
  readyState = 0;
  protocol = "sotto.1";
  binaryType = "nodebuffer";
  closes = 0;
  readonly sent: Uint8Array[] = [];
  readonly url: string;
  readonly options: Readonly<Record<string, unknown>>;

  constructor(url: string, options: Readonly<Record<string, unknown>>) {
    super();
    if (FakeSocket.refuses) throw new SyntaxError("bad address");
    this.url = url;
    this.options = options;
    FakeSocket.last = this;
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
  }

  close(): void {
    this.closes++;
    this.readyState = 2;
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  say(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }

  end(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }
}

let told: unknown[];
const session = { name: "default" };
const target = { url: "wss://relay.example/link", subprotocol: "sotto.1", maxMessageBytes: 4 };
const connect = chromiumConnect({ WebSocket: FakeSocket } as never, session as never);

function start(): ReturnType<typeof connect> {
  return connect(target, {
    opened: () => told.push("opened"),
    message: (bytes) => told.push([...bytes]),
    closed: () => told.push("closed"),
  });
}

beforeEach(() => {
  told = [];
  FakeSocket.refuses = false;
});

describe("the socket on Chromium's stack", () => {
  test("uses the session's proxy and trust, and none of its cookies", () => {
    start();
    expect(FakeSocket.last.url).toBe(target.url);
    expect(FakeSocket.last.options).toEqual({
      protocols: ["sotto.1"],
      session,
      useSessionCookies: false,
    });
    expect(FakeSocket.last.binaryType).toBe("arraybuffer");
  });

  test("sends only while it is open, and passes messages on as bytes", () => {
    const socket = start();
    socket.send(new Uint8Array([1]));
    FakeSocket.last.open();
    socket.send(new Uint8Array([2]));
    expect(FakeSocket.last.sent).toEqual([new Uint8Array([2])]);
    FakeSocket.last.say(new Uint8Array([7, 8]).buffer);
    FakeSocket.last.say("ab");
    FakeSocket.last.end();
    socket.send(new Uint8Array([3]));
    expect(told).toEqual(["opened", [7, 8], [97, 98], "closed"]);
    expect(FakeSocket.last.sent).toHaveLength(1);
  });

  test("ends at a message that is too large or no message at all", () => {
    for (const data of [new ArrayBuffer(5), 42]) {
      told = [];
      start();
      FakeSocket.last.open();
      FakeSocket.last.say(data);
      expect(FakeSocket.last.closes).toBe(1);
      expect(told).toEqual(["opened"]);
    }
  });

  test("ends when the server chose no subprotocol of ours", () => {
    start();
    FakeSocket.last.protocol = "";
    FakeSocket.last.open();
    expect(FakeSocket.last.closes).toBe(1);
    expect(told).toEqual([]);
  });

  test("is closed once, without waiting for the other side", async () => {
    const socket = start();
    FakeSocket.last.open();
    socket.close();
    await Promise.resolve();
    FakeSocket.last.say(new ArrayBuffer(1));
    FakeSocket.last.end();
    expect(told).toEqual(["opened", "closed"]);
  });

  test("that can't even begin is closed, and nothing is thrown", async () => {
    FakeSocket.refuses = true;
    const socket = start();
    socket.send(new Uint8Array(1));
    socket.close();
    await Promise.resolve();
    expect(told).toEqual(["closed"]);
  });
});
