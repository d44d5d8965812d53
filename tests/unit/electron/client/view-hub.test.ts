import { expect, test, vi } from "vitest";
import { messageCommands } from "../../../../electron/client/commands/message-commands.ts";
import type { Engine } from "../../../../electron/client/commands/engine.ts";
import { ViewHub } from "../../../../electron/client/views/view-hub.ts";
import { createCoreFixture } from "../../../support/client-core.ts";

test("a list that is closed keeps no word of what was said", async () => {
  const { core, conversationId } = await createCoreFixture();
  // What commands about messages take of it.
  await messageCommands({ core } as Engine)["message.send"]({
    conversationId,
    text: "between us",
    replyTo: null,
    timers: null,
  });
  const hub = new ViewHub(core, () => undefined);
  await hub.begin();
  expect(JSON.stringify(hub.rows)).toContain("between us");
  await hub.close();
  expect(hub.rows).toEqual([]);
});

test("while the list is slow to make, its changes are gathered; what an open conversation shows is told at once", async () => {
  const { core, conversationId } = await createCoreFixture();
  const { store, clock } = core;
  const find = store.conversationsEnding.bind(store);
  vi.spyOn(store, "conversationsEnding").mockImplementation((...span) => {
    const untilMs = performance.now() + 50;
    while (performance.now() < untilMs);
    return find(...span);
  });
  vi.spyOn(clock, "setTimeout").mockImplementation((run, delayMs) => {
    const timer = setTimeout(run, delayMs);
    return () => {
      clearTimeout(timer);
    };
  });
  const hub = new ViewHub(core, () => undefined);
  core.onCommitted((changes) => {
    hub.follow(changes);
  });
  hub.opened(conversationId, 0);
  const told: string[] = [];
  hub.on("conversations.changed", () => void told.push("list"));
  hub.on("messages.changed", () => void told.push("messages"));
  const say = async (text: string): Promise<void> => {
    const send = messageCommands({ core } as Engine)["message.send"];
    await send({ conversationId, text, replyTo: null, timers: null });
  };
  const until = (expected: readonly string[]) =>
    vi.waitFor(
      () => {
        expect(told).toEqual(expected);
      },
      { timeout: 4000 },
    );

  await say("one");
  await until(["messages", "list"]);
  await say("two");
  await until(["messages", "list", "messages"]);
  await say("three");
  await until(["messages", "list", "messages", "messages"]);
  await until(["messages", "list", "messages", "messages", "list"]);

  // Who asks for the list gets all of it.
  await say("four");
  expect(JSON.stringify(await hub.currentRows())).toContain("four");
  await hub.close();
});
