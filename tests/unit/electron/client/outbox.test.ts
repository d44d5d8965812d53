import { expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import { Outbox } from "../../../../electron/client/conversations/outbox.ts";
import { KeyedQueue } from "../../../../electron/client/core/keyed-queue.ts";

const conversationId = "conversation" as ConversationId;

/** An outbox with nothing in it, and how often it has looked. */
function emptyOutbox(): { readonly outbox: Outbox; readonly looks: () => number } {
  let looks = 0;
  const core = {
    closed: false,
    online: true,
    groupQueue: new KeyedQueue<ConversationId>(),
    store: {
      conversation: () => {
        looks += 1;
      },
    },
  };
  // As much as it takes to find that there is nothing to do.
  const outbox = new Outbox(core as never, {} as never, {} as never);
  return { outbox, looks: () => looks };
}

test("a kick is never lost, at whatever moment of an earlier one's end it comes", async () => {
  for (let moment = 0; moment < 30; moment += 1) {
    const { outbox, looks } = emptyOutbox();
    outbox.kick(conversationId);
    for (let passed = 0; passed < moment; passed += 1) await Promise.resolve();
    const before = looks();
    outbox.kick(conversationId);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(looks(), `after ${String(moment)} turns`).toBeGreaterThan(before);
  }
});
