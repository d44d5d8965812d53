import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConversationId, UserId } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";

let world: World;
let ada: Person;
let ben: Person;
let cem: Person;
let cemsId: UserId;

beforeEach(async () => {
  world = await World.start();
  [ada, ben, cem] = (await world.people("Ada", "Ben", "Cem")) as [Person, Person, Person];
  cemsId = cem.userId;
});
afterEach(async () => {
  await world.dispose();
});

const suspend = (by: Person, userId: UserId, suspended = true) =>
  by.client.commands["network.suspend"]({ userId, suspended });

async function memberIds(person: Person, conversationId: ConversationId) {
  const opened = await person.client.commands["conversation.open"]({ conversationId });
  return opened.conversation.members.map(({ userId }) => userId);
}

async function created(by: Person, kind: "direct" | "group" | "room", others: readonly Person[]) {
  const conversationId = await by.create(kind, others);
  for (const person of [by, ...others]) await person.finds(conversationId);
  return conversationId;
}

async function isSuspendedFor(person: Person, userId: UserId): Promise<boolean> {
  const people = await person.client.commands["people.list"]({});
  return people.find((one) => one.userId === userId)?.suspended ?? false;
}

describe("a suspended person", () => {
  test("is told, cut off, and taken out of conversations that the administrator isn't in", async () => {
    // Cem moderates it: without the order, nobody could take them out.
    const room = await created(cem, "room", [ben]);
    const direct = await created(ben, "direct", [cem]);
    await ben.say(room, "before");
    await cem.sees(room, "before");
    await suspend(ada, cemsId);
    await until("Cem is told why", () => {
      const { connection } = cem.client.view;
      return connection.kind === "offline" && connection.code === "account-suspended";
    });
    await until("Ben's room is without Cem", async () => {
      return !(await memberIds(ben, room)).includes(cemsId);
    });
    await until("the direct conversation is over", async () => {
      const opened = await ben.client.commands["conversation.open"]({ conversationId: direct });
      return !opened.conversation.active;
    });
    // The windows hear of it a moment after the vault has it.
    for (const conversationId of [room, direct]) {
      await until("Ben reads why", () => ben.lines(conversationId).includes("suspended"));
    }
    // Somebody moderates it now.
    const opened = await ben.client.commands["conversation.open"]({ conversationId: room });
    expect(opened.conversation.allowed).toContain("rename");
    await ben.say(room, "after");
    await ben.sees(room, "after");
    expect(cem.texts(room)).toEqual(["before"]);
    expect(await isSuspendedFor(ben, cemsId)).toBe(true);
  });

  test("is taken out by whoever comes on line first, after everybody was away", async () => {
    const group = await created(cem, "group", [ben]);
    await ben.quit();
    await suspend(ada, cemsId);
    await ben.open();
    await ben.online();
    await ben.look(group);
    await until("Cem is out", async () => !(await memberIds(ben, group)).includes(cemsId));
  });

  test("comes back when it is lifted, learns what happened, and can be added again", async () => {
    const group = await created(ben, "group", [cem]);
    await suspend(ada, cemsId);
    await until("Cem is out", async () => !(await memberIds(ben, group)).includes(cemsId));
    await suspend(ada, cemsId, false);
    cem.client.retryNow();
    await cem.online();
    await until("Cem knows", async () => {
      const opened = await cem.client.commands["conversation.open"]({ conversationId: group });
      return !opened.conversation.active;
    });
    await until("Ben knows", async () => !(await isSuspendedFor(ben, cemsId)));
    const change = { conversationId: group, people: [cemsId] };
    await ben.client.commands["conversation.addMembers"](change);
    await ben.say(group, "welcome back");
    await cem.finds(group);
    await cem.sees(group, "welcome back");
  });

  test("who was away through all of it follows what was done meanwhile", async () => {
    const group = await created(cem, "room", [ben, ada]);
    await ben.quit();
    await suspend(ada, cemsId);
    await until("Cem is out", async () => !(await memberIds(ada, group)).includes(cemsId));
    await suspend(ada, cemsId, false);
    await ada.say(group, "all done");
    await ben.open();
    await ben.online();
    await ben.look(group);
    await ben.sees(group, "all done");
    expect(await memberIds(ben, group)).not.toContain(cemsId);
  });
});

describe("suspending", () => {
  test("takes an administrator who has the network's key, and somebody else", async () => {
    await expect(suspend(ben, cemsId)).rejects.toMatchObject({ code: "not-allowed" });
    await expect(suspend(ada, ada.userId)).rejects.toMatchObject({ code: "not-allowed" });
    await expect(suspend(ada, "AAAAAAAAAAAAAAAAAAAAAA" as UserId)).rejects.toMatchObject({
      code: "not-found",
    });
    expect(await isSuspendedFor(ben, cemsId)).toBe(false);
  });

  test("twice, and lifting what isn't there, change nothing", async () => {
    await suspend(ada, cemsId, false);
    await suspend(ada, cemsId);
    await suspend(ada, cemsId);
    await suspend(ada, cemsId, false);
    await suspend(ada, cemsId);
    await until("Ben knows", () => isSuspendedFor(ben, cemsId));
    await expect(ben.create("direct", [cem])).rejects.toMatchObject({
      code: "key-packages-exhausted",
    });
  });
});
