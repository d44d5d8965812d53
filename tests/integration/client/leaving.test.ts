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

/** How it ended for somebody. `stale`: on the word of the relay alone. */
async function ends(person: Person, stale = 0): Promise<void> {
  await until(`it is over for ${person.name}`, () => rowOf(person)?.["state"] === "left");
  expect(rowOf(person)).toMatchObject({ stale, unopenable: 0 });
}

/** Waits until somebody's wish to leave is in the log. */
const hasAsked = (person: Person) =>
  until(`${person.name} has asked`, () => {
    const [item] = person.vault.read("outboxNext", [group, Date.now()]);
    return Number(item?.["sequence"] ?? 0) > 0;
  });

async function membersFor(person: Person, names: readonly string[]): Promise<void> {
  await until(`${person.name} has ${names.join()} there`, async () => {
    const opened = await person.client.commands["conversation.open"]({ conversationId: group });
    const there = opened.conversation.members.map(({ displayName }) => displayName);
    return there.toSorted().join() === names.join();
  });
}

/** What a relay does for somebody no more: some requests it refuses, and it may hide what becomes of a conversation. */
interface Lies {
  readonly refused: readonly string[];
  readonly hidesLog?: boolean;
}

/** @returns how many requests were refused yet */
function lieTo(person: Person, { refused, hidesLog = false }: Lies): () => number {
  let refusals = 0;
  person.cable.onRequest = ({ id, method }) => {
    const isHidden = hidesLog && method === "group.list";
    if (!isHidden && !refused.includes(method)) return true;
    if (!isHidden) refusals += 1;
    const error = { code: "not-allowed" } as const;
    queueMicrotask(() => {
      person.cable.deliver(
        isHidden
          ? { kind: "response", id, result: { groups: [] } }
          : { kind: "failure", id, error },
      );
    });
    return false;
  };
  person.cable.onFrame = (frame) => {
    return hidesLog && frame.kind === "event" && frame.name === "group.entry" ? null : frame;
  };
  return () => refusals;
}

function tellTheTruth(person: Person): void {
  person.cable.onRequest = null;
  person.cable.onFrame = null;
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
    await hasAsked(ada);
    desk.cable.onRequest = null;
    await desk.reconnect();
    await bo.open();
    await bo.online();
    await membersFor(bo, ["Bo"]);
    for (const person of [ada, desk]) await ends(person);
  });

  test("leaves on one: the other one says so, and what was still written there waits and is kept", async () => {
    await bo.quit();
    await leave(ada);
    await until("the desk has closed it", () => {
      return desk.rows.some((row) => row.conversationId === group && !row.active);
    });
    const { conversation } = await desk.client.commands["conversation.open"]({
      conversationId: group,
    });
    expect(conversation).toMatchObject({ active: false, leavingElsewhere: true });
    const delivery = () => {
      const message = desk.message(group, "one more");
      return message?.kind === "text" ? message.delivery : null;
    };
    await desk.say(group, "one more");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(delivery()?.kind).toBe("waiting");
    await bo.open();
    await bo.online();
    await membersFor(bo, ["Bo"]);
    await until("the desk's is given back", () => delivery()?.kind === "failed");
    expect(delivery()).toMatchObject({ code: "conversation-over" });
    expect(desk.lines(group)).toContain("left");
    for (const person of [ada, desk]) await ends(person);
  });

  test("leaves like everybody else there: one of them takes the others out", async () => {
    bo.cable.unplug();
    await until("Bo is off line", () => bo.client.view.connection.kind === "offline");
    await leave(bo);
    await leave(desk);
    await hasAsked(desk);
    await leave(ada);
    // It isn't Bo.
    lieTo(bo, { refused: ["group.commit"] });
    bo.cable.plug();
    bo.client.retryNow();
    for (const person of [ada, desk, bo]) await ends(person);
  });

  test("takes both out when nobody else is there", async () => {
    await leave(bo);
    await membersFor(ada, ["Ada"]);
    await leave(ada);
    for (const person of [ada, desk]) await ends(person);
    expect(desk.lines(group)).toContain("left");
    const params = { conversationId: group, people: [bo.userId] };
    await expect(desk.client.commands["conversation.addMembers"](params)).rejects.toMatchObject({
      code: "conversation-over",
    });
  });

  test("leaves by whoever has come meanwhile", async () => {
    await leave(bo);
    await membersFor(ada, ["Ada"]);
    ada.cable.unplug();
    await until("Ada is off line", () => ada.client.view.connection.kind === "offline");
    await desk.client.commands["conversation.addMembers"]({
      conversationId: group,
      people: [bo.userId],
    });
    await leave(ada);
    ada.cable.plug();
    ada.client.retryNow();
    await ends(ada);
    await membersFor(bo, ["Bo"]);
  });
});

describe("two who are alone, and both administrators,", () => {
  beforeEach(async () => {
    group = await ada.create("group", [bo]);
    for (const person of [ada, bo]) await person.finds(group);
    const role = { conversationId: group, userId: bo.userId, role: "administrator" } as const;
    await ada.client.commands["conversation.setRole"](role);
    await until("Bo knows", () => bo.lines(group).includes("roles"));
  });

  test("leave at once: one takes the other out", async () => {
    await Promise.all([leave(ada), leave(bo)]);
    for (const person of [ada, bo]) await ends(person);
  });

  test("leave while one of them is off line", async () => {
    bo.cable.unplug();
    await until("Bo is off line", () => bo.client.view.connection.kind === "offline");
    await leave(bo);
    await leave(ada);
    await hasAsked(ada);
    bo.cable.plug();
    bo.client.retryNow();
    for (const person of [ada, bo]) await ends(person);
  });
});

describe("somebody who leaves", () => {
  let cleo: Person;

  beforeEach(async () => {
    cleo = await world.person("Cleo").join(await world.invite(ada));
    await cleo.online();
    group = await ada.create("group", [bo, cleo]);
    for (const person of [ada, bo, cleo]) await person.finds(group);
  });

  test("goes on with it when the relay refuses to pass that on", async () => {
    const refusals = lieTo(cleo, { refused: ["group.append"] });
    await leave(cleo);
    await until("it was refused", () => refusals() > 0);
    tellTheTruth(cleo);
    await ends(cleo);
    await membersFor(ada, ["Ada", "Bo"]);
  });

  test("is back when asked back, though only the relay had said that they were out", async () => {
    lieTo(cleo, { refused: ["group.read", "group.info"], hidesLog: true });
    await leave(cleo);
    await membersFor(ada, ["Ada", "Bo"]);
    await cleo.reconnect();
    await ends(cleo, 1);
    tellTheTruth(cleo);
    const params = { conversationId: group, people: [cleo.userId] };
    await ada.client.commands["conversation.addMembers"](params);
    await ada.say(group, "are you back?");
    await cleo.sees(group, "are you back?");
    await cleo.say(group, "I am");
    await ada.sees(group, "I am");
    await membersFor(ada, ["Ada", "Bo", "Cleo"]);
    expect(rowOf(cleo)).toMatchObject({ state: "active", stale: 0 });
    await until("nothing waits there", () => {
      return cleo.vault.read("outboxNext", [group, Date.now()]).length === 0;
    });
  });
});
