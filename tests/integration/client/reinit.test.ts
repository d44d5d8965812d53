import { afterEach, beforeEach, expect, test } from "vitest";
import {
  suiteNames,
  type ConversationId,
  type RelayEventInput,
  type SignedRecord,
  type SuiteName,
} from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";

// The network's policy names another suite: conversations that are there already go over to it (docs/adr/0027).

const { p256, aes128 } = suiteNames;

let world: World;
let ada: Person;
let ben: Person;
let cem: Person;
let group: ConversationId;

beforeEach(async () => {
  world = await World.start();
  [ada, ben, cem] = (await world.people("Ada", "Ben", "Cem")) as [Person, Person, Person];
  group = await ada.create("group", [ben, cem]);
  for (const person of [ada, ben, cem]) await person.finds(group);
  await ada.say(group, "Before");
  for (const person of [ben, cem]) await person.sees(group, "Before");
});
afterEach(async () => {
  await world.dispose();
});

async function signPolicy(suite: SuiteName, version = 2): Promise<SignedRecord> {
  const { networkId, name: networkName } = ada.client.view.network;
  await ada.loadNetworkKey();
  const value = {
    ...{ networkId, networkName, version, issuedAtMs: Date.now(), suite },
    ...{ maxExpirationSeconds: 3600, defaultExpirationSeconds: 3600, membersMayInvite: true },
  };
  return (await ada.worker.call("record.sign", { kind: "policy", value })).record;
}

/** The relay tells somebody of a policy, now or when they come back, and stands by it. */
function tell(person: Person, policy: SignedRecord): void {
  person.cable.onFrame = (frame) => {
    if (frame.kind !== "event" || frame.name !== "hello") return frame;
    const body = frame.body as RelayEventInput<"hello">;
    const network = body.network === null ? null : { ...body.network, policy };
    return { ...frame, body: { ...body, network } };
  };
  person.cable.deliver({ kind: "event", name: "policy.changed", body: { policy } });
}

async function encryptionOf(person: Person) {
  const { conversation } = await person.client.commands["conversation.open"]({
    conversationId: group,
  });
  return conversation.encryption;
}

function isIn(person: Person, suite: SuiteName): Promise<void> {
  return until(`${person.name} is in ${suite}`, async () => {
    return (await encryptionOf(person)).suite === suite;
  });
}

function hasKeys(person: Person, suite: SuiteName): Promise<void> {
  return until(`${person.name} has published keys`, () => {
    return readFact(person.vault, "keyPackageSuite") === suite;
  });
}

/** Everybody reads everybody, and nothing was lost on the way. */
async function everybodyReads(word: string): Promise<void> {
  const everybody = [ada, ben, cem];
  for (const person of everybody) await person.say(group, `${word} ${person.name}`);
  for (const person of everybody) {
    for (const { name } of everybody) await person.sees(group, `${word} ${name}`);
  }
  const views = await Promise.all(everybody.map(encryptionOf));
  expect(new Set(views.map(({ epochAuthenticator }) => epochAuthenticator)).size).toBe(1);
  expect(views).toMatchObject(
    everybody.map(() => ({ unopenableCount: 0, doubtful: false, nextSuite: null })),
  );
}

test("a conversation goes over with its people, roles and history, and says so", async () => {
  const { epoch, suite } = await encryptionOf(ada);
  expect(suite).toBe(suiteNames.default);
  const policy = await signPolicy(p256);
  for (const person of [ada, ben, cem]) tell(person, policy);
  for (const person of [ada, ben, cem]) await isIn(person, p256);
  expect(await encryptionOf(cem)).toMatchObject({ epoch: epoch + 1 });
  await everybodyReads("after, says");
  for (const person of [ada, ben, cem]) {
    expect(person.texts(group)[0]).toBe("Before");
    expect(person.lines(group).filter((kind) => kind === "suite")).toHaveLength(1);
  }
  // Still its administrator.
  await ada.client.commands["conversation.removeMember"]({ conversationId: group, userId: cem.userId });
  await ben.restart();
  await ben.online();
  await ben.look(group);
  await ada.say(group, "two are left");
  await ben.sees(group, "two are left");
  await ben.say(group, "yes");
  await ada.sees(group, "yes");
});

test("it waits for who is away, and goes over when they are back", async () => {
  ben.cable.unplug();
  const policy = await signPolicy(p256);
  for (const person of [ada, cem]) tell(person, policy);
  for (const person of [ada, cem]) await hasKeys(person, p256);
  await ada.say(group, "meanwhile");
  await cem.sees(group, "meanwhile");
  await until("it is said what it waits for", async () => {
    const { suite, nextSuite } = await encryptionOf(ada);
    return suite === suiteNames.default && nextSuite === p256;
  });
  tell(ben, policy);
  ben.cable.plug();
  ben.client.retryNow();
  for (const person of [ada, ben, cem]) await isIn(person, p256);
  await ben.sees(group, "meanwhile");
  await everybodyReads("whole again, says");
});

test("who was away when it went over reads on across it", async () => {
  const policy = await signPolicy(p256);
  tell(ben, policy);
  await hasKeys(ben, p256);
  await until("Ben's last resort is there, too", async () => {
    await ben.online();
    return (await encryptionOf(ben)).nextSuite === p256;
  });
  await ben.quit();
  await ada.say(group, "in the old suite");
  for (const person of [ada, cem]) tell(person, policy);
  for (const person of [ada, cem]) await isIn(person, p256);
  await ada.say(group, "in the new suite");
  await ben.open();
  await ben.online();
  await isIn(ben, p256);
  for (const text of ["in the old suite", "in the new suite"]) await ben.sees(group, text);
  await everybodyReads("all there, says");
});

test("it can go over again, and messages under way come through", async () => {
  for (const [version, suite] of [
    [2, p256],
    [3, aes128],
  ] as const) {
    const policy = await signPolicy(suite, version);
    for (const person of [ada, ben, cem]) tell(person, policy);
    const texts: string[] = [];
    for (let at = 0; (await encryptionOf(ada)).suite !== suite && at < 200; at += 1) {
      const text = `${suite} ${String(at)}`;
      texts.push(text);
      await ben.say(group, text);
    }
    for (const person of [ada, ben, cem]) {
      await isIn(person, suite);
      for (const text of texts) await person.sees(group, text);
      expect(person.texts(group)).toHaveLength(new Set(person.texts(group)).size);
    }
    await everybodyReads(`in ${suite}, says`);
  }
});
