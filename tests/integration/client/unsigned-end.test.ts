import { afterEach, beforeEach, expect, test } from "vitest";
import { suiteNames, type ConversationId, type DeviceId, type Frame } from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";

/*
 * The relay says to Ben that he isn't in a conversation any more. No member has signed that. Nothing is deleted on its word, and nobody gets hold of the
 * conversation's name by it.
 */

let world: World;
let ada: Person;
let ben: Person;
let cleo: Person;
let group: ConversationId;

beforeEach(async () => {
  world = await World.start();
  [ada, ben, cleo] = (await world.people("Ada", "Ben", "Cleo")) as [Person, Person, Person];
  group = await ada.create("group", [ben, cleo]);
  for (const person of [ada, ben, cleo]) await person.finds(group);
  await ben.say(group, "hello");
  for (const person of [ada, cleo]) await person.sees(group, "hello");
});
afterEach(async () => {
  await world.dispose();
});

const stateOf = (person: Person) => person.vault.read("conversation", [group])[0]?.["state"];
const countOf = (query: "pieces" | "outboxConversations", ...params: ConversationId[]) =>
  ben.vault.read(query, params).length;

/** Ben's relay leaves the group out of its list from now on, and says that there is no such thing. */
function hide(): void {
  const asked = new Map<number, string>();
  ben.cable.onRequest = ({ id, method }) => {
    asked.set(id, method);
    return true;
  };
  ben.cable.onFrame = (frame): Frame => {
    if (frame.kind !== "response") return frame;
    const method = asked.get(frame.id);
    if (method === "group.list") return { ...frame, result: { groups: [] } };
    if (method !== "group.info") return frame;
    return { kind: "failure", id: frame.id, error: { code: "not-found" } };
  };
}

/** It is hidden from Ben. He writes something meanwhile. */
async function deny(): Promise<void> {
  ben.cable.unplug();
  await until("Ben is off line", () => ben.client.view.connection.kind === "offline");
  await ben.say(group, "is anybody there?");
  hide();
  ben.cable.plug();
  ben.client.retryNow();
  await until("it is over, he is told", () => stateOf(ben) === "removed");
}

const deliveryOf = (text: string) => {
  const message = ben.message(group, text);
  return message?.kind === "text" ? message.delivery : null;
};

test("nothing is deleted, and it goes on when the relay says otherwise", async () => {
  await deny();
  await until("he sees it", () => deliveryOf("is anybody there?")?.kind === "failed");
  expect(deliveryOf("is anybody there?")).toMatchObject({ code: "conversation-over" });
  expect(countOf("pieces", group)).toBeGreaterThan(0);
  expect(countOf("outboxConversations")).toBe(1);
  ben.cable.onFrame = null;
  await ben.reconnect();
  await ada.look(group);
  await ada.sees(group, "is anybody there?");
  expect(stateOf(ben)).toBe("active");
  await ada.say(group, "we are");
  await ben.sees(group, "we are");
});

test("it goes on by itself when somebody has committed who was known there, not before", async () => {
  await deny();
  const dora = await world.person("Dora").join(await world.invite(ada));
  const people = [dora.userId];
  await ada.client.commands["conversation.addMembers"]({ conversationId: group, people });
  await dora.finds(group);
  await dora.client.commands["conversation.rename"]({ conversationId: group, name: "By Dora" });
  await until("Ada knows", () => ada.lines(group).includes("renamed"));

  const asked: string[] = [];
  ben.cable.onFrame = null;
  ben.cable.onRequest = ({ method }) => {
    asked.push(method);
    return true;
  };
  await ben.reconnect();
  await until("Ben has tried twice", () => asked.filter((one) => one === "group.info").length > 1);
  expect(asked).not.toContain("group.commit");
  expect(stateOf(ben)).toBe("removed");

  await ada.client.commands["conversation.rename"]({ conversationId: group, name: "By Ada" });
  await until("he is in it again", () => stateOf(ben) === "active");
  for (const person of [ada, dora]) {
    await person.look(group);
    await person.sees(group, "is anybody there?");
  }
});

const codes = () =>
  ben.messages(group).flatMap((line) => (line.kind === "unopenable" ? [line.code] : []));
const voucher = async () => {
  const { conversation } = await ben.client.commands["conversation.open"]({
    conversationId: group,
  });
  return conversation.unvouched;
};

/** The relay says again that Ben is in it, and only somebody new vouches. @returns who */
async function onlyDoraVouches(): Promise<Person> {
  await deny();
  const dora = await world.person("Dora").join(await world.invite(ada));
  const { userId } = dora;
  await ada.client.commands["conversation.addMembers"]({ conversationId: group, people: [userId] });
  await dora.finds(group);
  await dora.client.commands["conversation.rename"]({ conversationId: group, name: "By Dora" });
  await until("Ada knows", () => ada.lines(group).includes("renamed"));
  ben.cable.onFrame = null;
  await ben.reconnect();
  await until("he is asked about Dora", async () => (await voucher())?.by.userId === userId);
  await until("he is told", () => codes().includes("members-unvouched"));
  expect(stateOf(ben)).toBe("removed");
  return dora;
}

test("nobody is waited for when the relay says once more that it is over", async () => {
  await onlyDoraVouches();
  hide();
  await ben.restart();
  await ben.online();
  await ben.look(group);
  await until("the line is gone", () => codes().length === 0);
  expect(ben.vault.read("blocked", [])).toEqual([]);
  expect(await voucher()).toBeNull();
  expect(stateOf(ben)).toBe("removed");
});

test("it goes on, too, when its person takes the word of somebody new", async () => {
  const dora = await onlyDoraVouches();
  const { userId } = dora;
  await ben.client.commands["conversation.joinByWord"]({ conversationId: group, userId });
  expect(stateOf(ben)).toBe("active");
  for (const person of [ada, dora]) {
    await person.look(group);
    await person.sees(group, "is anybody there?");
  }
  await until("the line is gone", () => codes().length === 0);
  expect(await voucher()).toBeNull();
});

test("who was removed doesn't get the conversation by inviting to a copy of it", async () => {
  const target = { conversationId: group, userId: cleo.userId };
  // So that she may take Ben out of her copy, and invite him to it.
  await ada.client.commands["conversation.setRole"]({ ...target, role: "administrator" });
  await until("Cleo knows", () => cleo.lines(group).includes("roles"));
  cleo.cable.unplug();
  await ada.client.commands["conversation.removeMember"](target);
  await until("Ben knows", () => ben.lines(group).includes("removed"));
  await deny();

  const params = { suite: suiteNames.default, count: 1, lastResort: false };
  const [own] = (await ben.worker.call("keyPackages.generate", params)).keyPackages;
  const { ref, sealedPrivate, bytes } = own!;
  await ben.vault.transact([
    { name: "keyPackage.put", params: [ref, 0, sealedPrivate, Date.now()] },
  ]);
  const commit = async (
    removeDevices: readonly DeviceId[],
    addKeyPackages: readonly Uint8Array[],
  ) => {
    const change = { conversationId: group, addKeyPackages, removeDevices, roomState: null };
    const { welcome } = await cleo.worker.call("group.prepareCommit", change);
    await cleo.worker.call("group.settleCommit", { conversationId: group, accepted: true });
    return welcome;
  };
  const { deviceId } = ben.client.view.me;
  await commit([deviceId], []);
  await commit([], []);
  const welcome = await commit([], [bytes]);

  const inboxCursor = readFact(ben.vault, "inboxCursor") ?? 0;
  const place = { sequence: inboxCursor + 1, groupSequence: 100, receivedAtMs: Date.now() };
  const sender = cleo.client.view.me.deviceId;
  const entry = { ...place, kind: "welcome", conversationId: group, sender, bytes: welcome! };
  ben.cable.deliver({ kind: "event", name: "inbox.entry", body: entry });
  await until("Ben has judged it", () => readFact(ben.vault, "inboxCursor") === inboxCursor + 1);
  expect(stateOf(ben)).toBe("removed");
  await expect(ben.say(group, "for Ada")).rejects.toMatchObject({ code: "conversation-over" });
});
