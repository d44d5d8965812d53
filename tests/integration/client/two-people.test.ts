import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";

let world: World;
let ada: Person;
let ben: Person;
let direct: ConversationId;

beforeEach(async () => {
  world = await World.start();
  [ada, ben] = (await world.people("Ada", "Ben")) as [Person, Person];
  direct = await ada.create("direct", [ben]);
  await ada.look(direct);
  await ben.finds(direct);
});
afterEach(async () => {
  await world.dispose();
});

const short = { expirationSeconds: 5, burnSeconds: null };

describe("two people", () => {
  test("talk in a direct conversation, and each sees both sides in the same order", async () => {
    expect(ada.client.view.me.role).toBe("administrator");
    expect(ben.client.view.me.role).toBe("member");
    expect(ben.client.view.network.name).toBe("Harbour");
    await ada.say(direct, "Hello Ben");
    await ben.sees(direct, "Hello Ben");
    await ben.say(direct, "Hello Ada");
    await ada.sees(direct, "Hello Ada");
    expect(ada.texts(direct)).toEqual(["Hello Ben", "Hello Ada"]);
    expect(ben.texts(direct)).toEqual(["Hello Ben", "Hello Ada"]);
    expect(ada.lines(direct)).toEqual(["created"]);
    expect(ben.lines(direct)).toEqual(["created"]);
  });

  test("have one direct conversation, whoever asks for it again", async () => {
    expect(await ada.create("direct", [ben])).toBe(direct);
    expect(await ben.create("direct", [ada])).toBe(direct);
  });

  test("a message shows at once as waiting, then sent, delivered and read", async () => {
    ben.cable.unplug();
    await ada.say(direct, "Are you there?");
    const delivery = () => {
      const message = ada.message(direct, "Are you there?");
      return message?.kind === "text" ? message.delivery?.kind : undefined;
    };
    await ada.sees(direct, "Are you there?");
    await until("it is sent", () => delivery() === "sent");
    ben.cable.plug();
    ben.client.retryNow();
    await until("it is delivered", () => delivery() === "delivered");
    const order = ben.message(direct, "Are you there?")?.order ?? 0;
    await ben.client.commands["conversation.markRead"]({ conversationId: direct, order });
    await until("it is read", () => delivery() === "read");
    const messageId = ada.message(direct, "Are you there?")!.messageId;
    const info = await ada.client.commands["message.info"]({ conversationId: direct, messageId });
    expect(info.receipts.map(({ displayName }) => displayName)).toEqual(["Ben"]);
    expect(info.receipts[0]?.readAtMs).not.toBeNull();
    expect(info.suite).not.toBe("");
  });

  test("unread messages are counted, told without content, and no more once they are read", async () => {
    await ben.client.commands["conversation.close"]({ conversationId: direct });
    ben.notices.length = 0;
    await ada.say(direct, "one");
    await ada.say(direct, "two");
    await until("two are unread", () => ben.client.unreadCount() === 2);
    expect(ben.notices).toContainEqual({ conversationId: direct, kind: "message" });
    const [row] = await ben.client.commands["conversations.list"]({});
    expect(row?.preview).toEqual({ kind: "text", senderName: null, text: "two" });
    const { conversation, page } = await ben.client.commands["conversation.open"]({
      conversationId: direct,
    });
    expect(conversation.firstUnreadId).toBe(
      page.messages.find((message) => message.kind === "text" && message.text === "one")?.messageId,
    );
    const order = page.messages.at(-1)?.order ?? 0;
    await ben.client.commands["conversation.markRead"]({ conversationId: direct, order });
    await until("none is unread", () => ben.client.unreadCount() === 0);
  });

  test("a muted or an open conversation gives no notice", async () => {
    ben.notices.length = 0;
    await ada.say(direct, "open");
    await ben.sees(direct, "open");
    await ben.client.commands["conversation.close"]({ conversationId: direct });
    await ben.client.commands["conversation.setMuted"]({ conversationId: direct, muted: true });
    await ada.say(direct, "muted");
    await until("it came", async () => {
      const [row] = await ben.client.commands["conversations.list"]({});
      return row?.preview.kind === "text" && row.preview.text === "muted";
    });
    expect(ben.notices).toEqual([]);
    expect(ben.client.unreadCount()).toBe(0);
  });

  test("edit, react, take a reaction back, reply and quote", async () => {
    const messageId = await ada.say(direct, "Helo");
    await ben.sees(direct, "Helo");
    await ben.client.commands["message.react"]({
      conversationId: direct,
      messageId,
      emoji: "👍",
      on: true,
    });
    await until("Ada sees the reaction", () => {
      const [message] = ada.messages(direct).filter(({ kind }) => kind === "text");
      return message?.kind === "text" && message.reactions[0]?.emoji === "👍";
    });
    await ada.client.commands["message.edit"]({ conversationId: direct, messageId, text: "Hello" });
    await ben.sees(direct, "Hello");
    const edited = ben.message(direct, "Hello");
    expect(edited).toMatchObject({ messageId, edited: true });
    expect(ben.texts(direct)).toEqual(["Hello"]);
    await ben.client.commands["message.react"]({
      conversationId: direct,
      messageId,
      emoji: "👍",
      on: false,
    });
    await until("the reaction is gone", () => {
      const message = ada.message(direct, "Hello");
      return message?.kind === "text" && message.reactions.length === 0;
    });
    await ben.say(direct, "Hi!", { replyTo: messageId });
    await ada.sees(direct, "Hi!");
    expect(ada.message(direct, "Hi!")).toMatchObject({
      quote: { messageId, senderName: "Ada", text: "Hello" },
    });
  });

  test("nobody can edit or recall what somebody else said", async () => {
    const messageId = await ada.say(direct, "mine");
    await ben.sees(direct, "mine");
    const change = { conversationId: direct, messageId };
    await expect(
      ben.client.commands["message.edit"]({ ...change, text: "yours" }),
    ).rejects.toMatchObject({ code: "not-allowed" });
    await expect(ben.client.commands["message.recall"](change)).rejects.toMatchObject({
      code: "not-allowed",
    });
  });

  test("a recalled message leaves only the fact, on both sides, and at the relay nothing", async () => {
    const messageId = await ada.say(direct, "I should not have said that");
    await ben.sees(direct, "I should not have said that");
    await ada.client.commands["message.recall"]({ conversationId: direct, messageId });
    for (const person of [ada, ben]) {
      await until(
        "it is recalled",
        () => person.shown.get(direct)?.get(messageId)?.kind === "recalled",
      );
      expect(person.texts(direct)).toEqual([]);
      await until("the row says so", async () => {
        const [row] = await person.client.commands["conversations.list"]({});
        return row?.preview.kind === "recalled";
      });
    }
  });

  test("deleting for me leaves the other's copy", async () => {
    const messageId = await ada.say(direct, "keep or not");
    await ben.sees(direct, "keep or not");
    await ben.client.commands["message.deleteForMe"]({ conversationId: direct, messageId });
    await until("Ben's is gone", () => ben.texts(direct).length === 0);
    expect(ada.texts(direct)).toEqual(["keep or not"]);
    await ben.restart();
    await ben.look(direct);
    expect(ben.texts(direct)).toEqual([]);
  });

  test("a message ends on both sides, and stays ended after a restart", async () => {
    await ada.say(direct, "for a week");
    await ada.say(direct, "for five seconds", { timers: short });
    await ben.sees(direct, "for five seconds");
    const sent = ada.message(direct, "for five seconds");
    const received = ben.message(direct, "for five seconds");
    expect(sent).toMatchObject({ expiry: { origin: "message", originSeconds: 5 } });
    const ends = [sent, received].map((m) => (m?.kind === "text" ? m.expiry.endsAtMs : 0));
    expect(ends[0]).toBe(ends[1]);
    await ben.say(direct, "quoting", { replyTo: sent!.messageId });
    await ada.sees(direct, "quoting");
    for (const person of [ada, ben]) {
      await until("it ended", () => !person.texts(direct).includes("for five seconds"));
      await until("its quote ended", () => {
        const message = person.message(direct, "quoting");
        return message?.kind === "text" && message.quote?.text === null;
      });
      expect(person.texts(direct)).toEqual(["for a week", "quoting"]);
      await person.restart();
      await person.look(direct);
      expect(person.texts(direct)).toEqual(["for a week", "quoting"]);
    }
  });

  test("what ended while Sotto wasn't running is never shown", async () => {
    await ada.say(direct, "soon over", { timers: short });
    await ben.sees(direct, "soon over");
    await ben.quit();
    await new Promise((resolve) => setTimeout(resolve, 6500));
    await ben.open();
    expect(await ben.look(direct)).toHaveLength(1);
    const [row] = await ben.client.commands["conversations.list"]({});
    expect(row?.preview).toEqual({ kind: "ended" });
  });

  test("burn-on-read: covered, then shown, then gone, and the sender's copy with the reader's", async () => {
    const messageId = await ada.say(direct, "burn this", {
      timers: { expirationSeconds: 3600, burnSeconds: 5 },
    });
    await until("it is covered", () => ben.shown.get(direct)?.get(messageId)?.kind === "covered");
    expect(ada.texts(direct)).toEqual(["burn this"]);
    const order = ben.shown.get(direct)!.get(messageId)!.order;
    await ben.client.commands["conversation.markRead"]({ conversationId: direct, order });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(ben.shown.get(direct)?.get(messageId)?.kind).toBe("covered");
    await ben.client.commands["message.reveal"]({ conversationId: direct, messageId });
    await ben.sees(direct, "burn this");
    const revealed = ben.shown.get(direct)?.get(messageId);
    expect(revealed?.kind === "text" && revealed.expiry.burnsAtMs).toBeTypeOf("number");
    for (const person of [ben, ada]) {
      await until("it burned", () => person.shown.get(direct)?.has(messageId) === false);
    }
  });

  test("timers of the conversation hold for both, and a system line tells of them", async () => {
    await ben.client.commands["conversation.setTimers"]({
      conversationId: direct,
      timers: { expirationSeconds: 3600, burnSeconds: null },
    });
    await until("Ada is told", () => ada.lines(direct).includes("timers"));
    const { conversation } = await ada.client.commands["conversation.open"]({
      conversationId: direct,
    });
    expect(conversation.timers).toEqual({ expirationSeconds: 3600, burnSeconds: null });
    expect(conversation.bound.origin).toBe("conversation");
    // Longer ones for a message are held to the conversation's.
    await ada.say(direct, "at most an hour", {
      timers: { expirationSeconds: 86_400, burnSeconds: null },
    });
    await ben.sees(direct, "at most an hour");
    expect(ben.message(direct, "at most an hour")).toMatchObject({
      expiry: { origin: "conversation", originSeconds: 3600 },
    });
  });

  test("timers beyond the network's bound are refused", async () => {
    const timers = { expirationSeconds: 400 * 86_400, burnSeconds: null };
    await expect(
      ada.client.commands["conversation.setTimers"]({ conversationId: direct, timers }),
    ).rejects.toMatchObject({ code: "policy-forbids" });
  });

  test("restarting finds exactly what should still be there", async () => {
    const [first, second] = [await ada.say(direct, "one"), await ada.say(direct, "two")];
    await ben.sees(direct, "two");
    await ben.client.commands["message.react"]({
      conversationId: direct,
      messageId: first,
      emoji: "🎉",
      on: true,
    });
    await ada.client.commands["message.edit"]({
      conversationId: direct,
      messageId: second,
      text: "two, edited",
    });
    await ben.sees(direct, "two, edited");
    await ben.client.commands["conversation.saveDraft"]({
      conversationId: direct,
      text: "half a sent",
    });
    await ben.client.commands["conversation.setPinned"]({ conversationId: direct, pinned: true });
    const before = ben.messages(direct);
    await ben.restart();
    expect(await ben.look(direct)).toEqual(before);
    const { conversation } = await ben.client.commands["conversation.open"]({
      conversationId: direct,
    });
    expect(conversation.draft).toBe("half a sent");
    expect(conversation.pinned).toBe(true);
    await ben.online();
    await ada.say(direct, "three");
    await ben.sees(direct, "three");
  });

  test("nothing that was said lies in the vault's files in clear", async () => {
    const secret = "correct horse battery staple";
    await ada.say(direct, secret);
    await ben.sees(direct, secret);
    await ben.client.commands["conversation.saveDraft"]({ conversationId: direct, text: secret });
    await ben.quit();
    for (const name of readdirSync(ben.directory)) {
      const bytes = readFileSync(join(ben.directory, name));
      expect(bytes.includes(secret), name).toBe(false);
    }
    await ben.open();
  });

  test("a direct conversation that was deleted comes back with the next message", async () => {
    await ada.say(direct, "old");
    await ben.sees(direct, "old");
    await ben.client.commands["conversation.delete"]({ conversationId: direct });
    await until("it is gone", async () => {
      return (await ben.client.commands["conversations.list"]({})).length === 0;
    });
    await ada.say(direct, "new");
    await until("it is back", async () => {
      return (await ben.client.commands["conversations.list"]({})).length === 1;
    });
    await ben.look(direct);
    expect(ben.texts(direct)).toEqual(["new"]);
  });
});
