import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConversationId, Frame } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";

let world: World;

beforeEach(async () => {
  world = await World.start();
});
// Twenty vaults are closed.
afterEach(() => world.dispose(), 150_000);

/** All but one of a hundred key packages would be made for nothing: the relay is said to have enough. */
function withEnoughKeyPackages(frame: Frame): Frame {
  if (frame.kind !== "response") return frame;
  const { result } = frame;
  const counts = typeof result === "object" && result !== null && "keyPackagesLeft" in result;
  return counts ? { ...frame, result: { ...result, keyPackagesLeft: 100 } } : frame;
}

/** So many people, all in one group that the first one has made. */
async function groupOf(count: number): Promise<[ConversationId, readonly Person[]]> {
  const names = Array.from({ length: count }, (_, index) => `Person ${String(index + 1)}`);
  const everybody = names.map((name) => world.person(name));
  for (const { cable } of everybody) cable.onFrame = withEnoughKeyPackages;
  const [first, ...others] = everybody as [Person, ...Person[]];
  await first.host();
  const link = await world.invite(first, count);
  for (const other of others) await other.join(link);
  await until("everybody is known", async () => {
    return (await first.client.commands["people.list"]({})).length === count;
  });
  const group = await first.create("group", others);
  for (const person of everybody) await person.finds(group);
  return [group, everybody];
}

async function viewOf(person: Person, group: ConversationId) {
  const opened = await person.client.commands["conversation.open"]({ conversationId: group });
  return opened.conversation;
}

async function agree(everybody: readonly Person[], group: ConversationId, texts: string[]) {
  for (const person of everybody) {
    for (const text of texts) await person.sees(group, text);
    expect(person.texts(group).toSorted()).toEqual(texts.toSorted());
  }
  const views = () => Promise.all(everybody.map((person) => viewOf(person, group)));
  await until("everybody agrees on the epoch", async () => {
    return (
      new Set((await views()).map(({ encryption }) => encryption.epochAuthenticator)).size === 1
    );
  });
  const agreed = await views();
  expect(agreed.map(({ encryption }) => encryption.unopenableCount)).toEqual(
    everybody.map(() => 0),
  );
  expect(new Set(agreed.map(({ title }) => title)).size).toBe(1);
  return agreed.map(({ encryption }) => encryption.epoch);
}

const epochOf = (person: Person, group: ConversationId) =>
  Number(person.vault.read("conversation", [group])[0]?.["epoch"]);

/** What a person asks the relay for about a group's log before coming to another epoch, and how often it says that somebody else was first. */
function watch(person: Person, group: ConversationId) {
  const watched = { commits: 0, reads: 0, stale: 0 };
  const offers = new Set<number>();
  const epoch = epochOf(person, group);
  person.cable.onRequest = ({ id, method, params }) => {
    if ((params as { readonly conversationId?: unknown }).conversationId !== group) return true;
    if (method === "group.commit") {
      watched.commits += 1;
      offers.add(id);
    }
    if (method === "group.read" && epochOf(person, group) === epoch) watched.reads += 1;
    return true;
  };
  person.cable.onFrame = (frame) => {
    if (frame.kind === "response" && offers.has(frame.id)) {
      if ((frame.result as { readonly kind: string }).kind === "stale") watched.stale += 1;
    }
    return withEnoughKeyPackages(frame);
  };
  return watched;
}

test.each([2, 6, 20])(
  "of %i who commit at once one wins; all others are in its epoch after two round trips, and every message arrives once",
  async (count) => {
    const [group, everybody] = await groupOf(count);
    const epoch = epochOf(everybody[0]!, group);
    const watched = everybody.map((person) => watch(person, group));
    const texts = everybody.map(({ name }) => `${name} meanwhile`);
    // The relay's disk waits until all have offered a commit for this epoch.
    const hold = Promise.withResolvers<null>();
    world.relay.storage.holdCommits = hold.promise;
    const changes = everybody.map(async (person, index) => {
      // All want the same: whoever loses finds it done.
      await person.client.commands["conversation.rename"]({ conversationId: group, name: "One" });
      return { ...watched[index]!, epoch: epochOf(person, group) };
    });
    await until("all have offered", () => watched.every(({ commits }) => commits === 1));
    for (const person of everybody) await person.say(group, `${person.name} meanwhile`);
    hold.resolve(null);
    const outcomes = await Promise.all(changes);
    const won = { commits: 1, reads: 0, stale: 0, epoch: epoch + 1 };
    // One to hear that somebody else was first, one to read what they did.
    const lost = { commits: 1, reads: 1, stale: 1, epoch: epoch + 1 };
    const byReads = outcomes.toSorted((left, right) => left.reads - right.reads);
    expect(byReads).toEqual([won, ...everybody.slice(1).map(() => lost)]);
    expect(await agree(everybody, group, texts)).toEqual(everybody.map(() => epoch + 1));
  },
  // Twenty whole clients, on a machine that is busy.
  300_000,
);

test("six people change a conversation and write into it at once: all of it comes about, once each", async () => {
  const [group, everybody] = await groupOf(6);
  const texts = everybody.flatMap(({ name }) => [`${name} before`, `${name} after`]);
  const { epoch } = (await viewOf(everybody[0]!, group)).encryption;
  await Promise.all(
    everybody.flatMap((person) => [
      person.say(group, `${person.name} before`),
      person.client.commands["conversation.rename"]({
        conversationId: group,
        name: `Named by ${person.name}`,
      }),
      person.say(group, `${person.name} after`),
    ]),
  );
  // One commit won each epoch, and each of the six won one.
  expect(await agree(everybody, group, texts)).toEqual(everybody.map(() => epoch + 6));
});
