import { describe, expect, test } from "vitest";
import { encodeUtf8, type BlobId, type MessageId } from "#protocol";
import { Changes } from "../../../../electron/client/core/changes.ts";
import { insertMessage } from "../../../../electron/client/core/insert-message.ts";
import { Destruction } from "../../../../electron/client/ephemerality/destruction.ts";
import { Sweeper } from "../../../../electron/client/ephemerality/sweeper.ts";
import { createCoreFixture } from "../../../support/client-core.ts";

const count = 10_000;

type Fixture = Awaited<ReturnType<typeof createCoreFixture>>;

/** A message of somebody else's that ends then. */
function insert(
  { core, clock, conversationId, peer }: Fixture,
  changes: Changes,
  { endsAtMs, order, text }: { endsAtMs: number; order: number; text: string },
): MessageId {
  const messageId = core.localId();
  insertMessage(changes, {
    messageId,
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
    body: { leaf: core.leaves.take(changes, endsAtMs), sealed: encodeUtf8(text) },
    replyTo: null,
    code: null,
    owed: 0,
  });
  return messageId;
}

describe("ten thousand messages that end together", () => {
  // How long it takes, `npm run bench:vault` says.
  test("go in steps between which everything else has its turn, and are destroyed as one", async () => {
    const fixture = await createCoreFixture();
    const { core, vault, clock, conversationId } = fixture;
    const changes = new Changes();
    const endsAtMs = clock.now() + 1000;
    const text = "x".repeat(200);
    for (let order = 1; order <= count; order += 1) {
      insert(fixture, changes, { endsAtMs, order, text });
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
  const fixture = await createCoreFixture();
  const { core, vault, clock } = fixture;
  const changes = new Changes();
  const endsAtMs = clock.now() + 1000;
  insert(fixture, changes, { endsAtMs, order: 1, text: "a body" });
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

describe("attachments", () => {
  test("go in the sweep in which their message goes, and one that can't be removed goes later", async () => {
    const fixture = await createCoreFixture();
    const { core, vault, clock } = fixture;
    const endsAtMs = clock.now() + 1000;
    const changes = new Changes();
    const text = "a body";
    const ending = insert(fixture, changes, { endsAtMs, order: 1, text });
    const later = { endsAtMs: endsAtMs + 3_600_000, order: 2, text };
    const staying = insert(fixture, changes, later);
    const blobs = ["one", "two", "three"].map((name) => name as BlobId);
    changes.write("blob.put", blobs[0]!, ending);
    changes.write("blob.put", blobs[1]!, ending);
    changes.write("blob.put", blobs[2]!, staying);
    await core.commit(changes);
    const destruction = new Destruction(core);
    core.onCommitted(() => {
      destruction.follow();
    });
    const sweeper = new Sweeper(core, destruction);
    const settle = () => new Promise((resolve) => setTimeout(resolve, 20));
    clock.advance(1000);
    sweeper.look();
    await settle();
    // The keys go, and the time after it; then the disk refuses.
    vault.failures = [null, null, "vault-write-failed"];
    clock.advance(1000);
    await settle();
    expect(vault.destroyed).toHaveLength(1);
    expect(vault.removedBlobs).toEqual([]);
    clock.advance(60_000);
    await settle();
    expect(vault.removedBlobs.toSorted()).toEqual(["one", "two"]);
    expect(vault.look("SELECT blob_id FROM blobs")).toEqual([{ blob_id: "three" }]);
    await sweeper.close();
  });
});
