import { beforeEach, describe, expect, test } from "vitest";
import {
  AppError,
  suiteNames,
  type AppView,
  type ConversationId,
  type ConversationRowView,
  type MessageId,
  type UserId,
} from "#protocol";
import type { DeviceId, NetworkId } from "#protocol";
import { english, I18n } from "../../../../renderer/i18n/index.ts";
import type { LinkState } from "../../../../renderer/runtime/index.ts";
import { AppModel } from "../../../../renderer/state/app-model.svelte.ts";
import { conversationView, other, row, textMessage } from "./messages.ts";
import { settle, TestRuntime, TestTimers } from "./support.ts";

const ready: AppView = {
  phase: "ready",
  profile: "default",
  me: {
    userId: "me" as UserId,
    deviceId: "d" as DeviceId,
    displayName: "Nora",
    role: "administrator",
  },
  network: {
    networkId: "n" as NetworkId,
    name: "Halden",
    relayUrl: "ws://127.0.0.1:1/",
    hosted: true,
    maxExpirationSeconds: 2_592_000,
    defaultExpirationSeconds: 604_800,
    mayInvite: true,
    historyOnLink: true,
    suite: suiteNames.default,
    hasNetworkKey: true,
  },
  connection: { kind: "online" },
  readOnly: null,
  settings: { theme: "dark", textScale: 1.2, closeToTray: true, notifications: true },
  canLock: true,
  vaultNotices: [],
};
const locked: AppView = {
  phase: "locked",
  profile: "default",
  reason: "idle",
  ways: ["passphrase"],
  waitUntilMs: null,
  attemptsLeft: null,
  newMessages: 0,
};
const firstRun: AppView = {
  phase: "first-run",
  profile: "default",
  link: null,
  keychain: "available",
  keychainProblem: null,
};
const c1 = "c-1" as ConversationId;
const c2 = "c-2" as ConversationId;

let runtime: TestRuntime;
let sayLink: (state: LinkState) => void;
let applied: unknown[];
let timers: TestTimers;
let app: AppModel;
let stop: () => void;

async function start(view: AppView): Promise<void> {
  runtime.answer("app.get", () => view);
  stop = app.start();
  await settle();
}

beforeEach(() => {
  runtime = new TestRuntime();
  runtime.answer("conversations.list", () => [row("c-1"), row("c-2")]);
  runtime.answer("people.list", () => []);
  runtime.answer("conversation.open", ({ conversationId }) => ({
    conversation: conversationView({
      conversationId: conversationId as ConversationId,
      draft: "kept",
    }),
    page: { messages: [textMessage(1)], hasEarlier: false },
  }));
  applied = [];
  const values = new Map<string, string>();
  timers = new TestTimers();
  app = new AppModel({
    runtime,
    link: {
      state: "open",
      onChange: (listener) => {
        sayLink = listener;
        return () => undefined;
      },
    },
    i18n: new I18n(english, "en-GB"),
    theme: { apply: (appearance) => applied.push(appearance) },
    storage: {
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => void values.set(key, value),
    },
    now: () => 0,
    later: timers.later,
    every: () => () => undefined,
    copyText: () => Promise.resolve(false),
    codes: { fromPicture: () => Promise.resolve(null), fromScreen: () => Promise.resolve(null) },
    print: () => undefined,
  });
});

describe("starting", () => {
  test("when all is ready loads conversations and people, and puts the settings on", async () => {
    await start(ready);
    expect(app.list.rows).toHaveLength(2);
    expect(app.people.loaded).toBe(true);
    expect(applied).toEqual([ready.settings]);
  });

  test("loads nothing before there is a profile", async () => {
    await start(firstRun);
    expect(runtime.paramsOf("conversations.list")).toEqual([]);
    runtime.emit("app.changed", ready);
    await settle();
    expect(app.list.rows).toHaveLength(2);
  });

  test("with an invite opens the door for it", async () => {
    await start({ ...firstRun, link: "sotto://join/abc" });
    expect(app.firstRun.door).toBe("join");
    expect(app.firstRun.link).toBe("sotto://join/abc");
  });

  test("asks for a passphrase where there is no keychain", async () => {
    await start({ ...firstRun, keychain: "unavailable", keychainProblem: "keychain-absent" });
    expect(app.firstRun.needsPassphrase).toBe(true);
  });

  test.each([
    ["account-suspended", true],
    ["relay-unreachable", false],
  ] as const)("without a connection for %s: suspended is %o", async (code, suspended) => {
    await start({ ...ready, connection: { kind: "offline", code, retryAtMs: 1 } });
    expect(app.suspended).toBe(suspended);
    expect(app.mayWrite).toBe(!suspended);
  });

  test("that is undone stops listening", async () => {
    await start(ready);
    stop();
    expect(runtime.listenerCount).toBe(0);
  });
});

describe("conversations", () => {
  test("are opened and closed one at a time", async () => {
    await start(ready);
    app.select(c1);
    await settle();
    app.select(c2);
    await settle();
    expect(runtime.paramsOf("conversation.close")).toEqual([{ conversationId: c1 }]);
    expect(app.conversation?.id).toBe(c2);
  });

  test("keep what was being written when they are left", async () => {
    await start(ready);
    app.select(c1);
    await settle();
    const composer = app.composerOf(app.conversation!);
    expect(composer?.text).toBe("kept");
    composer!.text = "more";
    app.select(c2);
    await settle();
    expect(runtime.paramsOf("conversation.saveDraft")).toEqual([
      { conversationId: c1, text: "more" },
    ]);
    app.select(c1);
    await settle();
    expect(app.composerOf(app.conversation!)).toBe(composer);
  });

  test("that vanish from the list are left", async () => {
    await start(ready);
    app.select(c1);
    await settle();
    runtime.emit("conversations.changed", [row("c-2")]);
    expect(app.conversation).toBeNull();
  });

  test("that were made just now are shown", async () => {
    runtime.answer("conversation.create", () => ({ conversationId: c2 }));
    await start(ready);
    await app.messageTo("u" as UserId);
    expect(app.list.selectedId).toBe(c2);
  });

  test("announce a message of somebody else, and only that", async () => {
    await start(ready);
    app.select(c1);
    await settle();
    const change = { conversationId: c1, removed: [] };
    runtime.emit("messages.changed", { ...change, upserted: [textMessage(2, { own: true })] });
    expect(app.announcement).toBe("");
    runtime.emit("messages.changed", { ...change, upserted: [textMessage(3)] });
    expect(app.announcement).toBe("New message from Jonas");
  });

  test("mark where unread begins while the window isn't in front", async () => {
    await start(ready);
    app.select(c1);
    await settle();
    const change = { conversationId: c1, removed: [] };
    runtime.emit("messages.changed", { ...change, upserted: [textMessage(2)] });
    expect(app.conversation?.firstUnreadId).toBeNull();
    app.focused = false;
    runtime.emit("messages.changed", { ...change, upserted: [textMessage(3)] });
    runtime.emit("messages.changed", { ...change, upserted: [textMessage(4)] });
    expect(app.conversation?.firstUnreadId).toBe("m-3");
  });

  test("end a reply to a message that has ended", async () => {
    await start(ready);
    app.select(c1);
    await settle();
    const composer = app.composerOf(app.conversation!)!;
    composer.reply(textMessage(1));
    runtime.emit("messages.changed", {
      conversationId: c1,
      upserted: [],
      removed: ["m-1" as MessageId],
    });
    expect(composer.mode.kind).toBe("new");
  });
});

describe("locking", () => {
  test("keeps the draft first, then locks", async () => {
    await start(ready);
    app.select(c1);
    await settle();
    app.composerOf(app.conversation!)!.text = "half a thought";
    await app.lock();
    const names = runtime.asked.map(({ name }) => name);
    expect(runtime.paramsOf("conversation.saveDraft")).toEqual([
      { conversationId: c1, text: "half a thought" },
    ]);
    expect(names.indexOf("conversation.saveDraft")).toBeLessThan(names.indexOf("vault.lock"));
  });

  test("without a passphrase leads to where one is set", async () => {
    await start({ ...ready, canLock: false });
    await app.lock();
    expect(runtime.paramsOf("vault.lock")).toEqual([]);
    expect(app.dialogs.current).toEqual({ kind: "settings", section: "protection" });
  });

  test("leaves nothing of what was shown in the page's memory", async () => {
    runtime.answer("people.list", () => [
      {
        ...other,
        role: "member",
        suspended: false,
        trust: "unverified",
        deviceCount: 1,
        me: false,
      } as const,
    ]);
    await start(ready);
    app.select(c1);
    await settle();
    const conversation = app.conversation!;
    const composer = app.composerOf(conversation)!;
    composer.text = "half a thought";
    composer.reply(textMessage(1));
    app.list.query = "supplier";
    app.toasts.info("Jonas was removed");
    app.announce("New message from Jonas");
    app.dialogs.open({ kind: "message-info", message: textMessage(1) });
    app.dialogs.ask({ title: "Recall?", text: "", confirm: "", run: () => Promise.resolve() });
    runtime.emit("app.changed", locked);
    expect(app.conversation).toBeNull();
    expect(conversation.messages).toEqual([]);
    expect(conversation.view).toBeNull();
    expect(composer.text).toBe("");
    expect(composer.mode.kind).toBe("new");
    expect(app.list.rows).toEqual([]);
    expect(app.list.query).toBe("");
    expect(app.people.all).toEqual([]);
    expect(app.toasts.shown).toEqual([]);
    expect(app.announcement).toBe("");
    expect(app.dialogs.any).toBe(false);
  });

  test("sends nothing behind the vault's back, and takes nothing that comes late", async () => {
    await start(ready);
    let answer: (rows: readonly ConversationRowView[]) => void = () => undefined;
    app.select(c1);
    await settle();
    app.composerOf(app.conversation!)!.text = "half a thought";
    runtime.answer("conversations.list", () => new Promise((resolve) => (answer = resolve)));
    sayLink("open");
    await settle();
    const before = runtime.asked.length;
    runtime.emit("app.changed", locked);
    answer([row("c-1")]);
    runtime.emit("conversations.changed", [row("c-1")]);
    runtime.emit("messages.changed", {
      conversationId: c1,
      upserted: [textMessage(2)],
      removed: [],
    });
    runtime.emit("people.changed", null);
    timers.run();
    await settle();
    expect(runtime.asked.slice(before)).toEqual([]);
    expect(app.list.rows).toEqual([]);
    expect(app.list.loaded).toBe(false);
    expect(app.toasts.shown).toEqual([]);
  });

  test("is undone by loading everything anew", async () => {
    await start(ready);
    runtime.emit("app.changed", locked);
    runtime.emit("app.changed", ready);
    await settle();
    expect(app.list.rows).toHaveLength(2);
    expect(app.people.loaded).toBe(true);
  });
});

describe("what goes wrong", () => {
  test("is said in the words of its code", async () => {
    await start(ready);
    const result = await app.attempt(() => Promise.reject(new AppError("not-allowed")));
    expect(result).toBeNull();
    expect(app.toasts.shown[0]?.text).toBe(english.errors["not-allowed"]);
  });

  test("in ourselves is said without details", async () => {
    await start(ready);
    await app.attempt(() => Promise.reject(new TypeError("x is undefined")));
    expect(app.toasts.shown[0]?.text).toBe(english.errors.internal);
  });

  test("with the clipboard is said", async () => {
    await app.copy("text", "Copied");
    expect(app.toasts.shown[0]?.kind).toBe("error");
  });
});

describe("after the process was gone", () => {
  test("everything is asked for again, the open conversation too", async () => {
    await start(ready);
    app.select(c1);
    await settle();
    sayLink("lost");
    expect(app.link).toBe("lost");
    sayLink("open");
    await settle();
    expect(runtime.paramsOf("conversations.list")).toHaveLength(2);
    expect(runtime.paramsOf("conversation.open")).toHaveLength(2);
  });
});

describe("a notification or a link from outside", () => {
  test("shows its conversation", async () => {
    await start(ready);
    app.dialogs.open({ kind: "palette" });
    runtime.emit("app.show", { kind: "conversation", conversationId: c2 });
    expect(app.list.selectedId).toBe(c2);
    expect(app.dialogs.any).toBe(false);
  });

  test("asks nothing of a locked vault, and shows its conversation once that is open", async () => {
    await start(ready);
    runtime.emit("app.changed", locked);
    runtime.emit("app.show", { kind: "conversation", conversationId: c2 });
    await settle();
    expect(runtime.paramsOf("conversation.open")).toEqual([]);
    expect(app.conversation).toBeNull();
    runtime.emit("app.changed", ready);
    await settle();
    expect(app.list.selectedId).toBe(c2);
    expect(app.conversation?.view).not.toBeNull();
  });

  test("with an invite to another network explains what to do", async () => {
    runtime.answer("invite.inspect", () => ({
      networkName: "Other",
      relayUrl: "wss://o.example/",
    }));
    await start(ready);
    runtime.emit("app.show", { kind: "invite", link: "sotto://join/abc" });
    await settle();
    expect(app.dialogs.current).toEqual({ kind: "other-network", networkName: "Other" });
  });
});

test("settings are shown as the process has them", async () => {
  await start(ready);
  const settings = { ...ready.settings, theme: "light" as const };
  runtime.answer("settings.set", () => settings);
  await app.saveSettings({ theme: "light" });
  expect(app.ready?.settings.theme).toBe("light");
  expect(applied.at(-1)).toEqual(settings);
});
