/** A length of time in one or two units, for showing. */
export interface DurationParts {
  readonly years?: number;
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
}

const secondsOf = {
  years: 31_536_000,
  days: 86_400,
  hours: 3600,
  minutes: 60,
  seconds: 1,
} as const;
const units = ["years", "days", "hours", "minutes", "seconds"] as const;

/**
 * The exact length of a timer in its largest two units: 90 → 1 minute 30 seconds.
 *
 * @param totalSeconds - whole seconds, not negative
 */
export function timerParts(totalSeconds: number): DurationParts {
  const parts: { -readonly [Unit in keyof DurationParts]: DurationParts[Unit] } = {};
  let rest = totalSeconds;
  let used = 0;
  for (const unit of units) {
    const amount = Math.floor(rest / secondsOf[unit]);
    if (amount === 0 || used === 2) continue;
    parts[unit] = amount;
    rest -= amount * secondsOf[unit];
    used += 1;
  }
  return used === 0 ? { seconds: 0 } : parts;
}

/**
 * What is left of a life, in the one unit that a person would say: 3 days 4 hours → 3 days, 100 minutes → 100 minutes.
 * Rounded down, so that nothing lives shorter than what was shown, except below a second.
 *
 * @param leftMs - milliseconds; below zero counts as zero
 */
export function remainingParts(leftMs: number): DurationParts {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  if (seconds >= 2 * secondsOf.years) return { years: Math.floor(seconds / secondsOf.years) };
  if (seconds >= 2 * secondsOf.days) return { days: Math.floor(seconds / secondsOf.days) };
  if (seconds >= 2 * secondsOf.hours) return { hours: Math.floor(seconds / secondsOf.hours) };
  if (seconds >= 2 * secondsOf.minutes) return { minutes: Math.floor(seconds / secondsOf.minutes) };
  return { seconds };
}
