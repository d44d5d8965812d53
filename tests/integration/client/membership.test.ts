import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConversationId, UserId } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";
import { SecondDevice } from "../../support/second-device.ts";

let world: World;
let ada: Person;
let ben: Person;
let cem: Person;
let group: ConversationId;

beforeEach(async () => {
  world = await World.start();
  [ada, ben, cem] = (await world.people("Ada", "Ben", "Cem")) as [Person, Person, Person];
  group = await ada.create("group", [ben, cem]);
  await ada.look(group);
  await ben.finds(group);
  await cem.finds(group);
});
afterEach(async () => {
  await world.dispose();
});

async function conversationOf(person: Person, conversationId = group) {
  const opened = await person.client.commands["conversation.open"]({ conversationId });
  return opened.conversation;
}

/** How many devices of a person a conversation has, as somebody sees it. */
async function devicesOf(person: Person, whose: UserId, conversationId = group): Promise<number> {
  const { members } = await conversationOf(person, conversationId);
  return members.find(({ userId }) => userId === whose)?.deviceCount ?? 0;
}

async function agree(...people: readonly Person[]): Promise<void> {
  await until("everybody agrees on the epoch", async () => {
    const views = await Promise.all(people.map((person) => conversationOf(person)));
    return new Set(views.map(({ encryption }) => encryption.epochAuthenticator)).size === 1;
  });
}

const secondOf = (person: Person): Promise<SecondDevice> =>
  SecondDevice.add(world.relay, person, person.client.view.network.networkId);

describe("a further device in the directory", () => {
  test("comes into every conversation of its person once it has key packages, and only once", async () => {
    const direct = await cem.create("direct", [ben]);
    const bensId = ben.userId;
    const tablet = await secondOf(ben);
    await tablet.publishKeyPackages(5);
    for (const person of [ada, ben, cem]) {
      await until(`${person.name} has both of Ben's devices`, async () => {
        return (await devicesOf(person, bensId)) === 2;
      });
    }
    await until("both are in the direct conversation", async () => {
      return (await devicesOf(cem, bensId, direct)) === 2;
    });
    const { entries } = await tablet.client.request("inbox.read", { afterSequence: 0 });
    expect(entries.map(({ conversationId }) => conversationId).toSorted()).toEqual(
      [group, direct].toSorted(),
    );
    await agree(ada, ben, cem);
    await ada.say(group, "to all");
    await cem.sees(group, "to all");
  });

  test("is taken out everywhere when it is revoked, by whoever is there", async () => {
    const bensId = ben.userId;
    const tablet = await secondOf(ben);
    await tablet.publishKeyPackages(5);
    await until("it is in", async () => (await devicesOf(ada, bensId)) === 2);
    const revocation = await tablet.revocation();
    // Its own person's computer is off: the others do it.
    await ben.quit();
    await tablet.client.request("device.revoke", { revocation });
    expect((await tablet.client.ended).reason).toBe("device-revoked");
    for (const person of [ada, cem]) {
      await until("it is out", async () => (await devicesOf(person, bensId)) === 1);
    }
    await ada.say(group, "without it");
    await ben.open();
    await ben.online();
    await ben.look(group);
    await ben.sees(group, "without it");
    await agree(ada, ben, cem);
  });
});
