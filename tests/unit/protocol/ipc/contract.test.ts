import type * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  commands,
  erasePhrase,
  eventNames,
  maxIpcBytes,
  maxMessageLength,
  maxPageMessages,
  parse,
  type CommandName,
  type CommandResult,
  type EventName,
  type Events,
  type MessageId,
} from "#protocol";
import { errorWith } from "../../../support/protocol.ts";

const conversationId = "AAAAAAAAAAAAAAAAAAAAAA";
const userId = "AAAAAAAAAAAAAAAAAAAAAQ";
const otherUserId = "AAAAAAAAAAAAAAAAAAAAAg";
const conversation = { conversationId };
const message = { conversationId, messageId: "A".repeat(43) };
const timers = { expirationSeconds: 3600, burnSeconds: null };
const first = { displayName: "Ada", passphrase: null };

/** Parameters that each command takes. */
const good: Readonly<Record<CommandName, Readonly<Record<string, unknown>>>> = {
  "app.get": {},
  "app.retry": {},
  "app.openReadOnly": {},
  "app.quit": {},
  "about.get": {},
  "profile.host": { networkName: "Example", ...first },
  "profile.join": { link: "sotto://join/x", ...first },
  "invite.inspect": { link: "sotto://join/x" },
  "vault.unlock": { passphrase: "correct horse" },
  "vault.unlockWithCode": { code: "ABCD-EFGH" },
  "vault.lock": {},
  "vault.erase": { phrase: erasePhrase },
  "protection.get": {},
  "protection.setPassphrase": { passphrase: "correct horse", current: null },
  "protection.removePassphrase": { current: "correct horse" },
  "protection.configureLock": { idleMinutes: 15, onOsLock: true, onSuspend: false },
  "protection.createRecoveryCode": { current: "correct horse" },
  "protection.removeRecoveryCode": { current: null },
  "protection.renewKeychain": {},
  "storage.get": {},
  "storage.compact": {},
  "search.find": { query: "from:ada plan", conversationId, before: null, limit: 50 },
  "conversations.list": {},
  "conversation.open": conversation,
  "conversation.openAt": message,
  "conversation.close": conversation,
  "conversation.loadEarlier": { conversationId, beforeOrder: 10, limit: maxPageMessages },
  "conversation.loadLater": { conversationId, afterOrder: 10, limit: maxPageMessages },
  "conversation.create": { kind: "group", people: [userId, otherUserId], name: "Plan", timers },
  "conversation.rename": { conversationId, name: "Plan" },
  "conversation.setTimers": { conversationId, timers },
  "conversation.addMembers": { conversationId, people: [userId] },
  "conversation.removeMember": { conversationId, userId },
  "conversation.setRole": { conversationId, userId, role: "administrator" },
  "conversation.joinByWord": { conversationId, userId },
  "conversation.leave": conversation,
  "conversation.delete": conversation,
  "conversation.setPinned": { conversationId, pinned: true },
  "conversation.setMuted": { conversationId, muted: false },
  "conversation.saveDraft": { conversationId, text: "" },
  "conversation.markRead": { conversationId, order: 0 },
  "message.send": { conversationId, text: "hi", replyTo: null, timers: null },
  "message.edit": { ...message, text: "hi" },
  "message.react": { ...message, emoji: "❤️", on: true },
  "message.recall": message,
  "message.deleteForMe": message,
  "message.reveal": message,
  "message.retry": message,
  "message.info": message,
  "people.list": {},
  "network.suspend": { userId, suspended: true },
  "network.setPolicy": { historyOnLink: false },
  "verification.get": { userId },
  "verification.compare": { userId, code: "sotto-verify:" },
  "verification.accept": { userId, digits: "01234".repeat(12), how: "digits" },
  "verification.clear": { userId },
  "verification.dismiss": { kind: "own-key" },
  "invites.list": {},
  "invites.create": { lifetimeSeconds: 86_400, uses: 1 },
  "invites.revoke": { inviteId: userId },
  "devices.list": {},
  "devices.rename": { deviceId: userId, deviceName: "Desk" },
  "devices.remove": { deviceId: userId },
  "link.get": {},
  "link.show": {},
  "link.match": { history: true },
  "link.differ": {},
  "link.cancel": {},
  "profile.link": { link: "sotto://link/x", passphrase: null },
  "profile.linkCompared": { match: true },
  "profile.linkCancel": {},
  "settings.set": { theme: "dark", textScale: 1.2, closeToTray: true, notifications: false },
};
const names = Object.keys(commands) as CommandName[];
/** These take any part of what they can. */
const partial: readonly CommandName[] = ["settings.set", "network.setPolicy"];

function paramsOf(name: CommandName): v.GenericSchema<unknown, unknown> {
  return commands[name].params;
}

describe.each(names)("%s", (name) => {
  test("takes its parameters as they come out of JSON", () => {
    expect(parse(paramsOf(name), JSON.parse(JSON.stringify(good[name])))).toEqual(good[name]);
  });

  test("refuses them with one missing, one more, or one of another type", () => {
    for (const key of Object.keys(good[name])) {
      const { [key]: _left, ...rest } = good[name];
      if (!partial.includes(name)) {
        expect(() => parse(paramsOf(name), rest)).toThrow(
          errorWith("frame-malformed", { path: key }),
        );
      }
      for (const value of [{ a: 1 }, undefined, () => 1]) {
        expect(() => parse(paramsOf(name), { ...rest, [key]: value })).toThrow(
          errorWith("frame-malformed"),
        );
      }
    }
    expect(() => parse(paramsOf(name), { ...good[name], more: 1 })).toThrow(
      errorWith("frame-malformed"),
    );
    for (const value of [null, undefined, "text", 1]) {
      expect(() => parse(paramsOf(name), value)).toThrow(errorWith("frame-malformed"));
    }
  });
});

describe("limits", () => {
  test.each<[CommandName, string, unknown]>([
    ["profile.host", "networkName", " "],
    ["profile.host", "passphrase", "x".repeat(1025)],
    ["profile.join", "link", "x".repeat(4097)],
    ["profile.join", "displayName", "a\u202eb"],
    ["vault.unlockWithCode", "code", "x".repeat(129)],
    ["vault.erase", "phrase", "erase"],
    ["protection.setPassphrase", "passphrase", "x".repeat(1025)],
    ["protection.configureLock", "idleMinutes", 0],
    ["protection.configureLock", "idleMinutes", 24 * 60 + 1],
    ["search.find", "query", "x".repeat(501)],
    ["search.find", "limit", maxPageMessages + 1],
    ["conversation.loadEarlier", "limit", 0],
    ["conversation.loadEarlier", "limit", maxPageMessages + 1],
    ["conversation.create", "kind", "channel"],
    ["conversation.create", "people", []],
    ["conversation.create", "people", [userId, userId]],
    ["conversation.create", "people", ["ada"]],
    ["conversation.create", "timers", { expirationSeconds: 1, burnSeconds: null }],
    ["conversation.addMembers", "people", [userId, userId]],
    ["conversation.setRole", "role", "owner"],
    ["conversation.saveDraft", "text", "x".repeat(maxMessageLength + 1)],
    ["message.send", "text", ""],
    ["message.send", "text", " \n\t"],
    ["message.send", "text", "x".repeat(maxMessageLength + 1)],
    ["message.send", "replyTo", "reply"],
    ["message.edit", "text", " "],
    ["message.react", "emoji", ""],
    ["message.react", "emoji", "x".repeat(33)],
    ["invites.create", "lifetimeSeconds", 59],
    ["invites.create", "lifetimeSeconds", 2_592_001],
    ["invites.create", "uses", 0],
    ["settings.set", "theme", "blue"],
    ["settings.set", "textScale", NaN],
    ["settings.set", "textScale", 2.1],
  ])("%s refuses %s beyond its bounds", (name, key, value) => {
    expect(() => parse(paramsOf(name), { ...good[name], [key]: value })).toThrow(
      errorWith("frame-malformed"),
    );
  });

  test("the longest message fits into one IPC message, whatever it is made of", () => {
    for (const character of ["x", "\u0001", "€", "\ud800"]) {
      const text = character.repeat(maxMessageLength);
      const json = JSON.stringify({ ...good["message.send"], text });
      expect(Buffer.byteLength(json)).toBeLessThan(maxIpcBytes);
    }
  });
});

test("settings are changed one at a time, and what isn't named isn't there", () => {
  expect(parse(paramsOf("settings.set"), {})).toEqual({});
  const parsed = parse(paramsOf("settings.set"), { theme: "light" }) as object;
  expect(Object.keys(parsed)).toEqual(["theme"]);
});

describe("events", () => {
  test("are each named once", () => {
    expect(new Set(eventNames).size).toBe(eventNames.length);
    expectTypeOf<(typeof eventNames)[number]>().toEqualTypeOf<EventName>();
    expectTypeOf<keyof Events>().toEqualTypeOf<EventName>();
  });
});

test("a command's result has its type, or is null", () => {
  expectTypeOf<CommandResult<"app.quit">>().toEqualTypeOf<null>();
  expectTypeOf<CommandResult<"message.send">>().toEqualTypeOf<{ readonly messageId: MessageId }>();
});
