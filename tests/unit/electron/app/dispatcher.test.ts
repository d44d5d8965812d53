import { describe, expect, test } from "vitest";
import { AppError, commands, maxIpcBytes } from "#protocol";
import { createDispatcher, type Handlers } from "../../../../electron/app/dispatcher.ts";
import { AppBench } from "../../../support/app-fakes.ts";

const conversationId = "AAAAAAAAAAAAAAAAAAAAAA";
const from = { id: 1, isTrusted: () => true };

async function readyBench(): Promise<AppBench> {
  const bench = new AppBench();
  bench.engine.hasVault("keychain");
  bench.engine.progress = { kind: "ready", hosted: false, relayUrl: "ws://127.0.0.1:1" };
  return bench.start();
}

describe("what is let through", () => {
  test("a known command with good parameters reaches its handler parsed, and its result comes back", async () => {
    const bench = await readyBench();
    bench.engine.client.result = { messageId: "m" };
    const answer = await bench.send("conversation.rename", { conversationId, name: "  Ops  " });
    expect(answer).toEqual({ ok: true, result: { messageId: "m" } });
    expect(bench.engine.client.calls).toEqual([
      { name: "conversation.rename", params: { conversationId, name: "Ops" } },
    ]);
  });

  test("every command of the contract has a handler", async () => {
    const bench = await readyBench();
    for (const name of Object.keys(commands)) {
      const answer = await bench.send(name, null);
      // Wrong parameters, but not an unknown command: the table and the handlers agree.
      expect(answer, name).toMatchObject({ ok: false, error: { code: "argument-invalid" } });
    }
  });

  test("an expected failure keeps its code and safe data, and is not logged", async () => {
    const bench = await readyBench();
    bench.engine.client.failWith = new AppError("policy-forbids", { data: { limit: 5 } });
    expect(await bench.send("conversations.list", {})).toEqual({
      ok: false,
      error: { code: "policy-forbids", data: { limit: 5 } },
    });
    expect(bench.logged).toEqual([]);
  });
});

describe("what is refused", () => {
  test("a sender that is not trusted, before anything is looked at", async () => {
    const bench = await readyBench();
    bench.trusted = false;
    expect(await bench.send("no.such", "x".repeat(maxIpcBytes))).toEqual({
      ok: false,
      error: { code: "sender-refused" },
    });
  });

  test.each(["no.such", "toString", "__proto__", "constructor", ""])(
    "the unknown command %j",
    async (name) => {
      const bench = await readyBench();
      expect(await bench.send(name, {})).toMatchObject({ error: { code: "command-unknown" } });
    },
  );

  test("a message above the limit, by its bytes and not its characters", async () => {
    const bench = await readyBench();
    const wide = "ß".repeat(maxIpcBytes / 2 + 1);
    const answer = await bench.send("conversation.saveDraft", { conversationId, text: wide });
    expect(answer).toMatchObject({ error: { code: "frame-too-large" } });
    const fitting = await bench.send("conversation.saveDraft", { conversationId, text: "ß" });
    expect(fitting.ok).toBe(true);
  });

  test.each([
    ["no object", "app.get"],
    ["nothing", undefined],
    ["a list", ["app.get", {}]],
    ["a further field", { name: "app.get", params: {}, extra: 1 }],
    ["no name", { params: {} }],
    ["a name that is no text", { name: 1, params: {} }],
    ["a big integer", { name: "app.get", params: { value: 1n } }],
  ])("a message that is %s", async (_what, message) => {
    const bench = await readyBench();
    expect(await bench.app.dispatch(from, message)).toMatchObject({
      error: { code: "argument-invalid" },
    });
  });

  test("a cycle", async () => {
    const bench = await readyBench();
    const message: Record<string, unknown> = { name: "app.get" };
    message["params"] = message;
    expect(await bench.app.dispatch(from, message)).toMatchObject({
      error: { code: "argument-invalid" },
    });
  });

  test.each([
    ["a missing field", {}],
    ["a wrong id", { conversationId: "short" }],
    ["a further field", { conversationId, path: "/etc/passwd" }],
    ["a map instead of an object", new Map([["conversationId", conversationId]])],
  ])("parameters with %s, without naming a value", async (_what, params) => {
    const bench = await readyBench();
    const answer = await bench.send("conversation.leave", params);
    expect(answer).toMatchObject({ ok: false, error: { code: "argument-invalid" } });
    expect(JSON.stringify(answer)).not.toContain("passwd");
    expect(bench.engine.client.calls).toEqual([]);
  });

  test("a command of the engine while there is none", async () => {
    const bench = await new AppBench().start();
    expect(bench.app.view.phase).toBe("first-run");
    expect(await bench.send("conversations.list", {})).toEqual({
      ok: false,
      error: { code: "not-ready" },
    });
  });
});

describe("what never leaves", () => {
  test("the message and stack of a bug: only its code does, and it is logged", async () => {
    const bench = await readyBench();
    bench.engine.client.failWith = new TypeError("secret detail");
    const answer = await bench.send("conversations.list", {});
    expect(answer).toEqual({ ok: false, error: { code: "internal" } });
    expect(bench.logged.map(({ cause }) => cause)).toEqual([bench.engine.client.failWith]);
  });

  test.each([
    ["a byte string", new Uint8Array(4)],
    ["a byte string deep inside", { rows: [{ key: new Uint8Array(4) }] }],
    ["a function", { run: () => 1 }],
    ["an instance", new AppError("internal")],
    ["a number that JSON can't say", { at: Number.NaN }],
  ])("a result with %s", async (_what, result) => {
    const handlers = { "app.get": () => result } as unknown as Handlers;
    const dispatch = createDispatcher(handlers, { error: () => undefined });
    expect(await dispatch(from, { name: "app.get", params: {} })).toMatchObject({
      ok: false,
      error: { code: "internal" },
    });
  });
});
