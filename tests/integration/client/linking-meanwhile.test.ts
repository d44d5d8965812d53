import { afterEach, beforeEach, expect, test } from "vitest";
import type { MessageId } from "#protocol";
import { decodeHistory } from "../../../electron/client/linking/history-format.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { link } from "../../support/linking.ts";

/*
 * What happens in a conversation while its messages are on their way to a linked computer.
 */

let world: World;
let ada: Person;
/** Ada's other computer. */
let desk: Person;
let bo: Person;

beforeEach(async () => {
  world = await World.start();
  [ada, bo] = (await world.people("Ada", "Bo")) as [Person, Person];
  desk = world.person("Desk");
});
afterEach(() => world.dispose());

/** Holds up what the linked computer hears, from the first of a kind on. */
function holdUp(kind: "list" | "have") {
  const gate = Promise.withResolvers<null>();
  let isHeld = false;
  const start = world.startWorker.bind(world);
  world.startWorker = async () => {
    const worker = await start();
    const call = worker.call.bind(worker);
    worker.call = async (method, params) => {
      const result = await call(method, params);
      if (method !== "link.openMessage") return result;
      const { plain } = result as { readonly plain: Uint8Array | null };
      if (plain === null || decodeHistory(plain).kind !== kind) return result;
      isHeld = true;
      await gate.promise;
      return result;
    };
    return worker;
  };
  return {
    waits: () => until(`a ${kind} is on its way`, () => isHeld),
    release: async () => {
      gate.resolve(null);
      await until("all has come over", () => desk.client.view.history?.finished === true);
    },
  };
}

const isKept = (messageId: MessageId) => desk.vault.read("message", [messageId]).length > 0;

test("a recall, an edit and a reaction that come before their message are applied to it", async () => {
  const crew = await ada.create("group", [bo]);
  await bo.finds(crew);
  const recalled = await bo.say(crew, "recalled");
  const edited = await bo.say(crew, "edited");
  await ada.look(crew);
  await ada.sees(crew, "edited");
  // The page has both as they were said: what follows reaches the new computer before it does.
  const page = holdUp("have");
  await link(ada, desk);
  await page.waits();
  const at = { conversationId: crew };
  await bo.client.commands["message.recall"]({ ...at, messageId: recalled });
  await bo.client.commands["message.edit"]({ ...at, messageId: edited, text: "as it should be" });
  const reaction = { ...at, messageId: edited, emoji: "👍", on: true };
  await bo.client.commands["message.react"](reaction);
  await bo.say(crew, "after");
  await desk.finds(crew);
  await desk.sees(crew, "after");
  const waits = () => desk.vault.read("hasOrphans", [crew]).length > 0;
  expect(waits()).toBe(true);
  expect([recalled, edited].filter(isKept)).toEqual([]);
  await page.release();
  await until("all of it is applied", async () => {
    await desk.look(crew);
    const message = desk.message(crew, "as it should be");
    return message?.kind === "text" && message.reactions.length === 1;
  });
  expect(desk.texts(crew)).toEqual(["as it should be", "after"]);
  await until("nothing waits any more", () => !waits());
});

test("what was deleted or has burned here doesn't come back with a page", async () => {
  const crew = await ada.create("group", [bo]);
  await bo.finds(crew);
  await bo.say(crew, "before");
  await ada.look(crew);
  await ada.sees(crew, "before");
  const list = holdUp("list");
  await link(ada, desk);
  await list.waits();
  await desk.finds(crew);
  const deleted = await bo.say(crew, "deleted");
  const timers = { expirationSeconds: 3600, burnSeconds: 1 };
  const burned = await bo.say(crew, "burned", { timers });
  await until("both are here", () => [deleted, burned].every(isKept));
  const at = { conversationId: crew };
  await desk.client.commands["message.deleteForMe"]({ ...at, messageId: deleted });
  await desk.client.commands["message.reveal"]({ ...at, messageId: burned });
  await until("both are gone", () => ![deleted, burned].some(isKept));
  await ada.sees(crew, "deleted");
  await list.release();
  await desk.look(crew);
  expect(desk.texts(crew)).toContain("before");
  expect([deleted, burned].filter(isKept)).toEqual([]);
});

test("a conversation that was deleted here isn't filled again", async () => {
  const direct = await ada.create("direct", [bo]);
  await bo.finds(direct);
  const before = await bo.say(direct, "before");
  await ada.look(direct);
  await ada.sees(direct, "before");
  const page = holdUp("have");
  await link(ada, desk);
  await page.waits();
  await desk.client.commands["conversation.delete"]({ conversationId: direct });
  await page.release();
  expect(isKept(before)).toBe(false);
  await bo.say(direct, "again");
  await desk.finds(direct);
  await desk.sees(direct, "again");
  expect(desk.texts(direct)).toEqual(["again"]);
});
