import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ConversationId, Timers } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";

let world: World;
let ada: Person;
let ben: Person;
let cem: Person;
let group: ConversationId;

async function conversationOf(person: Person) {
  const opened = await person.client.commands["conversation.open"]({ conversationId: group });
  return opened.conversation;
}

function deliveryOf(person: Person, text: string) {
  const message = person.message(group, text);
  return message?.kind === "text" ? message.delivery : null;
}

/** All agree on epoch, key schedule and members. */
async function agree(...people: readonly Person[]): Promise<void> {
  await until("everybody agrees on the epoch", async () => {
    const views = await Promise.all(people.map(conversationOf));
    return new Set(views.map(({ encryption }) => encryption.epochAuthenticator)).size === 1;
  });
}

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

describe("a group of three", () => {
  test("everybody reads everybody, in one order", async () => {
    await ada.say(group, "a");
    await ben.sees(group, "a");
    await ben.say(group, "b");
    await cem.sees(group, "b");
    await cem.say(group, "c");
    for (const person of [ada, ben, cem]) {
      await person.sees(group, "c");
      expect(person.texts(group)).toEqual(["a", "b", "c"]);
    }
    await agree(ada, ben, cem);
  });

  test("a message is delivered and read when the slowest reader has it", async () => {
    await ada.say(group, "to both");
    const delivery = () => deliveryOf(ada, "to both")?.kind;
    await until("delivered", () => delivery() === "delivered");
    const read = async (person: Person) => {
      const order = person.message(group, "to both")?.order ?? 0;
      await person.client.commands["conversation.markRead"]({ conversationId: group, order });
    };
    await read(ben);
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(delivery()).toBe("delivered");
    await read(cem);
    await until("read", () => delivery() === "read");
  });

  test("whoever is removed can't read on, and keeps what was said before", async () => {
    await ada.say(group, "before");
    await cem.sees(group, "before");
    await ada.client.commands["conversation.removeMember"]({
      conversationId: group,
      userId: cem.userId,
    });
    await until("Cem is out", async () => !(await conversationOf(cem)).active);
    await ada.say(group, "after");
    await ben.sees(group, "after");
    expect(ben.lines(group)).toContain("removed");
    expect(cem.lines(group)).toContain("removed");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(cem.texts(group)).toEqual(["before"]);
    await expect(cem.say(group, "still here?")).rejects.toMatchObject({
      code: "conversation-over",
    });
    await cem.restart();
    await cem.online();
    await cem.look(group);
    expect(cem.texts(group)).toEqual(["before"]);
    expect(ben.message(group, "after")).toBeDefined();
  });

  test("what somebody was writing as they were removed isn't sent, and says so", async () => {
    const call = cem.worker.call.bind(cem.worker);
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    vi.spyOn(cem.worker, "call").mockImplementationOnce(async (method, params) => {
      await held;
      return call(method, params);
    });
    const said = cem.say(group, "too late");
    await ada.client.commands["conversation.removeMember"]({
      conversationId: group,
      userId: cem.userId,
    });
    await until("Cem is out", async () => !(await conversationOf(cem)).active);
    goOn();
    await said;
    await until("it has failed", () => deliveryOf(cem, "too late")?.kind === "failed");
    expect(deliveryOf(cem, "too late")).toMatchObject({ code: "conversation-over" });
  });

  test("what somebody had written before they were removed can be sent when they are back", async () => {
    cem.cable.unplug();
    await until("Cem is off line", () => cem.client.view.connection.kind === "offline");
    const messageId = await cem.say(group, "on its way");
    const change = { conversationId: group, userId: cem.userId };
    await ada.client.commands["conversation.removeMember"](change);
    cem.cable.plug();
    cem.client.retryNow();
    await until("it has failed", () => deliveryOf(cem, "on its way")?.kind === "failed");
    const retry = () => cem.client.commands["message.retry"]({ conversationId: group, messageId });
    await expect(retry()).rejects.toMatchObject({ code: "conversation-over" });
    await ada.client.commands["conversation.addMembers"]({
      conversationId: group,
      people: [cem.userId],
    });
    await until("Cem is back", async () => (await conversationOf(cem)).active);
    expect(deliveryOf(cem, "on its way")).toMatchObject({ code: "conversation-over" });
    await retry();
    for (const person of [ada, ben]) await person.sees(group, "on its way");
    await until("it is sent", () => deliveryOf(cem, "on its way")?.kind !== "failed");
  });

  test("who was removed, and doesn't know it by an older copy of the vault, is told again", async () => {
    await cem.quit();
    const putBack = cem.copyVault();
    await cem.open();
    await cem.online();
    await ada.client.commands["conversation.removeMember"]({
      conversationId: group,
      userId: cem.userId,
    });
    await until("Cem is out", async () => !(await conversationOf(cem)).active);
    // What Cem has is told to the relay a moment later.
    await new Promise((resolve) => setTimeout(resolve, 400));
    await cem.quit();
    putBack("folder-and-keychain");
    await cem.open();
    await cem.online();
    await until("Cem is out again", async () => !(await conversationOf(cem)).active);
    expect(cem.client.rejoining).toBeNull();
    await expect(cem.say(group, "still here?")).rejects.toMatchObject({
      code: "conversation-over",
    });
  });

  test("who was removed and added again reads on from there", async () => {
    const change = { conversationId: group, userId: cem.userId };
    await ada.client.commands["conversation.removeMember"](change);
    await until("Cem is out", async () => !(await conversationOf(cem)).active);
    await ada.say(group, "while Cem was away");
    await ada.client.commands["conversation.addMembers"]({
      conversationId: group,
      people: [cem.userId],
    });
    await until("Cem is back", async () => (await conversationOf(cem)).active);
    await ada.say(group, "welcome back");
    await cem.sees(group, "welcome back");
    expect(cem.texts(group)).toEqual(["welcome back"]);
    await cem.say(group, "thanks");
    await ben.sees(group, "thanks");
    await agree(ada, ben, cem);
  });

  test("who was removed and added again while away reads on from there", async () => {
    cem.cable.unplug();
    await ada.say(group, "before");
    await ben.sees(group, "before");
    await ada.client.commands["conversation.removeMember"]({
      conversationId: group,
      userId: cem.userId,
    });
    await ada.say(group, "between");
    await ada.client.commands["conversation.addMembers"]({
      conversationId: group,
      people: [cem.userId],
    });
    await ada.say(group, "after");
    cem.cable.plug();
    cem.client.retryNow();
    await cem.sees(group, "after");
    expect(cem.texts(group)).not.toContain("between");
    await agree(ada, ben, cem);
  });

  test("changes of all three at the same time all come about, and everybody converges", async () => {
    const timers: Timers = { expirationSeconds: 86_400, burnSeconds: null };
    await ada.client.commands["conversation.setRole"]({
      conversationId: group,
      userId: ben.userId,
      role: "administrator",
    });
    await until("Ben is an administrator", async () =>
      (await conversationOf(ben)).allowed.includes("set-timers"),
    );
    await Promise.all([
      ada.client.commands["conversation.setRole"]({
        conversationId: group,
        userId: cem.userId,
        role: "administrator",
      }),
      ben.client.commands["conversation.setTimers"]({ conversationId: group, timers }),
      cem.client.commands["conversation.rename"]({ conversationId: group, name: "Pilots" }),
      ada.say(group, "amid the changes"),
      ben.say(group, "me too"),
    ]);
    await agree(ada, ben, cem);
    for (const person of [ada, ben, cem]) {
      const view = await conversationOf(person);
      expect(view.title).toBe("Pilots");
      expect(view.timers).toEqual(timers);
      expect(view.members.filter(({ role }) => role === "administrator")).toHaveLength(3);
      await person.sees(group, "amid the changes");
      await person.sees(group, "me too");
      expect(view.encryption.unopenableCount).toBe(0);
    }
  });

  test("a change that a role doesn't allow is refused in words", async () => {
    await expect(
      cem.client.commands["conversation.removeMember"]({
        conversationId: group,
        userId: ada.userId,
      }),
    ).rejects.toMatchObject({ code: "not-allowed" });
    await expect(
      ben.client.commands["conversation.setTimers"]({
        conversationId: group,
        timers: { expirationSeconds: 60, burnSeconds: null },
      }),
    ).rejects.toMatchObject({ code: "not-allowed" });
  });

  test("a member leaves: the others carry it out, and go on", async () => {
    await cem.client.commands["conversation.leave"]({ conversationId: group });
    await until(
      "Cem is gone for Ada",
      async () => (await conversationOf(ada)).members.length === 2,
    );
    await until(
      "Cem is gone for Ben",
      async () => (await conversationOf(ben)).members.length === 2,
    );
    await until("Ada is told", () => ada.lines(group).includes("left"));
    await ada.say(group, "without Cem");
    await ben.sees(group, "without Cem");
    await until("Cem sees that it is over", () => cem.lines(group).includes("left"));
    expect(cem.texts(group)).not.toContain("without Cem");
    await cem.client.commands["conversation.delete"]({ conversationId: group });
    expect(
      (await cem.client.commands["conversations.list"]({})).map(
        ({ conversationId }) => conversationId,
      ),
    ).toEqual([]);
  });

  test("the only administrator leaves: somebody else takes over", async () => {
    await ada.client.commands["conversation.leave"]({ conversationId: group });
    await until("Ada is gone", async () => (await conversationOf(ben)).members.length === 2);
    const { members } = await conversationOf(ben);
    expect(members.some(({ role }) => role === "administrator")).toBe(true);
    await ben.say(group, "we go on");
    await cem.sees(group, "we go on");
  });

  test("the only administrator leaves, and whoever was to take over is gone already: it is somebody else", async () => {
    // Ada doesn't hear that Ben, who came first, leaves and that Cem carries it out.
    ada.cable.onFrame = (frame) =>
      frame.kind === "event" && frame.name === "group.entry" ? null : frame;
    await ben.client.commands["conversation.leave"]({ conversationId: group });
    await until("Ben is gone", async () => (await conversationOf(cem)).members.length === 2);
    expect((await conversationOf(ada)).members).toHaveLength(3);
    await ada.client.commands["conversation.leave"]({ conversationId: group });
    await until("Ada is gone", async () => (await conversationOf(cem)).members.length === 1);
    const [member] = (await conversationOf(cem)).members;
    expect(member).toMatchObject({ userId: cem.userId, role: "administrator" });
    expect(cem.lines(group)).toContain("roles");
  });

  test("what a leaver's message meets: a message in the same moment is not lost", async () => {
    await Promise.all([
      cem.client.commands["conversation.leave"]({ conversationId: group }),
      ada.say(group, "at the same time"),
      ben.say(group, "so did I"),
    ]);
    await ben.sees(group, "at the same time");
    await ada.sees(group, "so did I");
    await until("Cem is gone", async () => (await conversationOf(ada)).members.length === 2);
    await agree(ada, ben);
  });

  test("messages that were sent while others were added are read by all who were there", async () => {
    const dee = await world.person("Dee").join(await world.invite(ada));
    await dee.online();
    await until("Ben knows Dee", async () =>
      (await ben.client.commands["people.list"]({})).some(
        ({ displayName }) => displayName === "Dee",
      ),
    );
    await Promise.all([
      ben.client.commands["conversation.addMembers"]({
        conversationId: group,
        people: [dee.userId],
      }),
      ...Array.from({ length: 10 }, (_, index) => cem.say(group, `cem ${String(index)}`)),
      ...Array.from({ length: 10 }, (_, index) => ada.say(group, `ada ${String(index)}`)),
    ]);
    for (const person of [ada, ben, cem]) {
      await until(`${person.name} has all`, () => person.texts(group).length === 20);
      expect((await conversationOf(person)).encryption.unopenableCount).toBe(0);
    }
    await dee.finds(group);
    await agree(ada, ben, cem, dee);
    await dee.say(group, "hello all");
    await ada.sees(group, "hello all");
  });

  test("somebody whom a member's directory doesn't have yet is looked up before the commit is judged", async () => {
    cem.cable.onFrame = (frame) =>
      frame.kind === "event" && frame.name === "directory.changed" ? null : frame;
    const dee = await world.person("Dee").join(await world.invite(ada));
    await dee.online();
    await until("Ada knows Dee", async () =>
      (await ada.client.commands["people.list"]({})).some(
        ({ displayName }) => displayName === "Dee",
      ),
    );
    expect(await cem.client.commands["people.list"]({})).toHaveLength(3);
    await ada.client.commands["conversation.addMembers"]({
      conversationId: group,
      people: [dee.userId],
    });
    await dee.finds(group);
    await dee.say(group, "hello");
    await cem.sees(group, "hello");
    expect(await cem.client.commands["people.list"]({})).toHaveLength(4);
    expect((await conversationOf(cem)).encryption.unopenableCount).toBe(0);
    await agree(ada, ben, cem, dee);
  });

  test("a burn-on-read message burns with the last reader who is still there", async () => {
    const timers = { expirationSeconds: 3600, burnSeconds: 5 };
    const messageId = await ada.say(group, "for two pairs of eyes", { timers });
    await until("Ben has it", () => ben.shown.get(group)?.get(messageId)?.kind === "covered");
    await ben.client.commands["message.reveal"]({ conversationId: group, messageId });
    await until("Ben's is gone", () => ben.shown.get(group)?.has(messageId) === false);
    expect(ada.texts(group)).toContain("for two pairs of eyes");
    await ada.client.commands["conversation.removeMember"]({
      conversationId: group,
      userId: cem.userId,
    });
    await until("Ada's is gone", () => ada.shown.get(group)?.has(messageId) === false);
  });
});
