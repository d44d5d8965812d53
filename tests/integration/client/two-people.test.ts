import { afterEach, beforeEach, expect, test } from "vitest";
import { World, type Person } from "../../support/client-world.ts";

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(async () => {
  await world.dispose();
});

test("a host invites, a guest joins, and they talk in a direct conversation", async () => {
  const [ada, ben] = (await world.people("Ada", "Ben")) as [Person, Person];
  expect(ada.client.view.me.role).toBe("administrator");
  expect(ben.client.view.me.role).toBe("member");
  expect(ben.client.view.network.name).toBe("Harbour");

  const conversationId = await ada.create("direct", [ben]);
  await ada.look(conversationId);
  await ben.finds(conversationId);
  await ada.say(conversationId, "Hello Ben");
  await ben.sees(conversationId, "Hello Ben");
  await ben.say(conversationId, "Hello Ada");
  await ada.sees(conversationId, "Hello Ada");
  expect(ada.texts(conversationId)).toEqual(["Hello Ben", "Hello Ada"]);
  expect(ben.texts(conversationId)).toEqual(["Hello Ben", "Hello Ada"]);
});
