import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConversationId, SearchResultsView } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";

let world: World;
let ada: Person;
let ben: Person;
let direct: ConversationId;

beforeEach(async () => {
  world = await World.start();
  [ada, ben] = (await world.people("Ada", "Ben")) as [Person, Person];
  direct = await ada.create("direct", [ben]);
  await ada.look(direct);
  await ben.finds(direct);
});
afterEach(async () => {
  await world.dispose();
});

function find(
  person: Person,
  query: string,
  extra: { readonly before?: string | null; readonly limit?: number } = {},
): Promise<SearchResultsView> {
  const { before = null, limit = 20 } = extra;
  return person.client.commands["search.find"]({ query, conversationId: null, before, limit });
}

async function texts(person: Person, query: string): Promise<readonly string[]> {
  return (await find(person, query)).hits.map(({ text }) => text);
}

function finds(person: Person, query: string, expected: readonly string[]): Promise<void> {
  return until(`${person.name} finds "${query}"`, async () => {
    const found = await texts(person, query);
    return JSON.stringify(found) === JSON.stringify(expected);
  });
}

describe("what is said", () => {
  test("is found at once on both sides, with marks, sender and end", async () => {
    await ada.say(direct, "The **Crème** is for the rendezvous");
    await ben.sees(direct, "The **Crème** is for the rendezvous");
    const { hits, unknown } = await find(ben, "dezvous creme");
    expect(unknown).toEqual([]);
    expect(hits).toMatchObject([
      {
        conversationId: direct,
        conversationTitle: "Ada",
        sender: { displayName: "Ada" },
        text: "The Crème is for the rendezvous",
      },
    ]);
    const [hit] = hits;
    expect(hit?.marks.map(([from, to]) => hit.text.slice(from, to))).toEqual(["Crème", "dezvous"]);
    expect(await texts(ada, "dezvous")).toHaveLength(1);
  });

  test("is found again after a restart, when the index has been filled", async () => {
    await ada.say(direct, "before the restart");
    await ada.restart();
    await finds(ada, "restart", ["before the restart"]);
  });

  test("is found in its new words after an edit, and not in the old ones", async () => {
    const messageId = await ada.say(direct, "meet on monday");
    await ben.sees(direct, "meet on monday");
    expect(await texts(ben, "monday")).toEqual(["meet on monday"]);
    const text = "meet on friday";
    await ada.client.commands["message.edit"]({ conversationId: direct, messageId, text });
    await ben.sees(direct, text);
    for (const person of [ada, ben]) {
      expect(await texts(person, "monday")).toEqual([]);
      expect(await texts(person, "friday")).toEqual([text]);
    }
  });

  test("is found by who said it, what it has, and when", async () => {
    const messageId = await ada.say(direct, "see https://example.org");
    await ben.sees(direct, "see https://example.org");
    await ben.say(direct, "seen");
    await ada.sees(direct, "seen");
    expect(await texts(ada, "from:ben")).toEqual(["seen"]);
    expect(await texts(ada, "from:me has:link after:today")).toEqual(["see https://example.org"]);
    expect(await texts(ada, "see before:today")).toEqual([]);
    expect((await find(ada, "from:zoe see")).unknown).toEqual(["from:zoe"]);
    expect(await texts(ada, "has:reaction")).toEqual([]);
    await ada.client.commands["message.react"]({
      conversationId: direct,
      messageId,
      emoji: "👍",
      on: true,
    });
    expect(await texts(ada, "has:reaction")).toEqual(["see https://example.org"]);
  });

  test("comes in pages, newest first", async () => {
    for (const text of ["one x", "two x", "three x"]) await ada.say(direct, text);
    const first = await find(ada, "x", { limit: 2 });
    expect(first.hits.map(({ text }) => text)).toEqual(["three x", "two x"]);
    const second = await find(ada, "x", { limit: 2, before: first.before });
    expect(second.hits.map(({ text }) => text)).toEqual(["one x"]);
    expect(second.before).toBeNull();
    await expect(find(ada, "x", { before: "nonsense" })).rejects.toMatchObject({
      code: "argument-invalid",
    });
  });
});

describe("what may not be shown", () => {
  test("is not found: recalled, deleted, ended", async () => {
    const recalled = await ada.say(direct, "secret one");
    const deleted = await ada.say(direct, "secret two");
    const timers = { expirationSeconds: 1, burnSeconds: null };
    await ada.say(direct, "secret three", { timers });
    await finds(ada, "secret", ["secret three", "secret two", "secret one"]);
    const one = { conversationId: direct, messageId: recalled };
    await ada.client.commands["message.recall"](one);
    const two = { conversationId: direct, messageId: deleted };
    await ada.client.commands["message.deleteForMe"](two);
    await finds(ada, "secret", []);
  });

  test("is not found before its reader has uncovered it", async () => {
    const timers = { expirationSeconds: 3600, burnSeconds: 60 };
    const messageId = await ada.say(direct, "burn this", { timers });
    await until("Ben has it", () => ben.shown.get(direct)?.has(messageId) === true);
    expect(await texts(ben, "burn")).toEqual([]);
    await ben.client.commands["message.reveal"]({ conversationId: direct, messageId });
    await finds(ben, "burn", ["burn this"]);
  });
});

test("a conversation opens around a message that was found, and reads on from there", async () => {
  const first = await ada.say(direct, "message 0");
  for (let at = 1; at <= 260; at++) await ada.say(direct, `message ${String(at)}`);
  const { page } = await ada.client.commands["conversation.openAt"]({
    conversationId: direct,
    messageId: first,
  });
  expect(page.hasLater).toBe(true);
  const newest = page.messages.at(-1);
  const later = await ada.client.commands["conversation.loadLater"]({
    conversationId: direct,
    afterOrder: newest?.order ?? 0,
    limit: 200,
  });
  expect(later.messages).toHaveLength(200);
  const last = later.messages.at(-1);
  const middle = await ada.client.commands["conversation.openAt"]({
    conversationId: direct,
    messageId: last?.messageId ?? first,
  });
  expect(middle.page.hasLater).toBe(false);
  await ada.client.commands["message.deleteForMe"]({ conversationId: direct, messageId: first });
  await expect(
    ada.client.commands["conversation.openAt"]({ conversationId: direct, messageId: first }),
  ).rejects.toMatchObject({ code: "not-found" });
});
