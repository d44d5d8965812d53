import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";
import { link } from "../../support/linking.ts";

let world: World;
let ada: Person;
let bo: Person;
let group: ConversationId;

beforeEach(async () => {
  world = await World.start();
  [ada, bo] = (await world.people("Ada", "Bo")) as [Person, Person];
});
afterEach(() => world.dispose());

const rowOf = (person: Person) => person.vault.read("conversation", [group])[0];
const leave = (person: Person) =>
  person.client.commands["conversation.leave"]({ conversationId: group });

/** A member's commit ended it for somebody, not the word of the relay alone. */
async function ends(person: Person): Promise<void> {
  await until(`it is over for ${person.name}`, () => rowOf(person)?.["state"] === "left");
  expect(rowOf(person)).toMatchObject({ stale: 0, unopenable: 0 });
}

async function membersFor(person: Person, names: readonly string[]): Promise<void> {
  await until(`${person.name} has ${names.join()} there`, async () => {
    const opened = await person.client.commands["conversation.open"]({ conversationId: group });
    const there = opened.conversation.members.map(({ displayName }) => displayName);
    return there.toSorted().join() === names.join();
  });
}

describe("somebody with two computers", () => {
  let desk: Person;

  beforeEach(async () => {
    desk = world.person("Desk");
    await link(ada, desk);
    group = await ada.create("group", [bo]);
    for (const person of [ada, desk, bo]) await person.finds(group);
  });

  test("leaves on both at once: each follows the commit that carries out the other's wish", async () => {
    await bo.quit();
    let asks = 0;
    desk.cable.onRequest = ({ method }) => {
      if (method !== "group.append") return true;
      asks += 1;
      return false;
    };
    await leave(desk);
    await until("the desk's wish is on its way", () => asks > 0);
    // Ada's come first.
    await leave(ada);
    await until("Ada has asked", () => {
      const [item] = ada.vault.read("outboxNext", [group, Date.now()]);
      return Number(item?.["sequence"] ?? 0) > 0;
    });
    desk.cable.onRequest = null;
    await desk.reconnect();
    await bo.open();
    await bo.online();
    await membersFor(bo, ["Bo"]);
    for (const person of [ada, desk]) await ends(person);
  });
});
