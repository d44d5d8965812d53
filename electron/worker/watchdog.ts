import type { Clock } from "../link/index.ts";

/** Notices that something which owes answers has fallen silent. */
export interface Watchdog {
  /** An answer is owed from now on. */
  watch(): void;
  /** A sign of life. */
  sign(): void;
  dispose(): void;
}

/** What {@link createWatchdog} needs. */
export interface WatchdogOptions {
  readonly clock: Clock;
  /** How long silence is allowed just now, milliseconds; null: no answer is owed. */
  readonly limitMs: () => number | null;
  readonly onStuck: () => void;
}

/** Silence is measured in so many steps, so that a machine that slept, whose timers all ring at once, costs one step and no worker. */
const stepsPerLimit = 4;

/**
 * A timer that runs only while answers are owed and is not touched by each of them.
 */
export function createWatchdog({ clock, limitMs, onStuck }: WatchdogOptions): Watchdog {
  let cancel: (() => void) | null = null;
  let silentMs = 0;
  let signed = false;

  const arm = (stepMs: number) => {
    cancel = clock.setTimeout(() => {
      cancel = null;
      const limit = limitMs();
      if (limit === null) return;
      // A step with a sign in it is no silence, however long the rest of it was.
      silentMs = signed ? 0 : silentMs + stepMs;
      signed = false;
      if (silentMs >= limit) onStuck();
      else arm(limit / stepsPerLimit);
    }, stepMs);
  };

  return {
    watch() {
      if (cancel !== null) return;
      silentMs = 0;
      signed = false;
      const limit = limitMs();
      if (limit !== null) arm(limit / stepsPerLimit);
    },
    sign() {
      signed = true;
    },
    dispose() {
      cancel?.();
      cancel = null;
    },
  };
}
