import type { Clock } from "../../electron/link/index.ts";

/** A clock whose time passes only when told. */
export interface FakeClock extends Clock {
  /** Lets time pass and rings what falls due, in order. */
  advance(durationMs: number): void;
  /** How many timers wait. */
  readonly waiting: number;
}

export function createFakeClock(startMs = 1_700_000_000_000): FakeClock {
  let nowMs = startMs;
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  return {
    now: () => nowMs,
    setTimeout(run, delayMs) {
      const timer = { atMs: nowMs + delayMs, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance(durationMs) {
      const untilMs = nowMs + durationMs;
      while (true) {
        const next = [...timers].sort((left, right) => left.atMs - right.atMs)[0];
        if (next === undefined || next.atMs > untilMs) break;
        timers.delete(next);
        nowMs = next.atMs;
        next.run();
      }
      nowMs = untilMs;
    },
    get waiting() {
      return timers.size;
    },
  };
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout(run, delayMs) {
    const timer = setTimeout(run, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};
