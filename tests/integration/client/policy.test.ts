import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  decodeRecord,
  suiteNames,
  type ConversationId,
  type PolicyChange,
  type RelayEventInput,
  type SuiteName,
} from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { link } from "../../support/linking.ts";
import { errorWith } from "../../support/protocol.ts";

let world: World;
let ada: Person;
let ben: Person;

beforeEach(async () => {
  world = await World.start();
  [ada, ben] = (await world.people("Ada", "Ben")) as [Person, Person];
});
afterEach(() => world.dispose());

const set = (by: Person, change: PolicyChange) => by.client.commands["network.setPolicy"](change);

function hears(person: Person, change: PolicyChange): Promise<void> {
  return until(`${person.name} hears of it`, () => {
    const { network } = person.client.view;
    return Object.entries({ ...network, ...change }).every(
      ([name, value]) => network[name as keyof typeof network] === value,
    );
  });
}

function versionAt(person: Person): number {
  return decodeRecord("policy", readFact(person.vault, "policy")!.payload).version;
}

const versionIs = (person: Person, version: number) =>
  until(`${person.name} has version ${String(version)}`, () => versionAt(person) === version);

describe("history for a computer that is added", () => {
  test("is taken away for everybody, at once", async () => {
    const crew = await ada.create("group", [ben]);
    await ben.finds(crew);
    await ada.say(crew, "before");
    await ben.sees(crew, "before");
    await set(ada, { historyOnLink: false });
    expect(ada.client.view.network.historyOnLink).toBe(false);
    await hears(ben, { historyOnLink: false });
    for (const [person, computer] of [
      [ada, world.person("Desk")],
      [ben, world.person("Tower")],
    ] as const) {
      const shown = await link(person, computer, { history: true });
      expect(shown.view).toMatchObject({ kind: "added", history: false });
      await computer.finds(crew);
      await ada.say(crew, `after, ${computer.name}`);
      await computer.sees(crew, `after, ${computer.name}`);
      expect(computer.texts(crew)).not.toContain("before");
      expect(computer.client.view.network).toMatchObject({
        historyOnLink: false,
        hasNetworkKey: false,
      });
    }
  });

  test("comes back, and who was away hears of both when they are back", async () => {
    await ben.quit();
    await set(ada, { historyOnLink: false });
    await ben.open();
    await hears(ben, { historyOnLink: false });
    await ada.restart();
    await ada.online();
    expect(ada.client.view.network.historyOnLink).toBe(false);
    await set(ada, { historyOnLink: true });
    await hears(ben, { historyOnLink: true });
  });

  test("is heard of by who got an older `hello` just before", async () => {
    const older = readFact(ben.vault, "policy")!;
    ben.cable.unplug();
    await set(ada, { historyOnLink: false });
    ben.cable.onFrame = (frame) => {
      if (frame.kind !== "event" || frame.name !== "hello") return frame;
      const body = frame.body as RelayEventInput<"hello">;
      return { ...frame, body: { ...body, network: { ...body.network!, policy: older } } };
    };
    ben.cable.plug();
    ben.client.retryNow();
    await hears(ben, { historyOnLink: false });
  });
});

describe("the suite", () => {
  /** In which a conversation is, for somebody. */
  async function isIn(person: Person, conversationId: ConversationId, suite: SuiteName) {
    await until(`${person.name} is in ${suite}`, async () => {
      const opened = await person.client.commands["conversation.open"]({ conversationId });
      return opened.conversation.encryption.suite === suite;
    });
  }

  test("of CNSA 2.0 is taken by conversations that are there, and both read on", async () => {
    const direct = await ada.create("direct", [ben]);
    await ben.finds(direct);
    await ada.say(direct, "in the standard suite");
    await ben.sees(direct, "in the standard suite");
    await set(ada, { suite: suiteNames.cnsa });
    await hears(ben, { suite: suiteNames.cnsa });
    for (const person of [ada, ben]) await isIn(person, direct, suiteNames.cnsa);
    for (const [from, to] of [
      [ada, ben],
      [ben, ada],
    ] as const) {
      await from.say(direct, `from ${from.name}`);
      await to.sees(direct, `from ${from.name}`);
    }
    expect(ben.texts(direct)).toContain("in the standard suite");
    // What isn't named stays as it is.
    await set(ada, { historyOnLink: false });
    expect(ada.client.view.network).toMatchObject({ suite: suiteNames.cnsa });
  }, 60_000);

  test("is that of a device's keys, also when it changes back as the device dies while replacing them", async () => {
    let held: number | null = null;
    let taken = false;
    ben.cable.onRequest = ({ id, method, params }) => {
      const { replace } = params as { readonly replace?: boolean };
      if (method === "keyPackages.publish" && replace === true) held = id;
      return true;
    };
    ben.cable.onFrame = (frame) => {
      if (frame.kind !== "response" || frame.id !== held) return frame;
      taken = true;
      return null;
    };
    await set(ada, { suite: suiteNames.p256 });
    await until("the relay has Ben's keys", () => taken);
    await ben.kill();
    Object.assign(ben.cable, { onRequest: null, onFrame: null });
    await set(ada, { suite: suiteNames.default });
    await ben.open();
    await ben.online();
    const crew = await ada.create("group", [ben]);
    await ben.finds(crew);
    await isIn(ben, crew, suiteNames.default);
  });
});

describe("the rules", () => {
  test("are changed by an administrator, on the computer that has the network's key", async () => {
    await expect(set(ben, { historyOnLink: false })).rejects.toThrow(errorWith("not-allowed"));
    const desk = world.person("Desk");
    await link(ada, desk);
    await desk.online();
    await until("Desk knows its role", () => desk.client.view.me.role === "administrator");
    const attempt = set(desk, { historyOnLink: false });
    await expect(attempt).rejects.toThrow(errorWith("network-key-missing"));
    ada.cable.unplug();
    await until("Ada is off line", () => ada.client.view.connection.kind === "offline");
    await expect(set(ada, { historyOnLink: false })).rejects.toThrow(
      errorWith("relay-unreachable"),
    );
    expect(ben.client.view.network.historyOnLink).toBe(true);
  });

  test("take two changes at once, and one whose answer was lost", async () => {
    const { cnsa } = suiteNames;
    await Promise.all([set(ada, { historyOnLink: false }), set(ada, { suite: cnsa })]);
    for (const person of [ada, ben]) await hears(person, { historyOnLink: false, suite: cnsa });
    expect(versionAt(ada)).toBe(3);
    await set(ada, { historyOnLink: false });
    expect(versionAt(ada)).toBe(3);
    ada.cable.onRequest = ({ method }) => {
      if (method !== "policy.set") return true;
      // The relay takes it, and nothing comes back.
      ada.cable.onFrame = () => null;
      void versionIs(ben, 4).then(() => {
        ada.cable.unplug();
      });
      return true;
    };
    const lost = set(ada, { historyOnLink: true });
    await expect(lost).rejects.toThrow(errorWith("relay-unreachable"));
    expect(versionAt(ada)).toBe(3);
    ada.cable.onFrame = null;
    ada.cable.plug();
    ada.client.retryNow();
    for (const person of [ada, ben]) await hears(person, { historyOnLink: true, suite: cnsa });
  });
});
