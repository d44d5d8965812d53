import { afterEach, beforeEach, expect, test } from "vitest";
import { suiteNames, type ConversationId } from "#protocol";
import { until, type Person } from "../../support/client-world.ts";
import { ThreePeople } from "../../support/policy-suite.ts";

// The network's policy names another suite: conversations that are there already go over to it (docs/adr/0027).

const { p256, aes128 } = suiteNames;

let three: ThreePeople;
let ada: Person;
let ben: Person;
let cem: Person;
let group: ConversationId;

beforeEach(async () => {
  three = await ThreePeople.start();
  [ada, ben, cem] = three.everybody;
  group = three.group;
});
afterEach(async () => {
  await three.world.dispose();
});

test("a conversation goes over with its people, roles and history, and says so", async () => {
  const { epoch, suite } = await three.encryptionOf(ada);
  expect(suite).toBe(suiteNames.default);
  await three.choose(p256);
  for (const person of [ada, ben, cem]) await three.isIn(person, p256);
  expect(await three.encryptionOf(cem)).toMatchObject({ epoch: epoch + 1 });
  await three.everybodyReads("after, says");
  await three.nothingWasLost();
  for (const person of [ada, ben, cem]) {
    expect(person.texts(group)[0]).toBe("Before");
    expect(person.lines(group).filter((kind) => kind === "suite")).toHaveLength(1);
  }
  // Still its administrator.
  await ada.client.commands["conversation.removeMember"]({
    conversationId: group,
    userId: cem.userId,
  });
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
  await three.choose(p256);
  for (const person of [ada, cem]) await three.hasKeys(person, p256);
  await ada.say(group, "meanwhile");
  await cem.sees(group, "meanwhile");
  await until("it is said what it waits for", async () => {
    const { suite, nextSuite, awaited } = await three.encryptionOf(ada);
    const [device] = awaited;
    return suite === suiteNames.default && nextSuite === p256 && device?.displayName === "Ben";
  });
  ben.cable.plug();
  ben.client.retryNow();
  for (const person of [ada, ben, cem]) await three.isIn(person, p256);
  await ben.sees(group, "meanwhile");
  await three.everybodyReads("whole again, says");
  await three.nothingWasLost();
});

test("nobody can be added while it waits, which is said", async () => {
  cem.cable.unplug();
  await three.choose(p256);
  const dan = await three.world.person("Dan").join(await three.world.invite(ada));
  await three.hasKeys(dan, p256);
  const add = () =>
    ada.client.commands["conversation.addMembers"]({ conversationId: group, people: [dan.userId] });
  await expect(add()).rejects.toMatchObject({ code: "suite-outdated" });
  cem.cable.plug();
  cem.client.retryNow();
  await three.isIn(ada, p256);
  await add();
  await dan.finds(group);
});

test("who was away when it went over reads on across it", async () => {
  cem.cable.unplug();
  await three.choose(p256);
  await three.hasKeys(ben, p256);
  await ben.quit();
  await ada.say(group, "in the old suite");
  cem.cable.plug();
  cem.client.retryNow();
  for (const person of [ada, cem]) await three.isIn(person, p256);
  await ada.say(group, "in the new suite");
  await ben.open();
  await ben.online();
  await three.isIn(ben, p256);
  for (const text of ["in the old suite", "in the new suite"]) await ben.sees(group, text);
  await three.everybodyReads("all there, says");
  await three.nothingWasLost();
});

test("it can go over again, and messages under way come through", async () => {
  for (const suite of [p256, aes128]) {
    await three.choose(suite);
    const texts: string[] = [];
    for (let at = 0; (await three.encryptionOf(ada)).suite !== suite && at < 200; at += 1) {
      const text = `${suite} ${String(at)}`;
      texts.push(text);
      await ben.say(group, text);
    }
    for (const person of [ada, ben, cem]) {
      await three.isIn(person, suite);
      for (const text of texts) await person.sees(group, text);
      expect(person.texts(group)).toHaveLength(new Set(person.texts(group)).size);
    }
    await three.everybodyReads(`in ${suite}, says`);
    await three.nothingWasLost();
  }
});
