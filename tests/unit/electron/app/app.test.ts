import { describe, expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import { AppBench, settle } from "../../../support/app-fakes.ts";

const first = "AAAAAAAAAAAAAAAAAAAAAA" as ConversationId;
const second = "BBBBBBBBBBBBBBBBBBBBBA" as ConversationId;
const messageId = "A".repeat(43);

async function readyBench(): Promise<AppBench> {
  const bench = new AppBench();
  bench.engine.hasVault("keychain");
  bench.engine.progress = { kind: "ready", hosted: false, relayUrl: "ws://127.0.0.1:1" };
  return bench.start();
}

describe("notifications", () => {
  test("say that something came, and nothing of what or from whom", async () => {
    const bench = await readyBench();
    bench.engine.client.emit("notify", { conversationId: first, kind: "message" });
    bench.engine.client.emit("notify", { conversationId: second, kind: "invite" });
    expect(bench.notified.map(({ title, body }) => [title, body])).toEqual([
      ["Sotto", "New message"],
      ["Sotto", "You were added to a conversation"],
    ]);
  });

  test("are not given to a person who looks at the window, or who has switched them off", async () => {
    const bench = await readyBench();
    bench.focused = true;
    bench.engine.client.emit("notify", { conversationId: first, kind: "message" });
    bench.focused = false;
    bench.engine.client.settings = { ...bench.engine.client.settings, notifications: false };
    bench.engine.client.emit("notify", { conversationId: first, kind: "message" });
    expect(bench.notified).toEqual([]);
  });

  test("come once for a conversation that talks on, and again after a pause", async () => {
    const bench = await readyBench();
    const notice = { conversationId: first, kind: "message" };
    bench.engine.client.emit("notify", notice);
    bench.engine.client.emit("notify", notice);
    bench.engine.client.emit("notify", { ...notice, conversationId: second });
    expect(bench.notified).toHaveLength(2);
    await bench.clock.advance(5_000);
    bench.engine.client.emit("notify", notice);
    expect(bench.notified).toHaveLength(3);
  });

  test("when clicked raise the window and show their conversation", async () => {
    const bench = await readyBench();
    await bench.send("app.get", {});
    bench.engine.client.emit("notify", { conversationId: first, kind: "message" });
    bench.notified[0]?.click();
    expect(bench.raised).toBe(1);
    expect(bench.events.at(-1)).toEqual({
      name: "app.show",
      body: { kind: "conversation", conversationId: first },
    });
  });
});

describe("links from outside", () => {
  test("wait for a window that listens", async () => {
    const bench = await readyBench();
    bench.app.openLink("sotto://join/abc");
    expect(bench.events.map(({ name }) => name)).not.toContain("app.show");
    await bench.send("app.get", {});
    await bench.clock.advance(0);
    expect(bench.events.at(-1)).toEqual({
      name: "app.show",
      body: { kind: "invite", link: "sotto://join/abc" },
    });
    expect(bench.raised).toBe(1);
  });

  test("wait for the next window when the last one is gone", async () => {
    const bench = await readyBench();
    await bench.send("app.get", {}, 1);
    bench.app.sourceGone(1);
    bench.app.openLink("sotto://join/abc");
    expect(bench.events.map(({ name }) => name)).not.toContain("app.show");
    await bench.send("app.get", {}, 2);
    await bench.clock.advance(0);
    expect(bench.events.at(-1)?.name).toBe("app.show");
  });

  test("fill the first run's form", async () => {
    const bench = await new AppBench().start();
    bench.app.openLink("sotto://join/abc");
    expect(bench.app.view).toMatchObject({ phase: "first-run", link: "sotto://join/abc" });
  });

  test("of any other kind are ignored", async () => {
    const bench = await new AppBench().start("https://example.com/");
    bench.app.openLink("file:///etc/passwd");
    bench.app.openLink("javascript:alert(1)");
    expect(bench.app.view).toMatchObject({ link: null });
    expect(bench.raised).toBe(0);
  });
});

describe("several windows", () => {
  test("all hear every event of the engine", async () => {
    const bench = await readyBench();
    const heard: string[] = [];
    const dispose = bench.app.subscribe(({ name }) => heard.push(name));
    bench.engine.client.emit("people.changed", null);
    dispose();
    bench.engine.client.emit("people.changed", null);
    expect(heard).toEqual(["people.changed"]);
    expect(bench.events.filter(({ name }) => name === "people.changed")).toHaveLength(2);
  });

  test("that look at one conversation keep it open until the last is done", async () => {
    const bench = await readyBench();
    await bench.send("conversation.open", { conversationId: first }, 1);
    await bench.send("conversation.open", { conversationId: first }, 2);
    await bench.send("conversation.close", { conversationId: first }, 1);
    expect(bench.engine.client.calls.map(({ name }) => name)).not.toContain("conversation.close");
    bench.app.sourceGone(2);
    await settle();
    expect(bench.engine.client.calls.at(-1)).toEqual({
      name: "conversation.close",
      params: { conversationId: first },
    });
  });

  test("that vanish close only what nobody else looks at", async () => {
    const bench = await readyBench();
    await bench.send("conversation.open", { conversationId: first }, 1);
    await bench.send("conversation.open", { conversationId: second }, 1);
    // As a search opens it.
    await bench.send("conversation.openAt", { conversationId: second, messageId }, 2);
    bench.app.sourceGone(1);
    await settle();
    const closed = bench.engine.client.calls.filter(({ name }) => name === "conversation.close");
    expect(closed.map(({ params }) => params)).toEqual([{ conversationId: first }]);
  });
});

describe("the app around the engine", () => {
  test("passes on what the shell asks", async () => {
    const bench = await readyBench();
    expect(bench.app.unreadCount).toBe(3);
    expect(bench.app.settings?.closeToTray).toBe(false);
    bench.app.wake();
    expect(bench.engine.client.retries).toBe(1);
    await bench.send("app.quit", {});
    expect(bench.quits).toBe(1);
  });

  test("has no settings and nothing unread before the vault is open", async () => {
    const bench = await new AppBench().start();
    expect(bench.app.settings).toBeNull();
    expect(bench.app.unreadCount).toBe(0);
    bench.app.wake();
    expect(bench.engine.client.retries).toBe(0);
  });

  test("tells About from the worker, the shell and the slots", async () => {
    const bench = await readyBench();
    expect(await bench.send("about.get", {})).toMatchObject({
      result: { suite: "SUITE", libsodium: "1.0.20", keyStore: "keychain", runtime: "preview" },
    });
  });

  test("tells windows when the vault stops taking writes or the view changes", async () => {
    const bench = await readyBench();
    bench.events.length = 0;
    bench.engine.client.emit("view", undefined);
    expect(bench.phases).toEqual(["ready"]);
  });
});
