import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { isDoomed, leafOf } from "../../support/doomed.ts";

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
  await ada.say(direct, "one");
  await ben.sees(direct, "one");
});
afterEach(async () => {
  await world.dispose();
});

const passphrase = "correct horse battery staple";

/** Everything that Ben's client asks of his relay, in order. */
function asked(): string[] {
  const methods: string[] = [];
  ben.cable.onRequest = ({ method }) => {
    methods.push(method);
    return true;
  };
  return methods;
}

/** Ben's folder is copied, he talks on, and the copy is put back. */
async function rollBack(
  talk: () => Promise<void>,
  what: "folder" | "folder-and-keychain" = "folder-and-keychain",
): Promise<void> {
  await ben.quit();
  const putBack = ben.copyVault();
  await ben.open();
  await ben.online();
  await ben.look(direct);
  await talk();
  await ben.quit();
  putBack(what);
}

async function sayMore(): Promise<void> {
  for (const text of ["two", "three"]) {
    await ben.say(direct, text);
    await ada.sees(direct, text);
  }
  await ada.say(direct, "four");
  await ben.sees(direct, "four");
  // What Ben has is told to the relay a moment later.
  await new Promise((resolve) => setTimeout(resolve, 400));
}

/** Both can talk, and nobody misses or can't open anything from here on. */
async function talksAgain(conversationId: ConversationId): Promise<void> {
  for (const round of ["five", "six"]) {
    await ben.say(conversationId, `${round} from Ben`);
    await ada.sees(conversationId, `${round} from Ben`);
    await ada.say(conversationId, `${round} from Ada`);
    await ben.sees(conversationId, `${round} from Ada`);
  }
  const unopenable = ada.messages(conversationId).filter(({ kind }) => kind === "unopenable");
  expect(unopenable).toEqual([]);
}

describe("an older copy of the vault that was put back", () => {
  test.each(["by the log", "by the vault's sequence number"] as const)(
    "is noticed %s before anything is encrypted; the conversation is joined anew",
    async (how) => {
      await rollBack(async () => {
        await sayMore();
        if (how === "by the vault's sequence number") {
          await ben.restart();
          await ben.online();
        }
      });
      const methods = asked();
      await ben.open();
      // What is written before anybody knows must wait as well.
      await ben.look(direct);
      await ben.say(direct, "from the older copy");
      await ben.online();
      expect(ben.client.rejoining).not.toBeNull();
      await ada.sees(direct, "from the older copy");
      expect(ben.client.rejoining).toBe(0);
      expect(methods.indexOf("group.commit")).toBeGreaterThan(methods.indexOf("session.signIn"));
      expect(methods.indexOf("group.append")).toBeGreaterThan(methods.indexOf("group.commit"));
      await talksAgain(direct);
      await ben.restart();
      await ben.online();
      expect(ben.client.rejoining).toBeNull();
      await ben.look(direct);
      await ben.say(direct, "seven");
      await ada.sees(direct, "seven");
    },
  );

  test("is mended although Sotto is killed in the middle", async () => {
    const group = await ada.create("group", [ben]);
    await ada.look(group);
    await ben.finds(group);
    await rollBack(async () => {
      await ben.look(group);
      await ben.say(group, "to the group");
      await ada.sees(group, "to the group");
      await sayMore();
    });
    // The relay takes the commit; its answer is lost.
    let committed = false;
    ben.cable.onRequest = ({ method }) => {
      committed ||= method === "group.commit";
      return true;
    };
    ben.cable.onFrame = (frame) => (committed ? null : frame);
    await ben.open();
    await until("Ben has offered a commit", () => committed);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await ben.kill();
    ben.cable.onFrame = null;
    ben.cable.onRequest = null;
    await ben.open();
    expect(ben.client.rejoining).toBe(2);
    await ben.online();
    await until("both are joined anew", () => ben.client.rejoining === 0);
    await ben.look(direct);
    await ben.look(group);
    await talksAgain(direct);
    await talksAgain(group);
  });

  test("comes back into conversations that are younger than it", async () => {
    let group: ConversationId | null = null;
    await rollBack(async () => {
      group = await ada.create("group", [ben]);
      await ada.look(group);
      await ben.finds(group);
      await ben.say(group, "here");
      await ada.sees(group, "here");
      await sayMore();
    });
    await ben.open();
    await ben.online();
    await ben.finds(group!);
    await talksAgain(group!);
    // Old key packages are gone: the next conversation needs a new one.
    const other = await ada.create("group", [ben]);
    await ada.look(other);
    await ben.finds(other);
    await talksAgain(other);
  });

  test("comes back into what its person was taken out of and added to again, though the log tells of the one alone", async () => {
    const group = await ada.create("group", [ben]);
    for (const person of [ada, ben]) await person.finds(group);
    const isAbout = (params: unknown) =>
      (params as { readonly conversationId?: ConversationId }).conversationId === group;
    await rollBack(async () => {
      await ben.look(group);
      // The relay never hears that Ben has read of it, and keeps it for him.
      ben.cable.onRequest = ({ method, params }) =>
        method !== "group.acknowledge" || !isAbout(params);
      const { commands } = ada.client;
      await commands["conversation.removeMember"]({ conversationId: group, userId: ben.userId });
      await until("Ben is out", () => ben.lines(group).includes("removed"));
      await commands["conversation.addMembers"]({ conversationId: group, people: [ben.userId] });
      await ada.say(group, "back");
      await ben.sees(group, "back");
      await sayMore();
    });
    // The first time, the relay has no answer.
    let asking = 0;
    ben.cable.onRequest = ({ id, method, params }) => {
      if (asking === 0 && method === "group.info" && isAbout(params)) asking = id;
      return true;
    };
    ben.cable.onFrame = (frame) =>
      frame.kind === "response" && frame.id === asking
        ? { kind: "failure", id: asking, error: { code: "internal" } }
        : frame;
    await ben.open();
    await ben.online();
    await ben.look(group);
    await until("Ben reads that he was out", () => ben.lines(group).includes("removed"));
    await until("Ben is back", () => ben.lines(group).includes("restored"));
    await talksAgain(group);
  });

  test("doesn't come back into what its person had left as the last one there", async () => {
    const group = await ben.create("group", [ada]);
    for (const person of [ada, ben]) await person.finds(group);
    await ada.client.commands["conversation.leave"]({ conversationId: group });
    const stateOf = (person: Person) => person.vault.read("conversation", [group])[0]?.["state"];
    await until("Ada has left", () => stateOf(ada) === "left" && ben.lines(group).includes("left"));
    await ben.client.commands["conversation.leave"]({ conversationId: group });
    await until("Ben has left", () => stateOf(ben) === "left");
    await rollBack(sayMore);
    await ben.open();
    await ben.online();
    expect(ben.client.rejoining).not.toBeNull();
    await until("it is mended", () => readFact(ben.vault, "rollback") === undefined);
    expect(stateOf(ben)).toBe("left");
    await ben.look(direct);
    await talksAgain(direct);
  });

  test("what somebody said meanwhile, and no copy of the vault ever had, is read", async () => {
    await rollBack(sayMore);
    await ada.say(direct, "while Ben was away");
    await ben.open();
    await ben.online();
    await ben.look(direct);
    await ben.sees(direct, "while Ben was away");
    await talksAgain(direct);
  });

  test("is opened by the passphrase when the keychain knows better, and mended", async () => {
    await ben.vault.setSlot({ kind: "passphrase", passphrase });
    await rollBack(async () => {
      await ben.say(direct, "two");
      await ada.sees(direct, "two");
      const messageId = ben.message(direct, "two")!.messageId;
      // Two keyrings further: the keychain has neither key of the copy.
      for (const id of [messageId, ben.message(direct, "one")!.messageId]) {
        const leaf = leafOf(ben, id);
        await ben.client.commands["message.deleteForMe"]({ conversationId: direct, messageId: id });
        await until("its key is destroyed", () => !isDoomed(ben, leaf));
      }
    }, "folder");
    await expect(ben.open()).rejects.toMatchObject({ code: "vault-rolled-back" });
    await ben.open({ unlockWith: { kind: "passphrase", passphrase } });
    expect(ben.client.rejoining).toBe(1);
    await ben.online();
    await until("it is joined anew", () => ben.client.rejoining === 0);
    await ben.look(direct);
    await talksAgain(direct);
    await ben.restart();
  });
});
