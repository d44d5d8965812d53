import { EventEmitter } from "node:events";
import type { IpcMainInvokeEvent } from "electron";
import { beforeEach, describe, expect, test } from "vitest";
import { commandChannel, eventChannel, type CommandAnswer, type EventMessage } from "#protocol";
import type { CommandSource } from "../../../../electron/app/dispatcher.ts";
import { isOurPage, WindowChannels } from "../../../../electron/shell/ipc.ts";

class FakeFrame {
  parent: FakeFrame | null = null;
  detached = false;
  origin = "sotto-app://sotto";
  url = "sotto-app://sotto/index.html";
}

class FakeContents extends EventEmitter {
  static next = 1;
  readonly id = FakeContents.next++;
  readonly mainFrame = new FakeFrame();
  readonly sent: unknown[][] = [];
  destroyed = false;
  isDestroyed = (): boolean => this.destroyed;
  send = (...message: unknown[]): void => void this.sent.push(message);
}

/** Answers a trusted sender with what arrived, and anybody else as the dispatcher does. */
class FakeApp {
  readonly sources: CommandSource[] = [];
  readonly gone: number[] = [];
  listener: ((message: EventMessage) => void) | null = null;
  dispatch = (source: CommandSource, message: unknown): Promise<CommandAnswer> => {
    this.sources.push(source);
    return Promise.resolve(
      source.isTrusted()
        ? { ok: true, result: message }
        : { ok: false, error: { code: "sender-refused" } },
    );
  };
  subscribe = (listener: (message: EventMessage) => void): (() => void) => {
    this.listener = listener;
    return () => void (this.listener = null);
  };
  sourceGone = (id: number): void => void this.gone.push(id);
}

let app: FakeApp;
let contents: FakeContents;
let handlers: Map<string, (event: IpcMainInvokeEvent, ...values: unknown[]) => Promise<unknown>>;

beforeEach(() => {
  app = new FakeApp();
  contents = new FakeContents();
  handlers = new Map();
  const ipcMain = {
    handle: (channel: string, handler: never) => void handlers.set(channel, handler),
  };
  const channels = new WindowChannels(ipcMain, app);
  channels.attach(contents as never);
});

function send(event: object, ...values: unknown[]): Promise<unknown> {
  return handlers.get(commandChannel)!(event as never, ...values);
}

const message = { name: "app.get", params: {} };
const refused = { ok: false, error: { code: "sender-refused" } };

describe("item 17: the sender of every message", () => {
  test("is a window's main frame that shows our page", async () => {
    const event = { sender: contents, senderFrame: contents.mainFrame };
    expect(await send(event, message)).toEqual({ ok: true, result: message });
  });

  test.each<[string, (frame: FakeFrame) => FakeFrame | null]>([
    ["a frame that is gone", () => null],
    ["a frame inside the page", (frame) => Object.assign(new FakeFrame(), { parent: frame })],
    ["another main frame", () => new FakeFrame()],
    ["a page that is being left", (frame) => Object.assign(frame, { detached: true })],
    [
      "a page of another origin",
      (frame) => Object.assign(frame, { origin: "https://evil.example" }),
    ],
    ["an opaque origin", (frame) => Object.assign(frame, { origin: "null" })],
    ["a similar origin", (frame) => Object.assign(frame, { origin: "sotto-app://sotto.evil" })],
    ["another address", (frame) => Object.assign(frame, { url: "about:blank" })],
    [
      "a similar address",
      (frame) => Object.assign(frame, { url: "sotto-app://sotto.evil/index.html" }),
    ],
  ])("is not %s", async (_what, senderFrame) => {
    const event = { sender: contents, senderFrame: senderFrame(contents.mainFrame) };
    expect(await send(event, message)).toEqual(refused);
    expect(isOurPage(event as never)).toBe(false);
  });

  test("is no window that the shell did not make", async () => {
    const stranger = new FakeContents();
    expect(await send({ sender: stranger, senderFrame: stranger.mainFrame }, message)).toEqual(
      refused,
    );
  });

  test("is looked at when the command is judged, not when the window was made", async () => {
    await send({ sender: contents, senderFrame: contents.mainFrame }, message);
    contents.mainFrame.url = "https://evil.example/";
    expect(app.sources[0]?.isTrusted()).toBe(false);
  });

  test("says one thing at a time", async () => {
    const event = { sender: contents, senderFrame: contents.mainFrame };
    expect(await send(event)).toEqual({ ok: true, result: undefined });
    expect(await send(event, message, message)).toEqual({ ok: true, result: undefined });
  });
});

describe("item 20: what a page can reach", () => {
  test("is one channel to ask and one to hear", () => {
    expect([...handlers.keys()]).toEqual([commandChannel]);
    app.listener?.({ name: "people.changed", body: null });
    expect(contents.sent).toEqual([[eventChannel, { name: "people.changed", body: null }]]);
  });
});

describe("a window", () => {
  const event = (): object => ({ sender: contents, senderFrame: contents.mainFrame });

  test("that loads its page anew counts as another one", async () => {
    await send(event(), message);
    contents.emit("did-start-navigation", { isMainFrame: true, isSameDocument: false });
    await send(event(), message);
    expect(app.gone).toEqual([app.sources[0]?.id]);
    expect(app.sources[1]?.id).not.toBe(app.sources[0]?.id);
  });

  test("that moves inside its page, or loads a frame, does not", async () => {
    await send(event(), message);
    contents.emit("did-start-navigation", { isMainFrame: true, isSameDocument: true });
    contents.emit("did-start-navigation", { isMainFrame: false, isSameDocument: false });
    expect(app.gone).toEqual([]);
  });

  test("that is closed hears nothing more and may say nothing more", async () => {
    await send(event(), message);
    contents.destroyed = true;
    contents.emit("destroyed");
    expect(app.listener).toBeNull();
    expect(app.gone).toEqual([app.sources[0]?.id]);
    expect(await send(event(), message)).toEqual(refused);
  });
});
