import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import { statement } from "../../../electron/client/store/statement.ts";
import type { Row } from "../../../electron/vault/index.ts";
import { until, type Person } from "../../support/client-world.ts";
import { aheadClock, LossyRelay, tampered } from "../../support/lossy-relay.ts";

/** Messages that somebody missed before others came: they are said again, and not to those. */

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

async function add(person: Person): Promise<void> {
  const people = [person.userId];
  await ada.client.commands["conversation.addMembers"]({ conversationId: group, people });
  await person.finds(group);
}

/** Somebody new in the network, added to the group by Ada. */
async function newcomer(name: string): Promise<Person> {
  const person = await relay.world.person(name).join(await relay.world.invite(ada));
  await person.online();
  await until(`Ada knows ${name}`, async () => {
    return (await ada.client.commands["people.list"]({})).length === 4;
  });
  await add(person);
  return person;
}

/** What of a kind somebody has sent into the group, in its order. */
function sent(person: Person, kind: string): readonly Row[] {
  return person.vault
    .read("sentBySequence", [group, 0, 1000])
    .filter((row) => row["kind"] === kind);
}

/** A client that takes whatever it can read of what somebody said last, and doesn't ask for it. */
async function listensIn(person: Person, of: Person): Promise<void> {
  await until(`${of.name} knows its place`, () => sent(of, "text").length > 0);
  const place = sent(of, "text").at(-1)!;
  const device = of.client.view.me.deviceId;
  const laterMs = Date.now() + 600_000;
  const rest = [laterMs, laterMs, laterMs] as const;
  const [epoch, generation] = [Number(place["epoch"]), Number(place["generation"])];
  await person.vault.transact([
    statement("gap.put", group, device, epoch, generation, 500, null, ...rest),
    statement("gap.put", group, "", 0, Number(place["sequence"]), 501, null, ...rest),
  ]);
}

/** Until everything has come that was said before. */
async function hearsOnly(person: Person, last: string): Promise<void> {
  await ada.say(group, last);
  await person.sees(group, last);
  expect(person.texts(group)).toEqual([last]);
}

const answerKeys = (person: Person): number => person.vault.read("answerKey", [group]).length;

test("who missed a message gets it alone, and with it the key goes that opened it", async () => {
  relay.forgeFirst(ben, ada, 1, tampered);
  relay.mute(ben);
  await ada.say(group, "before Dee");
  await relay.misses(ben);
  await until("there is a key", () => answerKeys(ben) === 1);
  const dee = await newcomer("Dee");
  await listensIn(dee, ada);
  await relay.unmute(ben);
  await ben.sees(group, "before Dee");
  await relay.missesNothing(ben);
  expect(answerKeys(ben)).toBe(0);
  expect(await relay.counts(ben)).toEqual([1, 1, 0, 0]);
  await hearsOnly(dee, "welcome");
});

test("two who missed it get it each for themselves, one right after the other", async () => {
  for (const person of [ben, cem]) {
    relay.forgeFirst(person, ada, 1, tampered);
    relay.mute(person);
  }
  await ada.say(group, "before Dee");
  for (const person of [ben, cem]) await relay.misses(person);
  await newcomer("Dee");
  await relay.unmute(ben);
  await ben.sees(group, "before Dee");
  expect(cem.texts(group)).toEqual([]);
  await relay.unmute(cem);
  await cem.sees(group, "before Dee");
  for (const person of [ben, cem]) await relay.missesNothing(person);
  expect(sent(ada, "answer")).toHaveLength(2);
});

test("where all were there one answer is for all, also for who hasn't asked", async () => {
  await newcomer("Dee");
  for (const person of [ben, cem]) relay.forgeFirst(person, ada, 1, tampered);
  cem.cable.unplug();
  await until("Cem is off line", () => cem.client.view.connection.kind === "offline");
  await ada.say(group, "to all");
  await ben.sees(group, "to all");
  cem.cable.plug();
  cem.client.retryNow();
  await cem.sees(group, "to all");
  for (const person of [ben, cem]) await relay.missesNothing(person);
  expect(await relay.counts(cem)).toEqual([1, 1, 0, 0]);
  expect(sent(cem, "request")).toEqual([]);
  expect(sent(ada, "answer")).toHaveLength(1);
});

test("who restarts between asking and the answer opens it", async () => {
  ben.cable.unplug();
  await until("Ben is off line", () => ben.client.view.connection.kind === "offline");
  await ada.say(group, "before Dee");
  await cem.sees(group, "before Dee");
  const dee = await newcomer("Dee");
  await listensIn(dee, ada);
  relay.forgeFirst(ben, ada, 1, tampered);
  await ada.quit();
  ben.cable.plug();
  ben.client.retryNow();
  await ben.online();
  await relay.misses(ben);
  await until("it was asked for", () => sent(ben, "request").length === 1);
  await ben.quit();
  for (const person of [ben, ada]) {
    await person.open();
    await person.online();
    await person.look(group);
  }
  await ben.sees(group, "before Dee");
  await relay.missesNothing(ben);
  expect(answerKeys(ben)).toBe(0);
  await hearsOnly(dee, "welcome");
});

test("an answer to all that waits when somebody comes isn't sent: who asked gets one alone", async () => {
  const clocks = [aheadClock(), aheadClock()] as const;
  for (const [index, person] of [ben, cem].entries()) {
    await person.quit();
    await person.open({ clock: clocks[index]! });
    await person.online();
    await person.look(group);
  }
  relay.forgeFirst(ben, cem, 1, tampered);
  relay.mute(ben);
  await cem.say(group, "before Dee");
  await until("it is out", () => sent(cem, "text").length === 1);
  await relay.misses(ben);
  relay.mute(cem);
  await relay.unmute(ben);
  await until("his answer waits", () => {
    return cem.vault.read("outboxHasKind", [group, "answer"]).length === 1;
  });
  const dee = await newcomer("Dee");
  await listensIn(dee, cem);
  await relay.unmute(cem);
  await until("it doesn't wait any more", () => {
    return cem.vault.read("outboxHasKind", [group, "answer"]).length === 0;
  });
  expect(sent(cem, "answer")).toEqual([]);
  for (const clock of clocks) clock.aheadMs += 6000;
  await ben.reconnect();
  await ben.sees(group, "before Dee");
  await relay.missesNothing(ben);
  await hearsOnly(dee, "welcome");
});

test("who was out when it was said, and is back, doesn't get it", async () => {
  const removal = { conversationId: group, userId: cem.userId };
  await ada.client.commands["conversation.removeMember"](removal);
  await until("Cem is out", () => ben.lines(group).includes("removed"));
  relay.forgeFirst(ben, ada, 1, tampered);
  relay.mute(ben);
  await ada.say(group, "without Cem");
  await relay.misses(ben);
  await add(cem);
  await until("Cem is back", () => cem.lines(group).includes("added"));
  await listensIn(cem, ada);
  await relay.unmute(ben);
  await ben.sees(group, "without Cem");
  await relay.missesNothing(ben);
  await hearsOnly(cem, "welcome back");
});
