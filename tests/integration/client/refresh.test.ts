import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toHex, type ConversationId, type RelayParams } from "#protocol";
import { putFact, readFact } from "../../../electron/client/store/facts.ts";
import { statement } from "../../../electron/client/store/statement.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { actAs } from "../../support/second-device.ts";

const dayMs = 24 * 60 * 60_000;

let world: World;
let ada: Person;
let ben: Person;

beforeEach(async () => {
  world = await World.start();
  [ada, ben] = (await world.people("Ada", "Ben")) as [Person, Person];
});
afterEach(async () => {
  await world.dispose();
});

async function encryptionOf(person: Person, conversationId: ConversationId) {
  const opened = await person.client.commands["conversation.open"]({ conversationId });
  return opened.conversation.encryption;
}

async function group(): Promise<ConversationId> {
  const conversationId = await ada.create("group", [ben]);
  await ada.look(conversationId);
  await ben.finds(conversationId);
  return conversationId;
}

const ageMs = (person: Person, conversationId: ConversationId): number =>
  Date.now() - Number(person.vault.read("leafAge", [conversationId])[0]?.["renewed_ms"]);

describe("after a long absence", () => {
  test("a device gives itself a new leaf where its leaf is old, and only there, without a word", async () => {
    const old = await group();
    const fresh = await group();
    const before = await encryptionOf(ben, old);
    const freshBefore = await encryptionOf(ben, fresh);
    await ben.vault.transact([statement("leafAge.put", old, Date.now() - 8 * dayMs)]);
    const lines = ada.lines(old);
    await ben.restart();
    await ben.online();
    await until("Ben's leaf is new", async () => {
      return (await encryptionOf(ben, old)).epoch === before.epoch + 1;
    });
    expect(ageMs(ben, old)).toBeLessThan(dayMs);
    await until("Ada follows", async () => {
      const [one, other] = [await encryptionOf(ada, old), await encryptionOf(ben, old)];
      return one.epochAuthenticator === other.epochAuthenticator;
    });
    expect((await encryptionOf(ben, fresh)).epoch).toBe(freshBefore.epoch);
    expect(ada.lines(old)).toEqual(lines);
    await ada.say(old, "still here");
    await ben.look(old);
    await ben.sees(old, "still here");
  });

  test("two devices that come back at once both do, one after the other", async () => {
    const conversationId = await group();
    const { epoch } = await encryptionOf(ada, conversationId);
    for (const person of [ada, ben]) {
      const long = statement("leafAge.put", conversationId, Date.now() - 30 * dayMs);
      await person.vault.transact([long]);
    }
    await Promise.all([ada.restart(), ben.restart()]);
    await Promise.all([ada.online(), ben.online()]);
    await until("both are new", async () => {
      const both = await Promise.all([ada, ben].map((each) => encryptionOf(each, conversationId)));
      return both.every((encryption) => encryption.epoch === epoch + 2);
    });
    for (const person of [ada, ben]) expect(ageMs(person, conversationId)).toBeLessThan(dayMs);
  });

  test("another commit of this device with a path counts as well", async () => {
    const conversationId = await group();
    await ada.vault.transact([statement("leafAge.put", conversationId, Date.now() - 6 * dayMs)]);
    await ada.client.commands["conversation.rename"]({ conversationId, name: "Another name" });
    expect(ageMs(ada, conversationId)).toBeLessThan(dayMs);
  });
});

describe("key packages", () => {
  const claim = (of: Person, deviceId: string, count: number) =>
    actAs(world.relay, of, async (client) => {
      const devices = new Array<never>(count).fill(deviceId as never);
      return (await client.request("keyPackages.claim", { devices })).keyPackages;
    });
  const published: RelayParams<"keyPackages.publish">[] = [];
  const unanswered = new Set<number>();
  const oneTime = (): number => published.flatMap(({ keyPackages }) => keyPackages).length;
  const areThere = (count: number) => () => oneTime() === count && unanswered.size === 0;
  /** How often a device has come so far after a sign-in that it would have begun to make what is missing. */
  let signIns = 0;

  /** Somebody new, who has published all that is wanted. What their device publishes is noted. */
  async function newcomer(): Promise<Person> {
    published.length = 0;
    unanswered.clear();
    signIns = 0;
    const person = world.person("Cem");
    person.cable.onFrame = (frame) => {
      if (frame.kind === "response") unanswered.delete(frame.id);
      return frame;
    };
    person.cable.onRequest = ({ id, method, params }) => {
      if (method === "keyPackages.publish") {
        unanswered.add(id);
        published.push(params as RelayParams<"keyPackages.publish">);
      }
      if (method === "group.list") signIns += 1;
      return true;
    };
    await person.join(await world.invite(ada));
    await until("there are a hundred", areThere(100));
    return person;
  }

  /** How often the newcomer's worker has made some. */
  const made = (): number => world.workers.at(-1)?.calls.get("keyPackages.generate") ?? 0;

  /** Something happens while a person is away. */
  async function without(person: Person, act: () => Promise<unknown>): Promise<void> {
    person.cable.unplug();
    await until("they are off line", () => person.client.view.connection.kind === "offline");
    await act();
    const before = signIns;
    person.cable.plug();
    person.client.retryNow();
    await until("they have signed in", () => signIns > before);
  }

  const lastResortMadeAtMs = (): number =>
    Number(ben.vault.read("lastResort", [])[0]?.["created_ms"]);

  test("wait by the hundred: with 50 left none are made, with 49 all that are missing", async () => {
    const cem = await newcomer();
    const { deviceId } = cem.client.view.me;
    expect(published.filter(({ lastResort }) => lastResort !== null)).toHaveLength(1);

    // On line: the relay says when few are left.
    await claim(ada, deviceId, 50);
    await claim(ada, deviceId, 1);
    await until("51 are made", areThere(151));

    // After an absence: it says so at the sign-in.
    const before = made();
    await without(cem, () => claim(ada, deviceId, 50));
    expect(made()).toBe(before);
    await without(cem, () => claim(ada, deviceId, 1));
    await until("51 are made again", areThere(202));

    cem.cable.onRequest = ({ method }) => method !== "keyPackages.publish";
    const all = await claim(ada, deviceId, 102);
    expect(all.map((one) => one?.lastResort)).toEqual([
      ...new Array<boolean>(100).fill(false),
      true,
      true,
    ]);
    expect(new Set(all.map((one) => toHex(one!.bytes))).size).toBe(101);
  });

  test.each([
    [29, 0],
    [31, 1],
  ])("the last-resort one, made %i days ago, is replaced %i times", async (days, times) => {
    const cem = await newcomer();
    const ref = "some";
    await cem.vault.transact([
      statement("keyPackage.deleteAll"),
      statement("keyPackage.put", ref, 1, new Uint8Array(), Date.now() - days * dayMs),
    ]);
    const [before, sent] = [made(), published.length];
    await without(cem, () => Promise.resolve());
    await until("it is there", () => published.length === sent + times);
    expect(made()).toBe(before + times);
    expect(published.slice(sent).map(({ lastResort }) => lastResort !== null)).toEqual(
      new Array<boolean>(times).fill(true),
    );
  });

  test("the last-resort one is replaced after it was used, and the others are made anew", async () => {
    const { deviceId } = ben.client.view.me;
    // One-time ones are made after it.
    await until("Ben has some", () => {
      const [oldest] = ben.vault.read("oldestOneTime", []);
      return oldest?.["created_ms"] !== null;
    });
    const madeAtMs = lastResortMadeAtMs();
    ben.cable.unplug();
    const claimed = await claim(ada, deviceId, 120);
    expect(claimed.at(-1)?.lastResort).toBe(true);
    const conversationId = await ada.create("group", [ben]);
    ben.cable.plug();
    ben.client.retryNow();
    await ben.finds(conversationId);
    await until("another one is there", () => lastResortMadeAtMs() > madeAtMs);
    await until("that is settled", () => readFact(ben.vault, "lastResortUsed") === undefined);
    const [next] = await claim(ada, deviceId, 1);
    expect(next?.bytes).not.toEqual(claimed.at(-1)?.bytes);
  });

  test("one-time ones that will soon be too old are all replaced", async () => {
    const { deviceId } = ben.client.view.me;
    const old = await claim(ada, deviceId, 1);
    await ben.vault.transact([putFact("keyPackagesSinceMs", Date.now() - 301 * dayMs)]);
    await ben.restart();
    await ben.online();
    await until("they are new", () => {
      const sinceMs = readFact(ben.vault, "keyPackagesSinceMs") ?? 0;
      return Date.now() - sinceMs < dayMs;
    });
    const [one] = await claim(ada, deviceId, 1);
    expect(one?.lastResort).toBe(false);
    expect(one?.bytes).not.toEqual(old[0]?.bytes);
    const conversationId = await ada.create("group", [ben]);
    await ben.finds(conversationId);
  });
});
