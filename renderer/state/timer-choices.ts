import { maxTimerSeconds, minTimerSeconds, type TimerOrigin, type Timers } from "#protocol";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Lives of a message that are offered, seconds. */
const expirationChoices = [
  5 * minute,
  hour,
  8 * hour,
  day,
  7 * day,
  30 * day,
  90 * day,
  365 * day,
] as const;

/** Times from seeing to burning that are offered, seconds. */
const burnChoices = [10, 30, minute, 5 * minute, hour, day] as const;

/** Bounds a choice must stay under. */
export interface TimerBound extends Timers {
  readonly origin: TimerOrigin;
}

/** Why a duration can't be chosen. */
export type Forbidden =
  | { readonly kind: "conversation" | "network"; readonly seconds: number }
  | { readonly kind: "burn-off" }
  | { readonly kind: "burn-longer"; readonly seconds: number }
  | { readonly kind: "burn-past-end" };

/** A duration that is offered. `null` seconds: no burn-on-read. */
export interface TimerChoice<Seconds extends number | null> {
  readonly seconds: Seconds;
  /** null when it may be chosen. */
  readonly forbidden: Forbidden | null;
}

function withValue<Value extends number | null>(
  values: readonly Value[],
  value: Value,
): readonly Value[] {
  return values.includes(value)
    ? values
    : [...values, value].sort((left, right) => (left ?? -1) - (right ?? -1));
}

/**
 * The lives on offer under a bound. The bound's own length is always among them, and what is chosen now too.
 *
 * @param chosenSeconds - the present choice
 */
export function expirationOffer(
  bound: TimerBound,
  chosenSeconds: number,
): readonly TimerChoice<number>[] {
  const values = withValue(withValue(expirationChoices, chosenSeconds), bound.expirationSeconds);
  return values.map((seconds) => ({ seconds, forbidden: expirationForbidden(seconds, bound) }));
}

/** Whether and why a life can't be chosen. */
export function expirationForbidden(seconds: number, bound: TimerBound): Forbidden | null {
  if (seconds <= bound.expirationSeconds) return null;
  const kind = bound.origin === "network" ? "network" : "conversation";
  return { kind, seconds: bound.expirationSeconds };
}

/**
 * The times to burning on offer under a bound, with “off” first.
 *
 * @param chosen - the present timers
 */
export function burnOffer(
  bound: TimerBound,
  chosen: Timers,
): readonly TimerChoice<number | null>[] {
  const withBound = withValue<number | null>([null, ...burnChoices], bound.burnSeconds);
  return withValue(withBound, chosen.burnSeconds).map((seconds) => ({
    seconds,
    forbidden: burnForbidden(seconds, bound, chosen.expirationSeconds),
  }));
}

/** Whether and why a time to burning can't be chosen. */
export function burnForbidden(
  seconds: number | null,
  bound: TimerBound,
  expirationSeconds: number,
): Forbidden | null {
  if (seconds === null) return bound.burnSeconds === null ? null : { kind: "burn-off" };
  if (bound.burnSeconds !== null && seconds > bound.burnSeconds) {
    return { kind: "burn-longer", seconds: bound.burnSeconds };
  }
  return seconds >= expirationSeconds ? { kind: "burn-past-end" } : null;
}

const unitSeconds = { seconds: 1, minutes: minute, hours: hour, days: day } as const;

/** Units of a duration that is typed in. */
export type TimerUnit = keyof typeof unitSeconds;
export const timerUnits = ["seconds", "minutes", "hours", "days"] as const;

/**
 * The seconds of a typed duration, or null when it is no whole number or outside of what a timer can hold.
 *
 * @param amount - what was typed
 */
export function customSeconds(amount: number, unit: TimerUnit): number | null {
  const seconds = amount * unitSeconds[unit];
  return Number.isInteger(amount) && seconds >= minTimerSeconds && seconds <= maxTimerSeconds
    ? seconds
    : null;
}
