import { expect, test, vi } from "vitest";
import { messageCommands } from "../../../../electron/client/commands/message-commands.ts";
import type { Engine } from "../../../../electron/client/commands/engine.ts";
import { Changes } from "../../../../electron/client/core/changes.ts";
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

test("while telling is slow, what changes is gathered; a single change is told at once", async () => {
  const { core, conversationId } = await createCoreFixture();
  const { store, clock } = core;
  const find = store.conversationsEnding.bind(store);
  vi.spyOn(store, "conversationsEnding").mockImplementation((...span) => {
    const untilMs = performance.now() + 20;
    while (performance.now() < untilMs);
    return find(...span);
  });
  const delays: number[] = [];
  vi.spyOn(clock, "setTimeout").mockImplementation((run, delayMs) => {
    delays.push(delayMs);
    const timer = setTimeout(run, delayMs);
    return () => {
      clearTimeout(timer);
    };
  });
  const hub = new ViewHub(core, () => undefined);
  let told = 0;
  hub.on("conversations.changed", () => void (told += 1));
  for (const expected of [1, 2]) {
    const changes = new Changes();
    changes.touch(conversationId);
    hub.follow(changes);
    await vi.waitFor(() => {
      expect(told).toBe(expected);
    });
  }
  const [first, second] = delays;
  expect(first).toBe(0);
  expect(second).toBeGreaterThanOrEqual(60);
  await hub.close();
});
