import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConversationId, MessageId } from "#protocol";
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

const recall = (messageId: MessageId) =>
  ada.client.commands["message.recall"]({ conversationId: direct, messageId });

/** Runs something in the moment in which the ciphertext of Ada's next message is about to be written to her vault. */
function asItIsSealed(run: (write: () => Promise<void>) => Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const { vault } = ada;
    const transact = vault.transact.bind(vault);
    vault.transact = async (statements) => {
      if (!statements.some(({ name }) => name === "outbox.setCiphertext")) {
        return transact(statements);
      }
      vault.transact = transact;
      await run(() => transact(statements));
      resolve();
    };
  });
}

function isRecalled(person: Person, messageId: MessageId): boolean {
  return person.shown.get(direct)?.get(messageId)?.kind === "recalled";
}

describe("a message that is recalled while it is on its way out", () => {
  test.each(["before", "while"] as const)(
    "%s its ciphertext is written isn't read by anybody",
    async (moment) => {
      const said = Promise.withResolvers<MessageId>();
      const sealed = asItIsSealed(async (write) => {
        const messageId = await said.promise;
        if (moment === "before") {
          await recall(messageId);
          await write();
        } else {
          const writing = write();
          await Promise.all([writing, recall(messageId)]);
        }
      });
      said.resolve(await ada.say(direct, "nobody is to read this"));
      await sealed;
      await ada.say(direct, "after");
      await ben.sees(direct, "after");
      expect(ben.texts(direct)).toEqual(["after"]);
      expect(ada.texts(direct)).toEqual(["after"]);
    },
  );

  test("while its answer is lost is recalled at the others, and the relay drops it", async () => {
    let lost = false;
    const drops: string[] = [];
    ada.cable.onRequest = ({ method }) => {
      if (method === "group.drop") drops.push(method);
      return true;
    };
    ada.cable.onFrame = (frame) => {
      const ordered = frame.kind === "response" && "receivedAtMs" in (frame.result as object);
      if (!ordered || lost) return lost ? null : frame;
      lost = true;
      return null;
    };
    const messageId = await ada.say(direct, "out, but who knows");
    await ben.sees(direct, "out, but who knows");
    await until("its answer was lost", () => lost);
    // It doesn't wait for the relay.
    await recall(messageId);
    await ada.kill();
    ada.cable.onFrame = null;
    await ada.open();
    await until("Ben's is recalled", () => isRecalled(ben, messageId));
    await until("the relay was told", () => drops.length > 0);
    await ada.look(direct);
    expect(isRecalled(ada, messageId)).toBe(true);
  });
});

describe("a recall that waits for the network", () => {
  test.each(["the message", "the conversation"] as const)(
    "goes out although %s is deleted here",
    async (deleted) => {
      const messageId = await ada.say(direct, "take this back");
      await ben.sees(direct, "take this back");
      await until("Ada knows its place", () => {
        const message = ada.shown.get(direct)?.get(messageId);
        return message?.kind === "text" && message.delivery?.kind !== "waiting";
      });
      const drops: string[] = [];
      ada.cable.onRequest = ({ method }) => {
        if (method === "group.drop") drops.push(method);
        return true;
      };
      ada.cable.unplug();
      await until("Ada is off line", () => ada.client.view.connection.kind === "offline");
      await recall(messageId);
      if (deleted === "the message") {
        await ada.client.commands["message.deleteForMe"]({ conversationId: direct, messageId });
      } else {
        await ada.client.commands["conversation.delete"]({ conversationId: direct });
      }
      ada.cable.plug();
      ada.client.retryNow();
      await until("Ben's is recalled", () => isRecalled(ben, messageId));
      await until("the relay was told", () => drops.length > 0);
    },
  );
});

test("what is recalled goes from the quotes of it too, on both sides", async () => {
  const messageId = await ada.say(direct, "secret");
  await ben.sees(direct, "secret");
  await ben.say(direct, "noted", { replyTo: messageId });
  await ada.sees(direct, "noted");
  const quotes = () =>
    [ada, ben].map((person) => {
      const message = person.message(direct, "noted");
      return message?.kind === "text" ? message.quote?.text : undefined;
    });
  expect(quotes()).toEqual(["secret", "secret"]);
  await recall(messageId);
  await until("the quotes are empty", () => quotes().every((text) => text === null));
});
