import { describe, expect, test } from "vitest";
import type { ConversationId, MessageId } from "#protocol";
import { clientCatalogue } from "../../../../electron/client/index.ts";
import { Changes } from "../../../../electron/client/core/changes.ts";
import { KeyedQueue } from "../../../../electron/client/core/keyed-queue.ts";
import { TimeKeeper } from "../../../../electron/client/core/time-keeper.ts";

describe("the queue per conversation", () => {
  test("runs work of a key in order, also after a failure, and of other keys beside it", async () => {
    const queue = new KeyedQueue<string>();
    const done: string[] = [];
    const gate = Promise.withResolvers<null>();
    const first = queue.run("a", async () => {
      await gate.promise;
      done.push("a1");
      throw new Error("a1 failed");
    });
    const second = queue.run("a", () => {
      done.push("a2");
      return Promise.resolve("two");
    });
    await queue.run("b", () => {
      done.push("b1");
      return Promise.resolve();
    });
    expect(done).toEqual(["b1"]);
    gate.resolve(null);
    await expect(first).rejects.toThrow("a1 failed");
    expect(await second).toBe("two");
    expect(done).toEqual(["b1", "a1", "a2"]);
  });

  test("is idle when everything has ended, whatever was added meanwhile", async () => {
    const queue = new KeyedQueue<string>();
    const done: number[] = [];
    void queue.run("a", async () => {
      void queue.run("b", async () => {
        await Promise.resolve();
        done.push(2);
      });
      await Promise.resolve();
      done.push(1);
    });
    await queue.idle();
    expect(done.toSorted()).toEqual([1, 2]);
  });
});

describe("time", () => {
  function keeper(floorMs = 0) {
    let nowMs = 1_000_000;
    const clock = { now: () => nowMs, setTimeout: () => () => undefined };
    const set = (timeMs: number) => (nowMs = timeMs);
    return { time: new TimeKeeper(clock, floorMs), set };
  }

  test("never runs backwards", () => {
    const { time, set } = keeper();
    expect(time.now()).toBe(1_000_000);
    set(5);
    expect(time.now()).toBe(1_000_000);
    set(1_000_001);
    expect(time.now()).toBe(1_000_001);
  });

  test("is never behind the largest time that was seen in an earlier run", () => {
    const { time } = keeper(2_000_000);
    expect(time.now()).toBe(2_000_000);
    time.raise(3_000_000);
    expect(time.now()).toBe(3_000_000);
  });

  test("goes on from a relay's clock that is ahead, and takes no notice of one behind", () => {
    const { time, set } = keeper();
    expect(time.observe(900_000)).toBe(0);
    expect(time.now()).toBe(1_000_000);
    expect(time.observe(1_500_000)).toBe(500_000);
    expect(time.now()).toBe(1_500_000);
    set(1_000_010);
    expect(time.now()).toBe(1_500_010);
    expect(time.observe(1_500_010)).toBe(0);
  });
});

describe("changes", () => {
  const conversationId = "c" as ConversationId;
  const messageId = "m" as MessageId;

  test("gather group state as puts and deletions, and remember the group", () => {
    const changes = new Changes();
    const sealed = new Uint8Array([1]);
    changes.writeGroup({
      conversationId,
      pieces: [
        { name: "tree", sealed },
        { name: "old", sealed: null },
      ],
    });
    expect(changes.statements).toEqual([
      { name: "piece.put", params: [conversationId, "tree", sealed] },
      { name: "piece.delete", params: [conversationId, "old"] },
    ]);
    expect([...changes.groups]).toEqual([conversationId]);
  });

  test("removing a message cancels its end and asks for forgetting", () => {
    const changes = new Changes();
    changes.remove(conversationId, messageId);
    expect(changes.cancelled).toEqual([messageId]);
    expect(changes.forgets).toBe(true);
    expect(changes.conversations.get(conversationId)?.removed.has(messageId)).toBe(true);
  });
});

describe("the catalogue", () => {
  const texts = [
    ...Object.entries(clientCatalogue.statements),
    ...Object.entries(clientCatalogue.queries),
    ...clientCatalogue.migrations.map((sql, index) => [`migration ${String(index)}`, sql] as const),
  ];

  test("is deterministic: no randomness, no clock", () => {
    for (const [name, sql] of texts) {
      expect(sql, name).not.toMatch(
        /random|current_(time|date)|datetime|julianday|strftime|unixepoch|'now'/iu,
      );
    }
  });

  test("has a migration per version", () => {
    expect(clientCatalogue.schemaVersion).toBe(clientCatalogue.migrations.length);
  });

  test("changes only by statements and reads only by queries", () => {
    for (const [name, sql] of Object.entries(clientCatalogue.queries)) {
      expect(sql.trimStart(), name).toMatch(/^SELECT/u);
    }
    for (const [name, sql] of Object.entries(clientCatalogue.statements)) {
      expect(sql.trimStart(), name).toMatch(/^(INSERT|UPDATE|DELETE)/u);
    }
  });
});
