import { describe, expect, test } from "vitest";
import type { Deadline, MessageId } from "#protocol";
import {
  createInProcessWorker,
  createManualClock,
  type ManualClock,
} from "../../../support/in-process-worker.ts";

const startMs = Date.UTC(2026, 8, 1);
const ids = ["a", "b", "c"] as unknown as readonly [MessageId, MessageId, MessageId];
const [a, b, c] = ids;

async function sweepingWorker(deadlines: readonly Deadline[], floorMs = 0) {
  const clock: ManualClock = createManualClock(startMs);
  const worker = createInProcessWorker(clock);
  await worker.call("start", {});
  const begun = await worker.call("sweep.begin", { floorMs, deadlines });
  return { clock, worker, begun };
}

describe("a sweep", () => {
  test("answers at its beginning with what has ended already, and doesn't tell it twice", async () => {
    const { begun, clock, worker } = await sweepingWorker([
      { messageId: a, deadlineMs: startMs - 1 },
      { messageId: b, deadlineMs: startMs },
      { messageId: c, deadlineMs: startMs + 1000 },
    ]);
    expect(begun).toEqual({ due: [a, b], nowMs: startMs });
    clock.advance(5000);
    expect(worker.dues).toEqual([{ messageIds: [c], nowMs: startMs + 1000 }]);
  });

  test("tells each end at its deadline, the earliest first, together what ends together", async () => {
    const { clock, worker } = await sweepingWorker([
      { messageId: b, deadlineMs: startMs + 2000 },
      { messageId: a, deadlineMs: startMs + 1000 },
      { messageId: c, deadlineMs: startMs + 2000 },
    ]);
    clock.advance(999);
    expect(worker.dues).toEqual([]);
    clock.advance(1);
    expect(worker.dues).toEqual([{ messageIds: [a], nowMs: startMs + 1000 }]);
    clock.advance(10_000);
    expect(new Set(worker.dues[1]?.messageIds)).toEqual(new Set([b, c]));
    expect(worker.dues).toHaveLength(2);
  });

  test("follows deadlines that are added, moved and cancelled", async () => {
    const { clock, worker } = await sweepingWorker([
      { messageId: a, deadlineMs: startMs + 60_000 },
    ]);
    await worker.call("sweep.schedule", {
      deadlines: [
        { messageId: a, deadlineMs: startMs + 1000 },
        { messageId: b, deadlineMs: startMs + 2000 },
        { messageId: c, deadlineMs: startMs + 3000 },
      ],
    });
    await worker.call("sweep.cancel", { messageIds: [b] });
    clock.advance(120_000);
    expect(worker.dues.map(({ messageIds }) => messageIds)).toEqual([[a], [c]]);
  });

  test("tells by itself what is scheduled too late", async () => {
    const { clock, worker } = await sweepingWorker([]);
    await worker.call("sweep.schedule", { deadlines: [{ messageId: a, deadlineMs: 5 }] });
    clock.advance(0);
    expect(worker.dues).toEqual([{ messageIds: [a], nowMs: startMs }]);
  });

  test("happens soon after the clock was set forward, or the computer slept", async () => {
    const { clock, worker } = await sweepingWorker([
      { messageId: a, deadlineMs: startMs + 86_400_000 },
    ]);
    clock.set(startMs + 86_400_000);
    clock.advance(30_000);
    expect(worker.dues.map(({ messageIds }) => messageIds)).toEqual([[a]]);
  });

  test("isn't put off by turning the clock back: time never runs behind what was seen", async () => {
    const { begun, clock, worker } = await sweepingWorker(
      [
        { messageId: a, deadlineMs: startMs + 3_600_000 },
        { messageId: b, deadlineMs: startMs + 9_000_000 },
      ],
      startMs + 7_200_000,
    );
    expect(begun).toEqual({ due: [a], nowMs: startMs + 7_200_000 });
    clock.set(0);
    clock.advance(1000);
    expect(worker.dues).toEqual([]);
    clock.set(startMs + 9_000_000);
    clock.advance(30_000);
    expect(worker.dues.map(({ messageIds }) => messageIds)).toEqual([[b]]);
  });

  test("takes no notice of a relay whose clock is far away", async () => {
    const { clock, worker } = await sweepingWorker([
      { messageId: a, deadlineMs: startMs + 3_600_000 },
    ]);
    for (const relayTimeMs of [startMs + 400 * 86_400_000, startMs + 601_000, 5]) {
      expect(await worker.call("sweep.observeTime", { relayTimeMs })).toEqual({ nowMs: startMs });
    }
    clock.advance(60_000);
    expect(worker.dues).toEqual([]);
  });

  test("begins anew from the time on which a relay and this computer agree", async () => {
    const { worker } = await sweepingWorker([], startMs + 400 * 86_400_000);
    expect(await worker.call("sweep.observeTime", { relayTimeMs: startMs + 1000 })).toEqual({
      nowMs: startMs + 1000,
    });
  });

  test("goes by a relay's clock that is a little ahead of this one, and goes on with it", async () => {
    const { clock, worker } = await sweepingWorker([
      { messageId: a, deadlineMs: startMs + 605_000 },
    ]);
    await worker.call("sweep.observeTime", { relayTimeMs: startMs + 600_000 });
    clock.advance(4999);
    expect(worker.dues).toEqual([]);
    clock.advance(1);
    expect(worker.dues).toEqual([{ messageIds: [a], nowMs: startMs + 605_000 }]);
  });

  test("stops when the vault is locked, and leaves no timer behind", async () => {
    const { clock, worker } = await sweepingWorker([{ messageId: a, deadlineMs: startMs + 1000 }]);
    await worker.call("vault.lock", {});
    expect(clock.timers).toBe(0);
    clock.advance(10_000);
    expect(worker.dues).toEqual([]);
  });
});
