import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";

let world: World;
let everybody: readonly Person[];
let group: ConversationId;

beforeEach(async () => {
  world = await World.start();
  everybody = await world.people("Ada", "Ben", "Cem", "Dee", "Eli", "Fay");
  const [ada, ...others] = everybody as [Person, ...Person[]];
  group = await ada.create("group", others);
  for (const person of everybody) await person.finds(group);
});
afterEach(async () => {
  await world.dispose();
});

async function viewOf(person: Person) {
  const opened = await person.client.commands["conversation.open"]({ conversationId: group });
  return opened.conversation;
}

test("six people change a conversation and write into it at once: all of it comes about, once each", async () => {
  const texts = everybody.flatMap(({ name }) => [`${name} before`, `${name} after`]);
  const { epoch } = (await viewOf(everybody[0]!)).encryption;
  await Promise.all(
    everybody.flatMap((person) => [
      person.say(group, `${person.name} before`),
      person.client.commands["conversation.rename"]({
        conversationId: group,
        name: `Named by ${person.name}`,
      }),
      person.say(group, `${person.name} after`),
    ]),
  );
  for (const person of everybody) {
    for (const text of texts) await person.sees(group, text);
    expect(person.texts(group).toSorted()).toEqual(texts.toSorted());
  }
  await until("everybody agrees on the epoch", async () => {
    const views = await Promise.all(everybody.map(viewOf));
    return new Set(views.map(({ encryption }) => encryption.epochAuthenticator)).size === 1;
  });
  const views = await Promise.all(everybody.map(viewOf));
  // One commit won each epoch, and each of the six won one.
  expect(views.map(({ encryption }) => encryption.epoch)).toEqual(
    everybody.map(() => epoch + everybody.length),
  );
  expect(new Set(views.map(({ title }) => title)).size).toBe(1);
  expect(views.map(({ encryption }) => encryption.unopenableCount)).toEqual(everybody.map(() => 0));
});
