import type { Clock } from "../sweep/clock.ts";

/* eslint-disable no-restricted-properties -- the one place where the worker's time comes in; everything else takes a Clock */

/** The computer's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  passedMs: () => Math.floor(performance.now()),
  setTimer(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};
