import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";

/*
 * A device that was put back from an older copy throws its key packages away. Somebody may have claimed one before, and adds it by that afterwards: nobody can
 * open that Welcome any more. The roster has the device, so it comes in from outside.
 */

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

/** Ben's vault is an older copy. @returns when that is mended, and nothing more is looked for */
async function putBack(): Promise<void> {
  await ben.quit();
  const restore = ben.copyVault();
  await ben.open();
  await ben.online();
  await ben.restart();
  await ben.online();
  await ben.quit();
  restore("folder-and-keychain");
  await ben.open();
  await ben.online();
  expect(ben.client.rejoining).not.toBeNull();
  await until("it is mended", () => readFact(ben.vault, "rollback") === undefined);
}

/**
 * Ada adds Ben by a key package that she claimed before his vault was put back.
 *
 * @returns once she is off line and her commit waits: the conversation, when it is there
 */
async function addByOldKeyPackage(): Promise<{ readonly creating: Promise<ConversationId> }> {
  let held = false;
  ada.cable.onRequest = ({ method }) => {
    if (method !== "group.commit") return true;
    held = true;
    return false;
  };
  const creating = ada.create("group", [ben]);
  await until("Ada's commit is under way", () => held);
  await putBack();
  ada.cable.onRequest = null;
  ada.cable.unplug();
  await until("Ada is off line", () => ada.client.view.connection.kind === "offline");
  return { creating };
}

async function plugAda(): Promise<void> {
  ada.cable.plug();
  ada.client.retryNow();
  await ada.online();
}

async function talk(conversationId: ConversationId): Promise<void> {
  await ada.look(conversationId);
  for (const [from, to] of [
    [ben, ada],
    [ada, ben],
  ] as const) {
    await from.say(conversationId, `from ${from.name}`);
    await to.sees(conversationId, `from ${from.name}`);
  }
}

test("a device whose key package is gone comes in from outside, and tries again while it can't", async () => {
  const { creating } = await addByOldKeyPackage();
  const asked = new Set<number>();
  ben.cable.onRequest = ({ id, method }) => {
    if (method === "group.info") asked.add(id);
    return true;
  };
  let failures = 0;
  ben.cable.onFrame = (frame) => {
    if (frame.kind !== "response" || !asked.has(frame.id) || failures === 2) return frame;
    failures += 1;
    return { kind: "failure", id: frame.id, error: { code: "internal" } };
  };
  await plugAda();
  const group = await creating;
  await ben.finds(group);
  expect(failures).toBe(2);
  expect(ben.lines(group)).toEqual(["restored"]);
  await talk(group);
  expect(ben.vault.read("emptyWelcomes")).toEqual([]);
});

test("it isn't forgotten when Sotto is killed in between", async () => {
  const { creating } = await addByOldKeyPackage();
  let asks = 0;
  ben.cable.onRequest = ({ method }) => {
    if (method === "group.info") asks += 1;
    return method !== "group.info";
  };
  await plugAda();
  await until("Ben asks how to come in", () => asks > 0);
  await ben.kill();
  ben.cable.onRequest = null;
  await ben.open();
  await ben.online();
  const group = await creating;
  await ben.finds(group);
  await talk(group);
});

test.each(["nobody's", "spoilt"] as const)("a Welcome that is %s leads nowhere", async (how) => {
  const methods: string[] = [];
  ben.cable.onRequest = ({ method }) => {
    methods.push(method);
    return true;
  };
  ben.cable.onFrame = (frame) => {
    if (frame.kind !== "event" || frame.name !== "inbox.entry") return frame;
    const body = frame.body as { readonly bytes: Uint8Array };
    const bytes =
      how === "spoilt" ? body.bytes.with(-1, body.bytes.at(-1)! ^ 1) : body.bytes.slice(0, 40);
    return { ...frame, body: { ...body, bytes } };
  };
  await ada.create("group", [ben]);
  await until("Ben has judged it", () => methods.includes("inbox.acknowledge"));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(methods).not.toContain("group.info");
  expect(await ben.client.commands["conversations.list"]({})).toEqual([]);
});
