import { afterEach, beforeEach, expect, test } from "vitest";
import { suiteNames, type ConversationId, type RelayEventInput } from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";

const suite = suiteNames.p256;

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

/** The administrator decides; the relay tells everybody when they come back. */
async function choosePolicySuite(): Promise<void> {
  const { networkId, name } = ada.client.view.network;
  await ada.loadNetworkKey();
  const { record: policy } = await ada.worker.call("record.sign", {
    kind: "policy",
    value: {
      networkId,
      networkName: name,
      version: 2,
      issuedAtMs: Date.now(),
      maxExpirationSeconds: 3600,
      defaultExpirationSeconds: 3600,
      membersMayInvite: true,
      suite,
    },
  });
  for (const person of [ada, ben]) {
    person.cable.onFrame = (frame) => {
      if (frame.kind !== "event" || frame.name !== "hello") return frame;
      const body = frame.body as RelayEventInput<"hello">;
      const network = body.network === null ? null : { ...body.network, policy };
      return { ...frame, body: { ...body, network } };
    };
    await person.reconnect();
  }
}

async function suiteOf(person: Person, conversationId: ConversationId): Promise<string> {
  const messageId = await person.say(conversationId, "which suite?");
  const info = await person.client.commands["message.info"]({ conversationId, messageId });
  return info.suite;
}

test("new conversations are of the policy's suite", async () => {
  await choosePolicySuite();
  for (const person of [ada, ben]) {
    await until(`${person.name} has published key packages of the suite`, () => {
      return readFact(person.vault, "keyPackageSuite") === suite;
    });
  }
  const after = await ada.create("group", [ben], { name: "By the book" });
  await ada.look(after);
  await ben.finds(after);
  await ben.say(after, "Hello");
  await ada.sees(after, "Hello");
  expect(await suiteOf(ada, after)).toBe(suite);
  await ben.restart();
  await ben.online();
  await ada.say(after, "Still there?");
  await ben.look(after);
  await ben.sees(after, "Still there?");
});
