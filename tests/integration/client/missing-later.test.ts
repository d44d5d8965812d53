import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import { statement } from "../../../electron/client/store/statement.ts";
import type { Row } from "../../../electron/vault/index.ts";
import { until, type Person } from "../../support/client-world.ts";
import { aheadClock, dropped, LossyRelay, tampered } from "../../support/lossy-relay.ts";

/** Messages that are missing while their sender or who misses them is away, ends, is recalled or goes. */

let relay: LossyRelay;
let ada: Person;
let ben: Person;
let cem: Person;
let group: ConversationId;

beforeEach(async () => {
  relay = await LossyRelay.start();
  [ada, ben, cem] = relay.people;
  group = relay.group;
});
afterEach(async () => {
  await relay.dispose();
});

async function back(person: Person): Promise<void> {
  await person.open();
  await person.online();
  await person.look(group);
}

/** Ben gets what Ada says spoilt or dropped, and Ada is gone when he finds out. */
async function missedWhileAway(
  say: () => Promise<unknown>,
  change: typeof tampered = tampered,
): Promise<void> {
  ben.cable.unplug();
  await until("Ben is off line", () => ben.client.view.connection.kind === "offline");
  await say();
  relay.forgeFirst(ben, ada, 1, change);
  await ada.quit();
  ben.cable.plug();
  ben.client.retryNow();
  await ben.online();
}

test("a sender who is away says it again when they are back, whoever restarted meanwhile", async () => {
  await missedWhileAway(async () => {
    await ada.say(group, "one");
    await cem.sees(group, "one");
  });
  await relay.misses(ben);
  await until("it was asked for", () => ben.vault.read("outboxConversations", []).length === 0);
  await ben.quit();
  await back(ben);
  expect(relay.lines(ben)).toMatchObject([{ count: 1, asking: true }]);
  await back(ada);
  await ben.sees(group, "one");
  await relay.missesNothing(ben);
  expect(ben.texts(group)).toEqual(["one"]);
});

test("a message that has ended when it is asked for leaves no line", async () => {
  await missedWhileAway(async () => {
    const timers = { expirationSeconds: 2, burnSeconds: null };
    await ada.say(group, "not for long", { timers });
    await cem.sees(group, "not for long");
  });
  await relay.misses(ben);
  await until("it has ended", () => !cem.texts(group).includes("not for long"));
  await back(ada);
  await relay.missesNothing(ben);
  expect(ben.texts(group)).toEqual([]);
  expect(await relay.counts(ben)).toEqual([1, 0, 0, 0]);
});

test("what a relay has dropped at its end is asked for without a line", async () => {
  await missedWhileAway(
    async () => {
      const timers = { expirationSeconds: 2, burnSeconds: null };
      await ada.say(group, "not for long", { timers });
      await cem.sees(group, "not for long");
      await until("it has ended", () => !cem.texts(group).includes("not for long"));
    },
    (entry) => entry,
  );
  await until("it is asked for", () => relay.asked(ben) === 1);
  await back(ada);
  await relay.missesNothing(ben);
  expect(await relay.counts(ben)).toEqual([0, 0, 0, 0]);
});

test("a message that was recalled meanwhile never shows", async () => {
  relay.forgeFirst(ben, ada, 1, tampered);
  relay.mute(ben);
  const messageId = await ada.say(group, "recalled");
  await relay.misses(ben);
  await cem.sees(group, "recalled");
  await ada.client.commands["message.recall"]({ conversationId: group, messageId });
  await until("it is recalled", () => !cem.texts(group).includes("recalled"));
  await relay.unmute(ben);
  await relay.missesNothing(ben);
  expect(ben.texts(group)).toEqual([]);
});

test("a message that was read and deleted doesn't come back because somebody else missed it", async () => {
  relay.forgeFirst(ben, ada, 1, tampered);
  relay.mute(ben);
  const messageId = await ada.say(group, "one");
  await relay.misses(ben);
  await cem.sees(group, "one");
  await cem.client.commands["message.deleteForMe"]({ conversationId: group, messageId });
  await relay.unmute(ben);
  await ben.sees(group, "one");
  await ada.say(group, "two");
  await cem.sees(group, "two");
  expect(cem.texts(group)).toEqual(["two"]);
});

test("an answer that is lost, too, is asked for again", async () => {
  const clock = aheadClock();
  await ben.quit();
  await ben.open({ clock });
  await ben.online();
  await ben.look(group);
  // Her message, and whatever she answers to the first request.
  relay.forgeFirst(ben, ada, 2, tampered);
  await ada.say(group, "one");
  await relay.misses(ben, 2);
  clock.aheadMs += 6000;
  await ben.reconnect();
  await ben.sees(group, "one");
  await relay.missesNothing(ben);
  expect(ben.texts(group)).toEqual(["one"]);
});

test("what a relay calls dropped, and nobody answers for, is shown", async () => {
  const clock = aheadClock();
  await ben.quit();
  await ben.open({ clock });
  await ben.online();
  await ben.look(group);
  relay.forgeFirst(ben, ada, 1, dropped);
  relay.mute(ben);
  await ada.say(group, "one");
  await until("it is asked for", () => relay.asked(ben) === 1);
  expect(relay.lines(ben)).toEqual([]);
  clock.aheadMs += 70_000;
  await ben.reconnect();
  await relay.misses(ben);
  expect(await relay.counts(ben)).toEqual([1, 0, 1, 0]);
  await relay.unmute(ben);
  await ben.sees(group, "one");
  await relay.missesNothing(ben);
});

test("who has left can't be asked, and the line says so", async () => {
  relay.forgeFirst(ben, cem, 1, (entry) => {
    return { ...tampered(entry), sender: ben.client.view.me.deviceId };
  });
  relay.mute(ben);
  await cem.say(group, "one");
  await ada.sees(group, "one");
  await cem.say(group, "two");
  await ben.sees(group, "two");
  await relay.misses(ben);
  expect(relay.lines(ben)).toMatchObject([{ asking: true }]);
  const removal = { conversationId: group, userId: cem.userId };
  await ada.client.commands["conversation.removeMember"](removal);
  await until("Cem is out", () => ben.lines(group).includes("removed"));
  await relay.unmute(ben);
  await until("nobody is asked", () => relay.lines(ben)[0]?.asking === false);
  expect(await relay.counts(ben)).toEqual([1, 0, 0, 1]);
});

/** Where the first thing that somebody said stands in the log, as they note it. */
async function firstPlace(person: Person): Promise<Row> {
  const sent = () => person.vault.read("sentBySequence", [group, 0, 1000]);
  await until(`${person.name} knows its place`, () => sent().length > 0);
  return sent()[0]!;
}

/** Somebody new in the network, whom Ada knows. */
async function newcomer(name: string): Promise<Person> {
  const person = await relay.world.person(name).join(await relay.world.invite(ada));
  await person.online();
  await until(`Ada knows ${name}`, async () => {
    return (await ada.client.commands["people.list"]({})).length === 4;
  });
  return person;
}

/** Waits until somebody has been asked by another for what they said. */
async function hasRequest(person: Person, by: Person): Promise<void> {
  const since = [group, by.client.view.me.deviceId, "request", 0] as const;
  await until(`${person.name} has the request`, () => {
    return person.vault.read("answersSince", since)[0]?.["count"] === 1;
  });
}

test("what was said before somebody came is not said again to them", async () => {
  await ada.say(group, "before Dee");
  await cem.sees(group, "before Dee");
  const place = await firstPlace(ada);
  const dee = await newcomer("Dee");
  await ada.client.commands["conversation.addMembers"]({
    conversationId: group,
    people: [dee.userId],
  });
  await dee.finds(group);
  // A client that asks for what it never missed.
  const nowMs = Date.now();
  const device = ada.client.view.me.deviceId;
  const rest = [nowMs, nowMs, nowMs + 600_000] as const;
  await dee.vault.transact([
    statement("gap.put", group, device, Number(place["epoch"]), 0, 500, null, ...rest),
    statement("gap.put", group, "", 0, Number(place["sequence"]), 501, null, ...rest),
  ]);
  await dee.reconnect();
  await hasRequest(ada, dee);
  await ada.say(group, "welcome");
  await dee.sees(group, "welcome");
  expect(dee.texts(group)).toEqual(["welcome"]);
});

test("what was said before somebody came is not said again to them by who was away then and joined anew", async () => {
  await ben.say(group, "before Dee");
  await cem.sees(group, "before Dee");
  const place = await firstPlace(ben);
  const dee = await newcomer("Dee");
  relay.forge(ben, (entry) => (entry.kind === "commit" ? dropped(entry) : entry));
  const people = [dee.userId];
  await ada.client.commands["conversation.addMembers"]({ conversationId: group, people });
  await dee.finds(group);
  await ada.say(group, "behind it");
  await ben.say(group, "from afar");
  await until("Ben has joined anew", () => ben.lines(group).includes("rejoined"));
  ben.cable.onFrame = null;
  const nowMs = Date.now();
  const rest = [nowMs, nowMs, nowMs + 600_000] as const;
  await dee.vault.transact([
    statement("gap.put", group, "", 0, Number(place["sequence"]), 501, null, ...rest),
  ]);
  await dee.reconnect();
  await hasRequest(ben, dee);
  await ben.say(group, "welcome");
  await dee.sees(group, "welcome");
  expect(dee.texts(group)).not.toContain("before Dee");
});

test("what was said while a vault that was put back didn't know is said again", async () => {
  await ben.quit();
  const putBack = ben.copyVault();
  await back(ben);
  await ada.say(group, "one");
  await ben.sees(group, "one");
  await ada.client.commands["conversation.setTimers"]({
    conversationId: group,
    timers: { expirationSeconds: 600, burnSeconds: null },
  });
  await ada.say(group, "two");
  await ben.sees(group, "two");
  // By its number the relay knows how far this vault has come.
  await ben.restart();
  await ben.online();
  await ben.quit();
  putBack("folder-and-keychain");
  await back(ben);
  await until("he has joined anew", () => ben.client.rejoining === 0);
  await ben.sees(group, "one");
  await ben.sees(group, "two");
  await ada.say(group, "three");
  await ben.sees(group, "three");
  expect(ben.texts(group)).toEqual(["one", "two", "three"]);
  expect(relay.lines(ben)).toEqual([]);
});
