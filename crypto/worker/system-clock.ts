import type { Clock } from "../sweep/clock.ts";

/** The computer's clock. */
export const systemClock: Clock = {
  // eslint-disable-next-line no-restricted-properties -- the one place where the worker's time comes in; everything else takes a Clock
  nowMs: () => Date.now(),
  passedMs: () => Math.floor(performance.now()),
  setTimer(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};
