import { describe, expect, test } from "vitest";
import { AppError, type PreviewMessage, type PreviewRequest } from "#protocol";
import {
  PreviewRuntime,
  type PreviewSocket,
} from "../../../../renderer/runtime/preview-runtime.ts";

/** The server's end of one connection. */
class FakeSocket implements PreviewSocket {
  readonly sent: PreviewRequest[] = [];
  readonly #listeners = new Map<string, ((event: never) => void)[]>();

  readonly addEventListener = ((name: string, listener: (event: never) => void): void => {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }) as PreviewSocket["addEventListener"];

  send(data: string): void {
    this.sent.push(JSON.parse(data) as PreviewRequest);
  }

  close(): void {
    this.emit("close", { code: 1000 });
  }

  emit(name: string, event: object = {}): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(event as never);
  }

  say(message: PreviewMessage): void {
    this.emit("message", { data: JSON.stringify(message) });
  }

  /** Opens and lets the page in. */
  welcome(): void {
    this.emit("open");
    this.say({ kind: "welcome", platform: "win32" });
  }
}

function build() {
  const sockets: FakeSocket[] = [];
  const waits: { readonly task: () => void; readonly delayMs: number }[] = [];
  const runtime = new PreviewRuntime({
    token: "a-token",
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    later: (task, delayMs) => {
      waits.push({ task, delayMs });
      return () => undefined;
    },
  });
  const states: string[] = [];
  runtime.onChange((state) => states.push(state));
  return { runtime, sockets, waits, states };
}

describe("the preview's runtime", () => {
  test("shows its token first, and knows the platform when it is let in", () => {
    const { runtime, sockets } = build();
    sockets[0]!.emit("open");
    expect(sockets[0]!.sent).toEqual([{ kind: "hello", token: "a-token" }]);
    sockets[0]!.say({ kind: "welcome", platform: "darwin" });
    expect(runtime.platform).toBe("darwin");
    expect(runtime.state).toBe("open");
  });

  test("keeps commands until it is let in, then sends each once", () => {
    const { runtime, sockets } = build();
    void runtime.invoke("app.get", {});
    expect(sockets[0]!.sent).toEqual([]);
    sockets[0]!.welcome();
    expect(sockets[0]!.sent.map(({ kind }) => kind)).toEqual(["hello", "command"]);
    sockets[0]!.say({ kind: "welcome", platform: "linux" });
    expect(sockets[0]!.sent).toHaveLength(2);
  });

  test("gives each answer to its own command, whatever their order", async () => {
    const { runtime, sockets } = build();
    sockets[0]!.welcome();
    const first = runtime.invoke("conversations.list", {});
    const second = runtime.invoke("people.list", {});
    sockets[0]!.say({ kind: "answer", id: 2, answer: { ok: true, result: ["second"] } });
    sockets[0]!.say({ kind: "answer", id: 1, answer: { ok: true, result: ["first"] } });
    await expect(first).resolves.toEqual(["first"]);
    await expect(second).resolves.toEqual(["second"]);
  });

  test("turns a refusal into the error that it names", async () => {
    const { runtime, sockets } = build();
    sockets[0]!.welcome();
    const asked = runtime.invoke("app.get", {});
    sockets[0]!.say({ kind: "answer", id: 1, answer: { ok: false, error: { code: "not-found" } } });
    await expect(asked).rejects.toMatchObject({ code: "not-found" });
    await expect(asked).rejects.toBeInstanceOf(AppError);
  });

  test("turns an unknown error code into an internal error", async () => {
    const { runtime, sockets } = build();
    sockets[0]!.welcome();
    const asked = runtime.invoke("app.get", {});
    const error = { code: "from-the-future" } as unknown as AppError;
    sockets[0]!.say({ kind: "answer", id: 1, answer: { ok: false, error } });
    await expect(asked).rejects.toMatchObject({ code: "internal" });
  });

  test("hands events to those who listen, until they stop", () => {
    const { runtime, sockets } = build();
    const heard: unknown[] = [];
    const stop = runtime.on("people.changed", (body) => heard.push(body));
    sockets[0]!.welcome();
    sockets[0]!.say({ kind: "event", message: { name: "people.changed", body: null } });
    stop();
    sockets[0]!.say({ kind: "event", message: { name: "people.changed", body: null } });
    expect(heard).toEqual([null]);
  });

  test("when the process is gone, fails what was under way and connects again by itself", async () => {
    const { runtime, sockets, waits, states } = build();
    sockets[0]!.welcome();
    const asked = runtime.invoke("app.get", {});
    sockets[0]!.emit("close", { code: 1006 });
    await expect(asked).rejects.toMatchObject({ code: "not-ready" });
    expect(runtime.state).toBe("lost");
    const later = runtime.invoke("conversations.list", {});
    waits[0]!.task();
    sockets[1]!.welcome();
    expect(sockets[1]!.sent.at(-1)).toMatchObject({ name: "conversations.list" });
    sockets[1]!.say({ kind: "answer", id: 2, answer: { ok: true, result: [] } });
    await expect(later).resolves.toEqual([]);
    expect(states).toEqual(["open", "lost", "open"]);
  });

  test("waits longer after each failure, up to a bound, and quickly again after a success", () => {
    const { sockets, waits } = build();
    for (let attempt = 0; attempt < 7; attempt += 1) {
      sockets.at(-1)!.emit("close", { code: 1006 });
      waits.at(-1)!.task();
    }
    const delays = waits.map(({ delayMs }) => delayMs);
    expect(delays.slice(0, 4)).toEqual([250, 500, 1000, 2000]);
    expect(Math.max(...delays)).toBe(4000);
    sockets.at(-1)!.welcome();
    sockets.at(-1)!.emit("close", { code: 1006 });
    expect(waits.at(-1)!.delayMs).toBe(250);
  });

  test("says that nobody answers when it was never let in", () => {
    const { runtime, sockets, waits } = build();
    sockets[0]!.emit("close", { code: 1006 });
    expect(runtime.state).toBe("connecting");
    for (let attempt = 0; attempt < 4; attempt += 1) {
      waits.at(-1)!.task();
      sockets.at(-1)!.emit("close", { code: 1006 });
    }
    expect(runtime.state).toBe("lost");
  });

  test("does not try again with a token that was refused", () => {
    const { runtime, sockets, waits } = build();
    sockets[0]!.emit("open");
    sockets[0]!.emit("close", { code: 1008 });
    expect(runtime.state).toBe("refused");
    expect(waits).toEqual([]);
  });

  test.each([
    "not json",
    "null",
    '{"kind":"answer","id":"1"}',
    '{"kind":"event","message":{"name":"conversation.closed"}}',
    '{"kind":"welcome","platform":"amiga"}',
    '{"kind":"else"}',
  ])("leaves out what doesn't have the agreed form: %s", (data) => {
    const { runtime, sockets } = build();
    sockets[0]!.emit("open");
    sockets[0]!.emit("message", { data });
    expect(runtime.state).toBe("connecting");
  });
});
