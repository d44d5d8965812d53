/** Time as it comes in: a port, so that tests can turn the clock. */
export interface Clock {
  /** The wall clock, milliseconds since 1970. It may be set back and forth. */
  nowMs(): number;
  /** @returns a disposer */
  setTimer(delayMs: number, fire: () => void): () => void;
}

/** Time that never runs backwards: the largest ever seen, by this clock, by the relay's or in an earlier life. */
export interface FloorClock {
  nowMs(): number;
  /** Raises the floor; lower values change nothing. */
  raise(timeMs: number): void;
  /** What another clock shows just now. One that is ahead of ours stays ahead: time goes on from there, it doesn't stand still. */
  observe(timeMs: number): void;
}

export function createFloorClock(clock: Pick<Clock, "nowMs">): FloorClock {
  let floorMs = 0;
  let aheadMs = 0;
  return {
    nowMs() {
      floorMs = Math.max(floorMs, clock.nowMs() + aheadMs);
      return floorMs;
    },
    raise(timeMs) {
      floorMs = Math.max(floorMs, timeMs);
    },
    observe(timeMs) {
      aheadMs = Math.max(aheadMs, timeMs - clock.nowMs());
    },
  };
}
