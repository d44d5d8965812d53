import { afterEach, beforeEach, expect, test } from "vitest";
import { suiteNames, type ConversationId } from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";

const suite = suiteNames.p256;

let world: World;
let ada: Person;
let ben: Person;

beforeEach(async () => {
  world = await World.start();
  [ada, ben] = (await world.people("Ada", "Ben")) as [Person, Person];
});
afterEach(async () => {
  await world.dispose();
});

async function suiteOf(person: Person, conversationId: ConversationId): Promise<string> {
  const messageId = await person.say(conversationId, "which suite?");
  const info = await person.client.commands["message.info"]({ conversationId, messageId });
  return info.suite;
}

test("new conversations are of the policy's suite", async () => {
  await ada.client.commands["network.setPolicy"]({ suite });
  for (const person of [ada, ben]) {
    await until(`${person.name} has published key packages of the suite`, () => {
      return readFact(person.vault, "keyPackageSuite") === suite;
    });
  }
  const after = await ada.create("group", [ben], { name: "By the book" });
  await ada.look(after);
  await ben.finds(after);
  await ben.say(after, "Hello");
  await ada.sees(after, "Hello");
  expect(await suiteOf(ada, after)).toBe(suite);
  await ben.restart();
  await ben.online();
  await ada.say(after, "Still there?");
  await ben.look(after);
  await ben.sees(after, "Still there?");
});
