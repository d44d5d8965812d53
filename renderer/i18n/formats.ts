import { remainingParts, timerParts, type DurationParts } from "./durations.ts";

const dayMs = 86_400_000;
const byteUnits = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Midnight of the day that holds `ms`, in the time zone of this computer, milliseconds since 1970. */
export function startOfDayMs(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** How many calendar days `ms` lies before the day of `nowMs`: 0 is today, 1 yesterday; negative is the future. */
export function daysBefore(ms: number, nowMs: number): number {
  // Days differ in length where clocks change: rounding absorbs the hour.
  return Math.round((startOfDayMs(nowMs) - startOfDayMs(ms)) / dayMs);
}

/** Dates, numbers, lists and durations as a locale writes them. */
export class Formats {
  readonly locale: string;
  readonly #number: Intl.NumberFormat;
  readonly #percent: Intl.NumberFormat;
  readonly #time: Intl.DateTimeFormat;
  readonly #weekday: Intl.DateTimeFormat;
  readonly #weekdayLong: Intl.DateTimeFormat;
  readonly #dayOfYear: Intl.DateTimeFormat;
  readonly #dayLong: Intl.DateTimeFormat;
  readonly #dateShort: Intl.DateTimeFormat;
  readonly #exact: Intl.DateTimeFormat;
  readonly #list: Intl.ListFormat;
  readonly #durationLong: Intl.DurationFormat;
  readonly #durationNarrow: Intl.DurationFormat;

  /** @param locale - a BCP 47 tag */
  constructor(locale: string) {
    this.locale = locale;
    this.#number = new Intl.NumberFormat(locale);
    this.#percent = new Intl.NumberFormat(locale, { style: "percent" });
    this.#time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
    this.#weekday = new Intl.DateTimeFormat(locale, { weekday: "short" });
    this.#weekdayLong = new Intl.DateTimeFormat(locale, { weekday: "long" });
    this.#dayOfYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
    this.#dayLong = new Intl.DateTimeFormat(locale, {
      weekday: "long",
      day: "numeric",
      month: "long",
    });
    this.#dateShort = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
    this.#exact = new Intl.DateTimeFormat(locale, {
      weekday: "long",
      day: "numeric",
      month: "long",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
    });
    this.#list = new Intl.ListFormat(locale, { type: "conjunction" });
    this.#durationLong = new Intl.DurationFormat(locale, { style: "long" });
    this.#durationNarrow = new Intl.DurationFormat(locale, { style: "narrow" });
  }

  number(value: number): string {
    return this.#number.format(value);
  }

  /** @param share - 1 is 100 % */
  percent(share: number): string {
    return this.#percent.format(share);
  }

  /** The size of files, in the unit that a person would say: “48 MB”. */
  bytes(size: number): string {
    const step = Math.min(Math.floor(Math.log10(Math.max(size, 1)) / 3), byteUnits.length - 1);
    const value = size / 1000 ** step;
    return new Intl.NumberFormat(this.locale, {
      style: "unit",
      unit: byteUnits[step] ?? "byte",
      // The short form of a byte is the whole word, without its plural.
      unitDisplay: step === 0 ? "long" : "short",
      maximumFractionDigits: value < 10 ? 1 : 0,
    }).format(value);
  }

  /** Hours and minutes. */
  time(ms: number): string {
    return this.#time.format(ms);
  }

  /** Day, month, year. */
  date(ms: number): string {
    return this.#dateShort.format(ms);
  }

  /** Weekday, date and time, to be exact about an end. */
  exact(ms: number): string {
    return this.#exact.format(ms);
  }

  list(names: readonly string[]): string {
    return this.#list.format(names);
  }

  /** The length of a timer: “7 days”, “1 minute, 30 seconds”. */
  timer(seconds: number): string {
    return this.#durationLong.format(timerParts(seconds));
  }

  /** The length of a timer where room is short: “7d”. */
  timerNarrow(seconds: number): string {
    return this.#durationNarrow.format(timerParts(seconds));
  }

  /** What is left: “6 days”. */
  remaining(leftMs: number): string {
    return this.#format(remainingParts(leftMs));
  }

  /** The time of an entry in a list: today its time, this week its weekday, else its date. */
  stamp(ms: number, nowMs: number): string {
    const days = daysBefore(ms, nowMs);
    if (days <= 0) return this.time(ms);
    if (days < 7) return this.#weekday.format(ms);
    if (new Date(ms).getFullYear() === new Date(nowMs).getFullYear()) {
      return this.#dayOfYear.format(ms);
    }
    return this.date(ms);
  }

  /** A day that is neither today nor yesterday, as a heading. */
  day(ms: number, nowMs: number): string {
    const days = daysBefore(ms, nowMs);
    if (days > 0 && days < 7) return this.#weekdayLong.format(ms);
    if (new Date(ms).getFullYear() === new Date(nowMs).getFullYear()) {
      return this.#dayLong.format(ms);
    }
    return this.date(ms);
  }

  #format(parts: DurationParts): string {
    // A duration of nothing formats to an empty text: say the zero.
    return parts.seconds === 0
      ? new Intl.NumberFormat(this.locale, {
          style: "unit",
          unit: "second",
          unitDisplay: "long",
        }).format(0)
      : this.#durationLong.format(parts);
  }
}
