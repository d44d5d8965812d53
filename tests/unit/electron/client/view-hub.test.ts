import { expect, test } from "vitest";
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
