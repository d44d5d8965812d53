import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import { until, type Person } from "../../support/client-world.ts";
import { dropped, LossyRelay, tampered } from "../../support/lossy-relay.ts";

/** A relay that drops, withholds or spoils what was sent, while everybody is on line. */

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

test("a message whose bytes were spoilt comes again, at its place, and its line goes", async () => {
  relay.forgeFirst(ben, ada, 1, tampered);
  relay.mute(ben);
  const messageId = await ada.say(group, "one");
  await relay.misses(ben);
  expect(relay.lines(ben)).toMatchObject([{ count: 1, asking: true, senderKnown: false }]);
  expect(await relay.counts(ben)).toEqual([1, 0, 1, 0]);
  await cem.sees(group, "one");
  await cem.say(group, "two");
  await ben.sees(group, "two");
  await relay.unmute(ben);
  await ben.sees(group, "one");
  await relay.missesNothing(ben);
  expect(ben.texts(group)).toEqual(["one", "two"]);
  expect(await relay.counts(ben)).toEqual([1, 1, 0, 0]);
  // It is the message that it was, with its time and its end.
  const [sent, here] = [ada, ben].map((person) => person.message(group, "one"));
  expect(here?.messageId).toBe(messageId);
  expect(sent?.kind === "text" && here?.kind === "text").toBe(true);
  if (sent?.kind !== "text" || here?.kind !== "text") return;
  expect(here.expiry.endsAtMs).toBe(sent.expiry.endsAtMs);
  expect(Math.abs(here.sentAtMs - sent.sentAtMs)).toBeLessThan(1000);
  // Nothing more is missed later on.
  await ada.say(group, "three");
  await ben.sees(group, "three");
  expect(relay.lines(ben)).toEqual([]);
});

test("ten that the relay calls dropped come again in their order, and nothing is shown as missing", async () => {
  relay.forgeFirst(ben, ada, 10, dropped);
  const texts = Array.from({ length: 10 }, (_, index) => `message ${String(index)}`);
  for (const text of texts) await ada.say(group, text);
  await until("all are there", () => ben.texts(group).length === 10);
  await relay.missesNothing(ben);
  expect(ben.texts(group)).toEqual(texts);
  expect(await relay.counts(ben)).toEqual([10, 10, 0, 0]);
});

test("a message that only its sender's generations tell of is asked for by them", async () => {
  const bens = ben.client.view.me.deviceId;
  relay.forgeFirst(ben, ada, 1, (entry) => ({ ...tampered(entry), sender: bens }));
  await ada.say(group, "one");
  await cem.sees(group, "one");
  expect(relay.asked(ben)).toBe(0);
  await ada.say(group, "two");
  await ben.sees(group, "two");
  await ben.sees(group, "one");
  await relay.missesNothing(ben);
  expect(ben.texts(group)).toEqual(["one", "two"]);
  expect(await relay.counts(ben)).toEqual([1, 1, 0, 0]);
});

test("a commit's neighbours come again in another epoch", async () => {
  relay.forgeFirst(ben, ada, 2, tampered);
  await ada.say(group, "before");
  await cem.sees(group, "before");
  await ada.client.commands["conversation.setTimers"]({
    conversationId: group,
    timers: { expirationSeconds: 600, burnSeconds: null },
  });
  await ada.say(group, "after");
  await ben.sees(group, "before");
  await ben.sees(group, "after");
  await relay.missesNothing(ben);
  expect(ben.texts(group)).toEqual(["before", "after"]);
});

test("what was said of a missing message meanwhile holds when it comes", async () => {
  relay.forgeFirst(ben, ada, 1, tampered);
  relay.mute(ben);
  const messageId = await ada.say(group, "one");
  await relay.misses(ben);
  await cem.sees(group, "one");
  const params = { conversationId: group, messageId };
  await ada.client.commands["message.edit"]({ ...params, text: "one, corrected" });
  await cem.sees(group, "one, corrected");
  await cem.client.commands["message.react"]({ ...params, emoji: "👍", on: true });
  await cem.say(group, "that was all");
  await ben.sees(group, "that was all");
  await relay.unmute(ben);
  await until("it is there as it is now", () => {
    const message = ben.message(group, "one, corrected");
    return message?.kind === "text" && message.edited && message.reactions.length === 1;
  });
  await relay.missesNothing(ben);
  expect(ben.texts(group)).toEqual(["one, corrected", "that was all"]);
});

test("edits, reactions and recalls that were missing take effect", async () => {
  const messageId = await ada.say(group, "one");
  const other = await ada.say(group, "to be recalled");
  await ben.sees(group, "one");
  await ben.sees(group, "to be recalled");
  relay.forgeFirst(ben, ada, 3, tampered);
  const params = { conversationId: group, messageId };
  await ada.client.commands["message.edit"]({ ...params, text: "one, corrected" });
  await ada.client.commands["message.react"]({ ...params, emoji: "👍", on: true });
  await ada.client.commands["message.recall"]({ conversationId: group, messageId: other });
  await until("all of them have their effect", () => {
    const message = ben.message(group, "one, corrected");
    const reacted = message?.kind === "text" && message.reactions.length === 1;
    return reacted && !ben.texts(group).includes("to be recalled");
  });
  await relay.missesNothing(ben);
});

test("an edit that comes late doesn't take the place of a newer one", async () => {
  const messageId = await ada.say(group, "one");
  await ben.sees(group, "one");
  relay.forgeFirst(ben, ada, 1, tampered);
  relay.mute(ben);
  const params = { conversationId: group, messageId };
  await ada.client.commands["message.edit"]({ ...params, text: "two" });
  await relay.misses(ben);
  await ada.client.commands["message.edit"]({ ...params, text: "three" });
  await ben.sees(group, "three");
  await relay.unmute(ben);
  await relay.missesNothing(ben);
  expect(ben.texts(group)).toEqual(["three"]);
});

test("receipts that were missing come again", async () => {
  const messageId = await ada.say(group, "did you get it?");
  relay.forgeFirst(ada, ben, 1, tampered);
  await ben.sees(group, "did you get it?");
  await until("Ada knows that both have it", () => {
    const message = ada.shown.get(group)?.get(messageId);
    return message?.kind === "text" && message.delivery?.kind === "delivered";
  });
  await relay.missesNothing(ada);
});

test("two who miss the same both get it", async () => {
  relay.forgeFirst(ben, ada, 2, tampered);
  relay.forgeFirst(cem, ada, 2, dropped);
  await ada.say(group, "one");
  await ada.say(group, "two");
  for (const person of [ben, cem]) {
    await until(`${person.name} has both`, () => person.texts(group).length === 2);
    await relay.missesNothing(person);
    expect(person.texts(group)).toEqual(["one", "two"]);
  }
});
