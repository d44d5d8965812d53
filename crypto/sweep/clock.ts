/** Time as it comes in: a port, so that tests can turn the clock. */
export interface Clock {
  /** The wall clock, milliseconds since 1970. It may be set back and forth. */
  nowMs(): number;
  /** Time that has passed since any moment, milliseconds, which nobody can set. */
  passedMs(): number;
  /** @returns a disposer */
  setTimer(delayMs: number, fire: () => void): () => void;
}

/**
 * Time that doesn't run backwards: the largest seen, in this life or an earlier one, until a relay and this computer agree on it. It goes on
 * even while the wall clock is behind it.
 */
export interface FloorClock {
  nowMs(): number;
  /** Raises the floor; lower values change nothing. */
  raise(timeMs: number): void;
  /**
   * What another clock shows just now. One that is a little ahead of ours stays ahead; one that is far away says nothing, since either
   * may be wrong. Where both agree, time goes on from there, even if an earlier floor was higher.
   */
  observe(timeMs: number): void;
}

/** How far another clock may be from ours, milliseconds. The client refuses such a relay; this only never follows it. */
const maxDifferenceMs = 10 * 60_000;

export function createFloorClock(clock: Pick<Clock, "nowMs" | "passedMs">): FloorClock {
  let floorMs = 0;
  let aheadMs = 0;
  let passedMs = clock.passedMs();

  /** @returns the wall clock's time */
  function goOn(): number {
    // The wall clock first: a process that is held up between the two must not count that time twice, and end things early from then on.
    const wallMs = clock.nowMs();
    const beforeMs = passedMs;
    passedMs = clock.passedMs();
    floorMs = Math.max(floorMs + passedMs - beforeMs, wallMs + aheadMs);
    return wallMs;
  }

  return {
    nowMs() {
      goOn();
      return floorMs;
    },
    raise(timeMs) {
      goOn();
      floorMs = Math.max(floorMs, timeMs);
    },
    observe(timeMs) {
      const wallMs = goOn();
      if (Math.abs(timeMs - wallMs) > maxDifferenceMs) return;
      aheadMs = Math.max(0, timeMs - wallMs);
      floorMs = wallMs + aheadMs;
    },
  };
}
