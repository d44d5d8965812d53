/** Ends what it was given for. */
export type Disposer = () => void;

/** Time, as a port. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00Z; never less than what it said before. */
  nowMs(): number;
  /**
   * Calls `action` once.
   *
   * @param delayMs - at most 2^31 - 1 milliseconds
   * @returns a disposer
   */
  setTimer(action: () => void, delayMs: number): Disposer;
}

/**
 * The system's clock. Setting it back while the relay runs doesn't move its time back, so nothing that has ended comes back.
 */
export function createSystemClock(): Clock {
  let latestMs = 0;
  return {
    nowMs: () => {
      latestMs = Math.max(latestMs, Date.now());
      return latestMs;
    },
    setTimer: (action, delayMs) => {
      const timer = setTimeout(action, delayMs);
      return () => {
        clearTimeout(timer);
      };
    },
  };
}
