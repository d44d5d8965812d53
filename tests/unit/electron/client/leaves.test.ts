import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeUtf8, type KeyLeaf, type MessageId } from "#protocol";
import { conversationCommands } from "../../../../electron/client/commands/conversation-commands.ts";
import type { Engine } from "../../../../electron/client/commands/engine.ts";
import { messageCommands } from "../../../../electron/client/commands/message-commands.ts";
import { addReaction, edit, recall } from "../../../../electron/client/conversations/content.ts";
import { noteSent } from "../../../../electron/client/conversations/sent.ts";
import { Changes } from "../../../../electron/client/core/changes.ts";
import { insertMessage } from "../../../../electron/client/core/insert-message.ts";
import { hourOf, sealBody } from "../../../../electron/client/core/leaves.ts";
import { Destruction } from "../../../../electron/client/ephemerality/destruction.ts";
import { Sweeper } from "../../../../electron/client/ephemerality/sweeper.ts";
import { createCoreFixture, type CoreFixture } from "../../../support/client-core.ts";

const hourMs = 3_600_000;
const name = ({ hour, leaf }: KeyLeaf): string => `${String(hour)}/${String(leaf)}`;

function leavesIn({ vault }: CoreFixture, sql: string): string[] {
  return vault
    .look(sql)
    .map(({ hour, leaf }) => name({ hour: hour as number, leaf: leaf as number }));
}

/** Leaves under which something stands, each once per owner. */
function alive(fixture: CoreFixture): string[] {
  return leavesIn(
    fixture,
    `SELECT hour, leaf FROM messages WHERE leaf IS NOT NULL
      UNION ALL SELECT draft_hour, draft_leaf FROM conversations WHERE draft_leaf IS NOT NULL
      UNION ALL SELECT hour, leaf FROM outbox WHERE alone = 1
      UNION ALL SELECT hour, leaf FROM sent WHERE alone = 1
      UNION ALL SELECT hour, leaf FROM orphans`,
  );
}

const doomed = (fixture: CoreFixture) => leavesIn(fixture, "SELECT hour, leaf FROM doomed");

async function people() {
  const fixture = await createCoreFixture();
  const { core, conversationId, peer } = fixture;
  const engine = { core, hub: { opened: () => undefined } } as unknown as Engine;
  const messages = messageCommands(engine);
  const conversations = conversationCommands(engine);

  /** A message of the other person, as if it had come out of the log. */
  const receive = async (lifeMs: number, burnSeconds: number | null = null): Promise<MessageId> => {
    const messageId = core.localId();
    const changes = new Changes();
    const sentAtMs = core.time.now();
    const endsAtMs = sentAtMs + lifeMs;
    const leaf = core.leaves.take(changes, endsAtMs);
    const sealed = await sealBody(core.worker, messageId, leaf, encodeUtf8("hello"));
    insertMessage(changes, {
      messageId,
      conversationId,
      order: core.nextOrder(conversationId),
      kind: "text",
      sender: peer,
      own: false,
      sentAtMs,
      end: { endsAtMs, burnSeconds, origin: "message", originSeconds: lifeMs / 1000 },
      state: null,
      sequence: 1,
      epoch: 1,
      body: { leaf, sealed },
      replyTo: null,
      code: null,
      owed: 0,
    });
    await core.commit(changes);
    return messageId;
  };
  const say = async (text = "hello"): Promise<MessageId> => {
    const params = { conversationId, text, replyTo: null, timers: null };
    return (await messages["message.send"](params)).messageId;
  };
  /** The relay takes everything that waits. */
  const deliver = async (): Promise<void> => {
    const conversation = core.store.ensureConversation(conversationId);
    for (;;) {
      const item = core.store.outboxNext(conversationId, core.time.now());
      if (item === undefined) return;
      const changes = new Changes();
      noteSent(core, changes, { conversation, item, sequence: 1, epoch: 1, receivedAtMs: 0 });
      if (item.kind === "drop") changes.write("outbox.delete", item.itemId);
      await core.commit(changes);
    }
  };
  const sweep = async (): Promise<void> => {
    core.time.agree(fixture.clock.now());
    const destruction = new Destruction(core);
    // What is doomed stays to be looked at.
    destruction.hold();
    const sweeper = new Sweeper(core, destruction);
    sweeper.look();
    await sweeper.close();
  };
  const target = (messageId: MessageId) => core.store.message(messageId)!;
  return { ...fixture, messages, conversations, receive, say, deliver, sweep, target };
}

describe("leaves", () => {
  test("are given out densely per bucket, each once, transactions under way included", async () => {
    const { core, clock } = await people();
    const endsAtMs = clock.now() + hourMs;
    const [first, second] = [new Changes(), new Changes()];
    expect(core.leaves.take(first, endsAtMs).leaf).toBe(0);
    expect(core.leaves.take(second, endsAtMs).leaf).toBe(1);
    expect(core.leaves.take(first, endsAtMs).leaf).toBe(2);
    expect(core.leaves.take(first, endsAtMs + hourMs).leaf).toBe(0);
    await core.commit(second);
    expect(core.leaves.take(second, endsAtMs).leaf).toBe(3);
  });

  test("are not given out again after a transaction that failed, nor after a restart", async () => {
    const { core, vault, clock } = await people();
    const endsAtMs = clock.now() + hourMs;
    const failing = new Changes();
    core.leaves.take(failing, endsAtMs);
    vault.failures = ["internal"];
    await expect(core.commit(failing)).rejects.toMatchObject({ code: "internal" });
    const changes = new Changes();
    const used = core.leaves.take(changes, endsAtMs);
    expect(used.leaf).toBe(1);
    await core.commit(changes);
    expect(core.store.ends.leavesOf(used.hour)).toBe(2);
  });

  test("of a bucket that is gone come from the first one that isn't", async () => {
    const { core, clock } = await people();
    const dropping = new Changes();
    const hour = hourOf(clock.now()) + 100;
    core.leaves.drop(dropping, hour);
    await core.commit(dropping);
    const changes = new Changes();
    expect(core.leaves.take(changes, clock.now() + hourMs)).toEqual({ hour, leaf: 0 });
    expect(core.leaves.take(changes, clock.now() + 200 * hourMs).hour).toBe(
      hourOf(clock.now() + 200 * hourMs),
    );
  });
});

describe("a leaf is doomed", () => {
  test("when its message ends, burns, is deleted here, or goes with its conversation", async () => {
    const at = await people();
    const { core, clock, conversationId } = at;
    const [ending, burning, deleted, last] = [
      await at.receive(hourMs),
      await at.receive(50 * hourMs, 60),
      await at.receive(60 * hourMs),
      await at.receive(70 * hourMs),
    ];
    const leaf = (id: MessageId) => name(at.target(id).leaf!);
    const leaves = [ending, burning, deleted, last].map(leaf);
    await at.messages["message.deleteForMe"]({ conversationId, messageId: deleted });
    expect(doomed(at)).toEqual([leaves[2]]);
    await at.messages["message.reveal"]({ conversationId, messageId: burning });
    await at.deliver();
    clock.advance(120_000);
    await at.sweep();
    expect(doomed(at)).toContain(leaves[1]);
    clock.advance(2 * hourMs);
    await at.sweep();
    expect(doomed(at)).toContain(leaves[0]);
    expect(doomed(at)).not.toContain(leaves[3]);
    await at.conversations["conversation.delete"]({ conversationId });
    expect(doomed(at)).toContain(leaves[3]);
    expect(alive(at)).toEqual([]);
    expect(core.store.ends.dooms()).toBe("pressing");
  });

  test("when its message is recalled, here or by its sender, and never by an edit or a reaction", async () => {
    const at = await people();
    const { core, conversationId } = at;
    const own = await at.say();
    const theirs = await at.receive(hourMs);
    await at.deliver();
    await at.messages["message.edit"]({ conversationId, messageId: own, text: "corrected" });
    await at.messages["message.react"]({
      conversationId,
      messageId: theirs,
      emoji: "👍",
      on: true,
    });
    await at.messages["message.react"]({
      conversationId,
      messageId: theirs,
      emoji: "👍",
      on: false,
    });
    await at.deliver();
    expect(doomed(at)).toEqual([]);
    const leaves = [own, theirs].map((id) => name(at.target(id).leaf!));
    await at.messages["message.recall"]({ conversationId, messageId: own });
    const changes = new Changes();
    recall(core, changes, at.target(theirs));
    await core.commit(changes);
    expect(doomed(at)).toEqual(leaves);
    // What was on its way to them finds nothing to be put into.
    expect(at.target(own)).toMatchObject({ body: null, leaf: null });
  });

  test("when its draft is replaced, and that has time", async () => {
    const at = await people();
    const { core, conversationId } = at;
    await at.conversations["conversation.saveDraft"]({ conversationId, text: "I" });
    const [first] = alive(at);
    await at.conversations["conversation.saveDraft"]({ conversationId, text: "I th" });
    expect(doomed(at)).toEqual([first]);
    expect(core.store.ends.dooms()).toBe("waiting");
    await at.conversations["conversation.saveDraft"]({ conversationId, text: "" });
    expect(doomed(at)).toHaveLength(2);
    expect(alive(at)).toEqual([]);
  });

  test("an edit or a reaction that comes after a recall leaves no body behind", async () => {
    const at = await people();
    const { core } = at;
    const before = at.target(await at.receive(hourMs));
    const [late, reacting, recalling] = [new Changes(), new Changes(), new Changes()];
    await edit(core, late, before, { markdown: "too late", sequence: 2 });
    await addReaction(core, reacting, before, {
      reactionId: core.localId(),
      sender: at.peer,
      emoji: "👍",
      sentAtMs: 0,
    });
    recall(core, recalling, before);
    await core.commit(recalling);
    await core.commit(late);
    await core.commit(reacting);
    expect(at.target(before.messageId).body).toBeNull();
    expect(at.vault.look("SELECT * FROM reactions")).toEqual([]);
  });

  test("in whatever order things happen: each stored leaf is one owner's, and doomed once when that is gone", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("receive"), hours: fc.integer({ min: 1, max: 5 }) }),
      ...["say", "edit", "react", "recall", "delete", "draft", "clear", "deliver", "fail"].map(
        (kind) => fc.record({ kind: fc.constant(kind), hours: fc.nat(20) }),
      ),
      fc.record({ kind: fc.constant("pass"), hours: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ kind: fc.constant("conversation"), hours: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const at = await people();
        const { conversationId } = at;
        const ids: MessageId[] = [];
        const stored = new Set<string>();
        for (const { kind, hours } of steps) {
          const messageId = ids[hours % Math.max(ids.length, 1)] ?? ("none" as MessageId);
          const target = { conversationId, messageId };
          const done = async (): Promise<unknown> => {
            switch (kind) {
              case "receive":
                return ids.push(await at.receive(hours * hourMs));
              case "say":
                return ids.push(await at.say());
              case "edit":
                return at.messages["message.edit"]({ ...target, text: "corrected" });
              case "react":
                return at.messages["message.react"]({
                  ...target,
                  emoji: "👍",
                  on: hours % 2 === 0,
                });
              case "recall":
                return at.messages["message.recall"](target);
              case "delete":
                return at.messages["message.deleteForMe"](target);
              case "draft":
              case "clear": {
                const text = kind === "draft" ? "I th" : "";
                return at.conversations["conversation.saveDraft"]({ conversationId, text });
              }
              case "conversation":
                return at.conversations["conversation.delete"]({ conversationId });
              case "fail":
                at.vault.failures = ["internal"];
                return at.say();
              case "deliver":
                return at.deliver();
              default:
                at.clock.advance(hours * hourMs);
                return at.sweep();
            }
          };
          // What isn't allowed, or meets a failure made to order, changes nothing.
          await Promise.try(done).catch(() => undefined);
          at.vault.failures = [];
          const [now, gone] = [alive(at), doomed(at)];
          for (const leaf of now) stored.add(leaf);
          expect(new Set(now).size).toBe(now.length);
          expect(new Set(gone).size).toBe(gone.length);
          expect([...now, ...gone].toSorted()).toEqual([...stored].toSorted());
        }
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});

describe("destruction", () => {
  const doom = async (at: Awaited<ReturnType<typeof people>>, count = 1) => {
    const { core } = at;
    const before = doomed(at).length;
    for (let index = 0; index < count; index += 1) {
      const messageId = await at.receive(hourMs * (index + 1));
      const { conversationId } = at;
      await at.messages["message.deleteForMe"]({ conversationId, messageId });
    }
    expect(doomed(at)).toHaveLength(before + count);
    return core.store.ends.doomed().leaves;
  };
  const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

  test("follows within a second, once for all that went together, and then forgets the leaves", async () => {
    const at = await people();
    const destruction = new Destruction(at.core);
    at.core.onCommitted(() => {
      destruction.follow();
    });
    const leaves = await doom(at, 3);
    at.clock.advance(1000);
    await settled();
    expect(at.vault.destroyed).toEqual([{ leaves, hoursBefore: hourOf(at.clock.now()) }]);
    expect(doomed(at)).toEqual([]);
    at.clock.advance(3_600_000);
    await settled();
    expect(at.vault.destroyed).toHaveLength(1);
  });

  test("comes at once after a rest, and once for what follows within half a second", async () => {
    const at = await people();
    const destruction = new Destruction(at.core);
    at.core.onCommitted(() => {
      destruction.follow();
    });
    const first = await doom(at);
    at.clock.advance(0);
    await settled();
    expect(at.vault.destroyed.map(({ leaves }) => leaves)).toEqual([first]);
    const later = [...(await doom(at)), ...(await doom(at)).slice(1)];
    at.clock.advance(499);
    await settled();
    expect(at.vault.destroyed).toHaveLength(1);
    at.clock.advance(1);
    await settled();
    expect(at.vault.destroyed.map(({ leaves }) => leaves)).toEqual([first, later]);
  });

  test("waits no longer when the clock was set back", async () => {
    const at = await people();
    const destruction = new Destruction(at.core);
    await doom(at);
    await destruction.now();
    at.clock.advance(-10 * hourMs);
    at.core.onCommitted(() => {
      destruction.follow();
    });
    await doom(at);
    at.clock.advance(500);
    await settled();
    expect(at.vault.destroyed).toHaveLength(2);
  });

  test("of drafts comes within a minute", async () => {
    const at = await people();
    const destruction = new Destruction(at.core);
    at.core.onCommitted(() => {
      destruction.follow();
    });
    for (const text of ["a", "ab", "abc"]) {
      await at.conversations["conversation.saveDraft"]({ conversationId: at.conversationId, text });
    }
    at.clock.advance(30_000);
    await settled();
    expect(at.vault.destroyed).toEqual([]);
    at.clock.advance(30_000);
    await settled();
    expect(at.vault.destroyed[0]?.leaves).toHaveLength(2);
  });

  test("takes what had time as well when Sotto ends", async () => {
    const at = await people();
    const { conversationId } = at;
    const destruction = new Destruction(at.core);
    for (const text of ["I", ""]) {
      await at.conversations["conversation.saveDraft"]({ conversationId, text });
    }
    await destruction.close();
    expect(at.vault.destroyed[0]?.leaves).toHaveLength(1);
    expect(doomed(at)).toEqual([]);
  });

  test("takes whole buckets that are over, not their leaves, and notes that before", async () => {
    const at = await people();
    const [first] = await doom(at);
    at.clock.advance(3 * hourMs);
    at.core.time.agree(at.clock.now());
    const hour = hourOf(at.clock.now());
    expect(first!.hour).toBeLessThan(hour);
    at.vault.failures = [null, "keychain-timeout"];
    const destruction = new Destruction(at.core);
    await destruction.now();
    expect(at.core.leaves.droppedBefore).toBe(hour);
    await destruction.now();
    expect(at.vault.destroyed).toEqual([{ leaves: [], hoursBefore: hour }]);
    expect(at.vault.look(`SELECT * FROM key_buckets WHERE hour < ${String(hour)}`)).toEqual([]);
  });

  test.each(["keychain-timeout", "disk-full"] as const)(
    "that fails (%s) is done again, and at the next start if there is no time",
    async (code) => {
      const at = await people();
      const leaves = await doom(at, 2);
      const destruction = new Destruction(at.core);
      at.vault.failures = [null, code];
      await destruction.now();
      expect(doomed(at)).toHaveLength(2);
      at.clock.advance(5000);
      await settled();
      expect(at.vault.destroyed.map((request) => request.leaves)).toEqual([leaves]);
      expect(doomed(at)).toEqual([]);
      await doom(at);
      at.vault.failures = [code];
      await destruction.close();
      expect(doomed(at)).toHaveLength(1);
      await new Destruction(at.core).now();
      expect(doomed(at)).toEqual([]);
    },
  );

  test("loses nothing when it stops between the destruction and its note", async () => {
    const at = await people();
    await doom(at);
    // The note is what fails: as if the computer had stopped there.
    at.vault.failures = [null, null, "vault-write-failed"];
    await new Destruction(at.core).now();
    expect(at.vault.destroyed).toHaveLength(1);
    expect(doomed(at)).toHaveLength(1);
    await new Destruction(at.core).now();
    expect(at.vault.destroyed).toHaveLength(2);
    expect(doomed(at)).toEqual([]);
  });
});
