import { describe, expect, test } from "vitest";
import type { ConversationId, MessageId } from "#protocol";
import { clientCatalogue } from "../../../../electron/client/index.ts";
import { Changes } from "../../../../electron/client/core/changes.ts";
import { KeyedQueue } from "../../../../electron/client/core/keyed-queue.ts";
import { maxClockDifferenceMs, TimeKeeper } from "../../../../electron/client/core/time-keeper.ts";

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
  function keeper(floorMs = 0, certainMs: number | null = null) {
    let nowMs = 1_000_000;
    let passedMs = 5000;
    const clock = { now: () => nowMs };
    const set = (timeMs: number) => (nowMs = timeMs);
    const pass = (durationMs: number) => {
      nowMs += durationMs;
      passedMs += durationMs;
    };
    const time = new TimeKeeper(clock, { floorMs, certainMs }, () => passedMs);
    return { time, set, pass };
  }

  test("a sweep that rings after a while in which nobody asked puts nothing forward", () => {
    const { time, pass } = keeper();
    for (let rings = 0; rings < 3; rings++) {
      pass(4000);
      time.raise(1_000_000 + (rings + 1) * 4000);
    }
    expect(time.now()).toBe(1_012_000);
    expect(time.real()).toBe(1_012_000);
  });

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

  test("goes on from a relay's clock that is a little ahead, and takes no notice of one behind", () => {
    const { time, pass } = keeper();
    expect(time.witness(900_000)).toBe(0);
    expect(time.now()).toBe(1_000_000);
    expect(time.witness(1_500_000)).toBe(500_000);
    expect(time.now()).toBe(1_500_000);
    pass(10);
    expect(time.now()).toBe(1_500_010);
    expect(time.real()).toBe(1_500_010);
    expect(time.witness(1_500_010)).toBe(0);
  });

  test("is never put forward by more than the bound, at once or little by little", () => {
    const { time } = keeper();
    expect(time.witness(1_000_000 + maxClockDifferenceMs + 1)).toBe(0);
    expect(time.now()).toBe(1_000_000);
    for (let step = 1; step < 100; step++) time.witness(1_000_000 + step * 60_000);
    expect(time.now()).toBe(1_000_000 + maxClockDifferenceMs);
  });

  test.each([1, -1])("refuses a relay that is far away (%i), and stays as it is", (direction) => {
    const { time } = keeper();
    const far = 1_000_000 + direction * (maxClockDifferenceMs + 1);
    expect(() => {
      time.agree(far);
    }).toThrow(expect.objectContaining({ code: "clock-differs" }));
    expect(time.now()).toBe(1_000_000);
    expect(time.real()).toBe(1_000_000);
  });

  test("gives a relay's lead back when the clock is corrected", () => {
    const { time, set } = keeper();
    time.agree(1_300_000);
    expect(time.real()).toBe(1_300_000);
    set(1_300_000);
    expect(time.real()).toBe(1_300_000);
    expect(time.now()).toBe(1_300_000);
  });

  test("gives a relay's lead back when the relay's clock is corrected", () => {
    const { time } = keeper();
    time.agree(1_300_000);
    time.agree(1_000_000);
    expect(time.real()).toBe(1_000_000);
  });

  test("a clock that was far ahead and was corrected holds nothing up once a relay agrees with it", () => {
    const { time, set } = keeper();
    set(400 * 86_400_000);
    expect(time.now()).toBe(400 * 86_400_000);
    set(1_000_000);
    expect(time.now()).toBe(400 * 86_400_000);
    expect(time.real()).toBe(1_000_000);
    time.agree(1_000_000);
    expect(time.now()).toBe(1_000_000);
  });

  test("goes on ending things while the clock is set back", () => {
    const { time, set, pass } = keeper();
    time.now();
    set(5);
    expect(time.now()).toBe(1_000_000);
    pass(60_000);
    expect(time.now()).toBe(1_060_000);
  });
});

describe("certain time, by which keys are destroyed", () => {
  const minuteMs = 60_000;
  const dayMs = 24 * 60 * minuteMs;
  function keeper(certainMs: number | null = null, wallMs = 1_000_000) {
    let nowMs = wallMs;
    let passedMs = 5000;
    const time = new TimeKeeper({ now: () => nowMs }, { floorMs: 0, certainMs }, () => passedMs);
    const set = (timeMs: number) => (nowMs = timeMs);
    const pass = (durationMs: number) => {
      nowMs += durationMs;
      passedMs += durationMs;
    };
    return { time, set, pass };
  }

  test("passes as time does, and follows small corrections forward", () => {
    const { time, set, pass } = keeper();
    pass(3 * dayMs);
    expect(time.certain()).toBe(1_000_000 + 3 * dayMs);
    set(1_000_000 + 3 * dayMs + 5 * minuteMs);
    expect(time.certain()).toBe(1_000_000 + 3 * dayMs + 5 * minuteMs);
  });

  test("doesn't follow a clock that was put far forward and back again", () => {
    const { time, set, pass } = keeper();
    set(1_000_000 + 400 * dayMs);
    expect(time.now()).toBe(1_000_000 + 400 * dayMs);
    expect(time.certain()).toBe(1_000_000);
    pass(9 * minuteMs);
    expect(time.certain()).toBe(1_000_000 + 9 * minuteMs);
    set(1_000_000 + 9 * minuteMs);
    expect(time.certain()).toBe(1_000_000 + 9 * minuteMs);
    pass(dayMs);
    expect(time.certain()).toBe(1_000_000 + 9 * minuteMs + dayMs);
    // What was seen stays hidden.
    expect(time.now()).toBeGreaterThan(1_000_000 + 400 * dayMs);
  });

  test("follows it after ten minutes in which it stayed so, counted from its last jump", () => {
    const { time, set, pass } = keeper();
    set(1_000_000 + dayMs);
    time.certain();
    pass(8 * minuteMs);
    expect(time.certain()).toBe(1_000_000 + 8 * minuteMs);
    set(1_000_000 + 5 * dayMs);
    time.certain();
    pass(9 * minuteMs);
    expect(time.certain()).toBe(1_000_000 + 17 * minuteMs);
    pass(minuteMs);
    expect(time.certain()).toBe(1_000_000 + 5 * dayMs + 10 * minuteMs);
  });

  test("follows it at once when a relay with a clock of its own agrees", () => {
    const { time, set } = keeper();
    set(1_000_000 + dayMs);
    time.agree(1_000_000 + dayMs, false);
    expect(time.certain()).toBe(1_000_000);
    time.agree(1_000_000 + dayMs);
    expect(time.certain()).toBe(1_000_000 + dayMs);
  });

  test("stands where it stood when the program starts after a long time", () => {
    const { time, pass } = keeper(1_000_000, 1_000_000 + dayMs);
    expect(time.now()).toBe(1_000_000 + dayMs);
    expect(time.certain()).toBe(1_000_000);
    pass(10 * minuteMs);
    expect(time.certain()).toBe(1_000_000 + dayMs + 10 * minuteMs);
  });

  test("never passes what is shown", () => {
    const { time, set, pass } = keeper();
    for (const jumpMs of [dayMs, -2 * dayMs, 400 * dayMs, -minuteMs]) {
      set(time.real() + jumpMs);
      expect(time.certain()).toBeLessThanOrEqual(time.now());
      pass(4 * minuteMs);
      expect(time.certain()).toBeLessThanOrEqual(time.now());
    }
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
