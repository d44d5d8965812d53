import { flushSync } from "svelte";
import { expect, test } from "vitest";
import { Clock } from "../../../../renderer/state/clock.svelte.ts";

/** A clock whose time and ticks the test decides. */
function build() {
  let nowMs = 1_000_000;
  const running = new Map<number, () => void>();
  const clock = new Clock({
    now: () => nowMs,
    every: (task, intervalMs) => {
      running.set(intervalMs, task);
      return () => running.delete(intervalMs);
    },
  });
  return {
    clock,
    running,
    advance: (ms: number): void => {
      nowMs += ms;
      for (const task of running.values()) task();
      flushSync();
    },
  };
}

test("ticks only while something looks, and as often as that needs", async () => {
  const { clock, running, advance } = build();
  expect(running.size).toBe(0);
  const seen: number[] = [];
  const stop = $effect.root(() => {
    $effect(() => {
      seen.push(clock.secondMs);
    });
  });
  flushSync();
  expect([...running.keys()]).toEqual([1000]);
  advance(1000);
  expect(seen).toEqual([1_000_000, 1_001_000]);
  stop();
  await Promise.resolve();
  expect(running.size).toBe(0);
});

test("follows a near end by the second, a far one calmly", () => {
  const { clock, running } = build();
  const stop = $effect.root(() => {
    $effect(() => {
      clock.towards(clock.nowMs + 3_600_000);
    });
  });
  flushSync();
  expect([...running.keys()]).toEqual([20_000]);
  stop();
  const stopNear = $effect.root(() => {
    $effect(() => {
      clock.towards(clock.nowMs + 60_000);
    });
  });
  flushSync();
  expect([...running.keys()]).toContain(1000);
  stopNear();
});
