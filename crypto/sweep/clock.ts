/** Time as it comes in: a port, so that tests can turn the clock. */
export interface Clock {
  /** The wall clock, milliseconds since 1970. It may be set back and forth. */
  nowMs(): number;
  /** @returns a disposer */
  setTimer(delayMs: number, fire: () => void): () => void;
}

/** Time that doesn't run backwards: the largest seen, in this life or an earlier one, until a relay and this computer agree on it. */
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
      const wallMs = clock.nowMs();
      if (Math.abs(timeMs - wallMs) > maxDifferenceMs) return;
      aheadMs = Math.max(0, timeMs - wallMs);
      floorMs = wallMs + aheadMs;
    },
  };
}
