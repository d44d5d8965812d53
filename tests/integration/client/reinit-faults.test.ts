import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  suiteNames,
  type ConversationId,
  type Frame,
  type RelayEventInput,
  type RelayResult,
  type SuiteName,
} from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, type Person } from "../../support/client-world.ts";
import { HostileRelay } from "../../support/hostile/hostile-relay.ts";
import { ThreePeople } from "../../support/policy-suite.ts";

// What can go wrong while a conversation goes over to another suite (docs/adr/0027).

const { aes128, p256 } = suiteNames;

let three: ThreePeople;
let ada: Person;
let ben: Person;
let group: ConversationId;

beforeEach(async () => {
  three = await ThreePeople.start();
  [ada, ben] = three.everybody;
  group = three.group;
});
afterEach(async () => {
  await three.world.dispose();
});

/** Spoils the entry by which the conversation goes over, wherever it is told of. */
function spoilt(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(spoilt);
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value;
  const entry = value as { readonly kind?: unknown; readonly bytes?: unknown };
  if (entry.kind === "commit" && entry.bytes instanceof Uint8Array && entry.bytes[0] === 0x82) {
    const last = entry.bytes.length - 1;
    return { ...entry, bytes: entry.bytes.with(last, (entry.bytes[last] ?? 0) ^ 1) };
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, spoilt(item)]));
}

test("two go for it: the loser, whose offer was late, follows the winner", async () => {
  let late: Person | undefined;
  for (const person of three.everybody) {
    person.cable.onRequest = ({ method }) => {
      if (method !== "group.commit" || late !== undefined) return true;
      late = person;
      return false;
    };
  }
  await three.choose(p256);
  await until("somebody's offer is under way", () => late !== undefined);
  for (const person of three.everybody) {
    if (person !== late) await three.isIn(person, p256);
  }
  await late?.reconnect();
  for (const person of three.everybody) await three.isIn(person, p256);
  await three.everybodyReads("one of two, says");
  await three.nothingWasLost();
});

test("who is killed before they hear that they have won goes on where the others are", async () => {
  let winner: Person | undefined;
  for (const person of three.everybody) {
    person.cable.onRequest = ({ method }) => {
      if (method === "group.commit") winner ??= person;
      return true;
    };
    person.cable.onFrame = (frame) => (person === winner ? null : frame);
  }
  await three.choose(p256);
  await until("somebody has offered it", () => winner !== undefined);
  const first = winner!;
  for (const person of three.everybody) {
    if (person !== first) await three.isIn(person, p256);
  }
  await first.kill();
  winner = undefined;
  first.cable.onRequest = null;
  await first.open();
  await first.online();
  await first.look(group);
  await three.isIn(first, p256);
  await three.everybodyReads("after the crash, says");
  await three.nothingWasLost();
  expect(first.texts(group)).toContain("Before");
});

test("who can't follow it joins anew", async () => {
  let victim: Person | undefined;
  for (const person of three.everybody) {
    person.cable.onRequest = ({ method }) => {
      if (method === "group.commit") victim ??= three.everybody.find((other) => other !== person);
      return true;
    };
    person.cable.onFrame = (frame) => (person === victim ? (spoilt(frame) as Frame) : frame);
  }
  await three.choose(p256);
  for (const person of three.everybody) await three.isIn(person, p256);
  await until("it is said", () => victim?.lines(group).includes("rejoined") === true);
  await three.everybodyReads("together again, says");
}, 120_000);

test("when nobody else can take it, its maker goes back, and it is made again", async () => {
  let maker: Person | undefined;
  for (const person of three.everybody) {
    const { worker } = person;
    const call = worker.call.bind(worker);
    // The first that is made, by whomever, has one changed byte in its Welcome.
    worker.call = (async (name: Parameters<typeof call>[0], params: never) => {
      const made = await call(name, params);
      if (name !== "group.prepareReinit" || maker !== undefined) return made;
      maker = person;
      const { bytes } = made as { readonly bytes: Uint8Array };
      return { ...made, bytes: bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1) };
    }) as typeof worker.call;
  }
  await three.choose(p256);
  await until("it is void", () => maker?.lines(group).includes("reopened") === true);
  await until("it is made again", async () => {
    const { suite, epoch } = await three.encryptionOf(maker!);
    return suite === p256 && epoch > 2;
  });
  for (const person of three.everybody) await three.isIn(person, p256);
  await three.everybodyReads("at the second try, says");
  for (const person of three.everybody) {
    expect(person.lines(group).filter((kind) => kind === "rejoined")).toHaveLength(0);
  }
}, 120_000);

test("who is adding somebody when it goes over adds them in the new suite", async () => {
  const dan = await three.world.person("Dan").join(await three.world.invite(ada));
  await dan.online();
  const claims = new Set<number>();
  let held: Frame | undefined;
  ada.cable.onRequest = ({ id, method }) => {
    if (method === "keyPackages.claim") claims.add(id);
    return true;
  };
  ada.cable.onFrame = (frame) => {
    if (held !== undefined || frame.kind !== "response" || !claims.has(frame.id)) return frame;
    const { keyPackages } = frame.result as RelayResult<"keyPackages.claim">;
    // Dan may still be making his.
    if (keyPackages.includes(null)) return frame;
    held = frame;
    return null;
  };
  const added = ada.client.commands["conversation.addMembers"]({
    conversationId: group,
    people: [dan.userId],
  });
  await until("Ada's claim is answered", () => held !== undefined);
  await three.choose(p256);
  for (const person of [ben, three.everybody[2]]) await three.isIn(person, p256);
  ada.cable.deliver(held!);
  await added;
  await dan.finds(group);
  await dan.say(group, "in the new suite");
  for (const person of three.everybody) await person.sees(group, "in the new suite");
});

test("who was away while the policy changed twice follows the others through both", async () => {
  const cem = three.everybody[2];
  cem.cable.unplug();
  await three.choose(p256);
  await three.hasKeys(ben, p256);
  await ben.quit();
  cem.cable.plug();
  cem.client.retryNow();
  for (const person of [ada, cem]) await three.isIn(person, p256);
  await ada.say(group, "in the first");
  await cem.sees(group, "in the first");
  await three.choose(aes128);
  await ben.open();
  for (const person of three.everybody) await three.isIn(person, aes128);
  await ben.look(group);
  await ben.sees(group, "in the first");
  await three.everybodyReads("in the second, says");
  await three.nothingWasLost();
  expect(ben.lines(group).filter((kind) => kind === "suite")).toHaveLength(2);
  expect(ben.lines(group)).not.toContain("rejoined");
});

test("who comes back with an offer of it goes by the policy that there is now", async () => {
  const others = [ada, three.everybody[2]].map((person) => new HostileRelay(person));
  // So that it is Ben who goes for it.
  for (const relay of others) {
    relay.pretend("keyPackages.claim", ({ devices }) => {
      const lacking = devices as readonly unknown[];
      return { keyPackages: lacking.map(() => null), lacking };
    });
  }
  let offered = false;
  ben.cable.onRequest = ({ method }) => {
    if (method !== "group.commit") return true;
    offered = true;
    return false;
  };
  await three.choose(p256);
  await until("Ben's offer is under way", () => offered);
  await ben.kill();
  ben.cable.onRequest = null;
  await three.choose(aes128);
  for (const relay of others) relay.repent();
  await ben.open();
  for (const person of three.everybody) await three.isIn(person, aes128);
  await ben.look(group);
  await three.everybodyReads("by the present policy, says");
  await three.nothingWasLost();
  for (const person of three.everybody) {
    expect(person.lines(group).filter((kind) => kind === "suite")).toHaveLength(1);
  }
});

describe("who is back at an older copy", () => {
  async function copyOf(person: Person): Promise<() => void> {
    await person.quit();
    const putBack = person.copyVault();
    await person.open();
    await person.online();
    await person.look(group);
    return () => {
      putBack("folder-and-keychain");
    };
  }

  test("and isn't told of the policy, isn't led to another suite", async () => {
    const policy = readFact(ben.vault, "policy")!;
    const putBack = await copyOf(ben);
    await three.choose(p256);
    for (const person of three.everybody) await three.isIn(person, p256);
    await three.everybodyReads("in the new suite, says");
    const relay = new HostileRelay(ben);
    relay.event("policy.changed", () => null);
    relay.event("hello", (body) => {
      const { network } = body as RelayEventInput<"hello">;
      return { ...body, network: { ...network, policy } };
    });
    relay.answer("session.signIn", (result) => ({ ...result, policyVersion: 1 }));
    relay.answer("policy.get", () => ({ policy }));
    const asked = new Set<string>();
    for (const method of ["group.info", "group.commit"] as const) {
      relay.pretend(method, () => {
        asked.add(method);
        return null;
      });
    }
    await ben.quit();
    putBack();
    await ben.open();
    await until("Ben asks where the conversation is", () => asked.has("group.info"));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(asked).not.toContain("group.commit");
    expect((await three.encryptionOf(ben)).suite).toBe(suiteNames.default);
    relay.repent();
    await ben.reconnect();
    await three.isIn(ben, p256);
    await three.everybodyReads("with the policy, says");
  }, 120_000);

  test("while the policy changed twice, is in at once where the others still are", async () => {
    const cem = three.everybody[2];
    const putBack = await copyOf(ben);
    await three.choose(p256);
    for (const person of three.everybody) await three.isIn(person, p256);
    await ben.quit();
    cem.cable.unplug();
    await three.choose(aes128);
    putBack();
    await ben.open();
    await ben.look(group);
    await three.isIn(ben, p256);
    await ben.say(group, "while Cem is away");
    await ada.sees(group, "while Cem is away");
    cem.cable.plug();
    cem.client.retryNow();
    for (const person of three.everybody) await three.isIn(person, aes128);
    await three.everybodyReads("in the last one, says");
  }, 120_000);

  test("of a conversation in which nobody else is, goes over from where it was to the last suite", async () => {
    const own = await ben.create("group", [ada], { name: "Notes" });
    const isIn = (suite: SuiteName): Promise<void> =>
      until(`Ben is in ${suite}`, async () => {
        const opened = await ben.client.commands["conversation.open"]({ conversationId: own });
        return opened.conversation.encryption.suite === suite;
      });
    await ben.client.commands["conversation.removeMember"]({
      conversationId: own,
      userId: ada.userId,
    });
    const putBack = await copyOf(ben);
    await three.choose(p256);
    await isIn(p256);
    await ben.quit();
    await three.choose(aes128);
    putBack();
    await ben.open();
    await isIn(aes128);
    await ben.look(own);
    await ben.say(own, "nobody else reads it");
    await ben.sees(own, "nobody else reads it");
  }, 120_000);
});
