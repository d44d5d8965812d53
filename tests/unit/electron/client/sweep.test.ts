import { describe, expect, test } from "vitest";
import { encodeUtf8, type MessageId } from "#protocol";
import { Changes } from "../../../../electron/client/core/changes.ts";
import { insertMessage } from "../../../../electron/client/core/insert-message.ts";
import { Destruction } from "../../../../electron/client/ephemerality/destruction.ts";
import { Sweeper } from "../../../../electron/client/ephemerality/sweeper.ts";
import { createCoreFixture } from "../../../support/client-core.ts";

const count = 10_000;

describe("ten thousand messages that end together", () => {
  // How long it takes, `npm run bench:vault` says.
  test("go in steps between which everything else has its turn, and are destroyed as one", async () => {
    const { core, vault, clock, conversationId, peer } = await createCoreFixture();
    const changes = new Changes();
    const endsAtMs = clock.now() + 1000;
    const sealed = encodeUtf8("x".repeat(200));
    for (let order = 1; order <= count; order += 1) {
      insertMessage(changes, {
        messageId: core.localId(),
        conversationId,
        order,
        kind: "text",
        sender: peer,
        own: false,
        sentAtMs: clock.now(),
        end: { endsAtMs, burnSeconds: null, origin: "message", originSeconds: 1 },
        state: null,
        sequence: order,
        epoch: 1,
        body: { leaf: core.leaves.take(changes, endsAtMs), sealed },
        replyTo: null,
        code: null,
        owed: 0,
      });
    }
    await core.commit(changes);
    const destruction = new Destruction(core);
    const sweeper = new Sweeper(core, destruction);
    const removed = new Set<MessageId>();
    const steps: number[] = [];
    core.onCommitted((committed) => {
      destruction.follow();
      const gone = committed.conversations.get(conversationId)?.removed ?? [];
      for (const messageId of gone) removed.add(messageId);
      steps.push(committed.statements.length);
    });
    clock.advance(1000);
    sweeper.look();
    await sweeper.close();
    expect(removed.size).toBe(count);
    expect(vault.look("SELECT count(*) AS count FROM messages")).toEqual([{ count: 0 }]);
    // Statements by set: none of them is of one message.
    expect(Math.max(...steps)).toBeLessThan(20);
    expect(steps.length).toBeGreaterThan(4);
    clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(vault.destroyed).toHaveLength(1);
    expect(vault.destroyed[0]?.leaves).toHaveLength(count);
  }, 60_000);
});

test("what the worker's clock, a moment ahead, has called ended is destroyed when that moment is over", async () => {
  const { core, vault, clock, conversationId, peer } = await createCoreFixture();
  const changes = new Changes();
  const endsAtMs = clock.now() + 1000;
  insertMessage(changes, {
    messageId: core.localId(),
    conversationId,
    order: 1,
    kind: "text",
    sender: peer,
    own: false,
    sentAtMs: clock.now(),
    end: { endsAtMs, burnSeconds: null, origin: "message", originSeconds: 1 },
    state: null,
    sequence: 1,
    epoch: 1,
    body: { leaf: core.leaves.take(changes, endsAtMs), sealed: encodeUtf8("a body") },
    replyTo: null,
    code: null,
    owed: 0,
  });
  await core.commit(changes);
  const sweeper = new Sweeper(core, new Destruction(core));
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20));
  const left = () => vault.look("SELECT count(*) AS count FROM messages");
  clock.advance(700);
  core.time.raise(endsAtMs);
  sweeper.look();
  await settle();
  expect(left()).toEqual([{ count: 1 }]);
  clock.advance(400);
  await settle();
  expect(left()).toEqual([{ count: 0 }]);
  await sweeper.close();
});
