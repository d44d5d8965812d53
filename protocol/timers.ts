import * as v from "valibot";
import { countSchema } from "./schema.ts";

/** How a conversation's or a message's end is set. Every message has an expiration; burn-on-read is extra. */
export interface Timers {
  /** From sending until every copy ends, seconds, at least 5. */
  readonly expirationSeconds: number;
  /** From the moment a reader has seen it until that reader's copy ends, seconds, or `null` for no burn-on-read. */
  readonly burnSeconds: number | null;
}

export const minTimerSeconds = 5;
/** 10 years: what a timer can hold at the most, whatever the policy says; seconds. */
export const maxTimerSeconds = 315_360_000;

const timerSecondsSchema = v.pipe(
  countSchema,
  v.minValue(minTimerSeconds),
  v.maxValue(maxTimerSeconds),
);

export const timersSchema: v.GenericSchema<unknown, Timers> = v.strictObject({
  expirationSeconds: timerSecondsSchema,
  burnSeconds: v.nullable(timerSecondsSchema),
});

/** Which bound shortened or set a timer. */
export type TimerOrigin = "message" | "conversation" | "network";

/**
 * The timers that hold when `wanted` is asked for under `bound`: never longer than the bound, and burning if the bound burns.
 */
export function boundTimers(wanted: Timers, bound: Timers): Timers {
  const burns = [wanted.burnSeconds, bound.burnSeconds].filter((seconds) => seconds !== null);
  return {
    expirationSeconds: Math.min(wanted.expirationSeconds, bound.expirationSeconds),
    burnSeconds: burns.length === 0 ? null : Math.min(...burns),
  };
}
