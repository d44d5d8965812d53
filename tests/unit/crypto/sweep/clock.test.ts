import { expect, test } from "vitest";
import { createFloorClock } from "../../../../crypto/sweep/clock.ts";

function clocks() {
  let [wallMs, passedMs] = [1_000_000, 5000];
  const time = createFloorClock({ nowMs: () => wallMs, passedMs: () => passedMs });
  const pass = (durationMs: number): void => {
    wallMs += durationMs;
    passedMs += durationMs;
  };
  const set = (timeMs: number): void => {
    wallMs = timeMs;
  };
  return { time, pass, set };
}

test("a clock that is set back stops nothing: what ends next ends when its time has passed", () => {
  const { time, pass, set } = clocks();
  expect(time.nowMs()).toBe(1_000_000);
  set(0);
  pass(7000);
  expect(time.nowMs()).toBe(1_007_000);
});

test("a floor of an earlier life goes on as well", () => {
  const { time, pass } = clocks();
  time.raise(3_000_000);
  pass(1000);
  expect(time.nowMs()).toBe(3_001_000);
});

test("a relay that agrees takes it back to what both say", () => {
  const { time, pass } = clocks();
  time.raise(3_000_000);
  pass(1000);
  time.observe(1_001_500);
  expect(time.nowMs()).toBe(1_001_500);
  pass(1000);
  expect(time.nowMs()).toBe(1_002_500);
});

test("one that is far away says nothing", () => {
  const { time } = clocks();
  time.observe(9_000_000);
  expect(time.nowMs()).toBe(1_000_000);
});
