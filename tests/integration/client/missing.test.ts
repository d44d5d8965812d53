import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type ConversationId,
  type Frame,
  type GroupEntry,
  type MessageView,
  type RelayEventInput,
} from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";

/** A relay that drops, withholds or spoils what was sent: it is had again, or shown and counted. */

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

type Change = (entry: GroupEntry) => GroupEntry;

/** Lets a relay change each entry of the group's log on its way to a person, live or read. */
function forge(person: Person, change: Change): void {
  person.cable.onFrame = (frame: Frame) => {
    if (frame.kind === "event" && frame.name === "group.entry") {
      const body = frame.body as RelayEventInput<"group.entry">;
      if (body.conversationId !== group) return frame;
      return { ...frame, body: { ...body, entry: change(body.entry as GroupEntry) } };
    }
    if (frame.kind !== "response" || !isPage(frame.result)) return frame;
    return { ...frame, result: { ...frame.result, entries: frame.result.entries.map(change) } };
  };
}

function isPage(result: unknown): result is { readonly entries: readonly GroupEntry[] } {
  const names = typeof result === "object" && result !== null ? Object.keys(result) : [];
  return ["entries", "headSequence", "epoch"].every((name) => names.includes(name));
}

const dropped: Change = ({ sequence }) => ({ kind: "dropped", sequence });

const tampered: Change = (entry) => {
  if (!("bytes" in entry)) return entry;
  const bytes = entry.bytes.slice();
  bytes[bytes.length - 3]! ^= 1;
  return { ...entry, bytes };
};

/** Changes the first messages of a device, each time that they come by. */
function forgeFirst(person: Person, of: Person, count: number, change: Change): void {
  const { deviceId } = of.client.view.me;
  const seen = new Set<number>();
  forge(person, (entry) => {
    if (entry.kind !== "application" || entry.sender !== deviceId) return entry;
    if (!seen.has(entry.sequence) && seen.size >= count) return entry;
    seen.add(entry.sequence);
    return change(entry);
  });
}

const lines = (person: Person) =>
  person
    .messages(group)
    .filter((message): message is Extract<MessageView, { kind: "unopenable" }> => {
      return message.kind === "unopenable";
    });

async function counts(person: Person) {
  const { conversation } = await person.client.commands["conversation.open"]({
    conversationId: group,
  });
  const { unopenableCount, recoveredCount, askedCount, lostCount } = conversation.encryption;
  return { unopenableCount, recoveredCount, askedCount, lostCount };
}

const gone = (person: Person) =>
  until(`nothing is missing for ${person.name}`, () => lines(person).length === 0);

test("a message whose bytes were spoilt comes again, at its place, and its line goes", async () => {
  forgeFirst(ben, ada, 1, tampered);
  await ada.say(group, "one");
  await until("it is missed", () => lines(ben).length === 1);
  expect(lines(ben)).toMatchObject([{ count: 1, asking: true, senderKnown: false }]);
  await cem.sees(group, "one");
  await cem.say(group, "two");
  await ben.sees(group, "two");
  await ben.sees(group, "one");
  await gone(ben);
  expect(ben.texts(group)).toEqual(["one", "two"]);
  expect(await counts(ben)).toEqual({
    unopenableCount: 1,
    recoveredCount: 1,
    askedCount: 0,
    lostCount: 0,
  });
  // It is the message that it was: a reaction to it reaches everybody.
  const { messageId } = ben.message(group, "one")!;
  expect(ada.message(group, "one")?.messageId).toBe(messageId);
  await ada.say(group, "three");
  await ben.sees(group, "three");
  expect(lines(ben)).toEqual([]);
});
