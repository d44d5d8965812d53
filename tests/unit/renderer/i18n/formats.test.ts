import { describe, expect, test } from "vitest";
import { remainingParts, timerParts } from "../../../../renderer/i18n/durations.ts";
import { daysBefore, Formats } from "../../../../renderer/i18n/formats.ts";
import { chooseLanguage, english, I18n } from "../../../../renderer/i18n/index.ts";

/** A time of this computer's own zone. */
function local(text: string): number {
  return new Date(text).getTime();
}

const formats = new Formats("en-GB");
const now = local("2026-11-26T14:40:00");

describe("the length of a timer", () => {
  test("is said in its largest two units", () => {
    expect(formats.timer(30)).toBe("30 seconds");
    expect(formats.timer(90)).toBe("1 minute, 30 seconds");
    expect(formats.timer(604_800)).toBe("7 days");
    expect(formats.timer(31_536_000)).toBe("1 year");
    expect(timerParts(93_784)).toEqual({ days: 1, hours: 2 });
  });

  test("is short where room is short", () => {
    expect(formats.timerNarrow(604_800)).toBe("7d");
    expect(formats.timerNarrow(300)).toBe("5m");
  });

  test("of nothing is still said", () => {
    expect(timerParts(0)).toEqual({ seconds: 0 });
  });
});

describe("what is left of a life", () => {
  test("is said in one unit, as a person would", () => {
    expect(formats.remaining(6.9 * 86_400_000)).toBe("6 days");
    expect(formats.remaining(47 * 3_600_000)).toBe("47 hours");
    expect(formats.remaining(100 * 60_000)).toBe("100 minutes");
    expect(formats.remaining(90_000)).toBe("90 seconds");
    expect(formats.remaining(1000)).toBe("1 second");
  });

  test("never promises more than there is", () => {
    for (const leftMs of [86_400_000 * 2, 86_400_000 * 3 - 1, 7_200_000 + 5, 119_999]) {
      const parts = remainingParts(leftMs);
      const { years = 0, days = 0, hours = 0, minutes = 0, seconds = 0 } = parts;
      const saidMs =
        (years * 31_536_000 + days * 86_400 + hours * 3600 + minutes * 60 + seconds) * 1000;
      expect(saidMs).toBeLessThan(leftMs + 1000);
    }
  });

  test("is nothing when it is over, and never negative", () => {
    expect(formats.remaining(-5000)).toBe("0 seconds");
  });
});

describe("times of a list", () => {
  test("are a time today, a weekday this week, then a date", () => {
    expect(formats.stamp(local("2026-11-26T00:01:00"), now)).toBe("00:01");
    expect(formats.stamp(local("2026-11-25T23:59:00"), now)).toBe("Wed");
    expect(formats.stamp(local("2026-11-20T12:00:00"), now)).toBe("Fri");
    expect(formats.stamp(local("2026-11-19T12:00:00"), now)).toBe("19 Nov");
    expect(formats.stamp(local("2025-12-31T12:00:00"), now)).toBe("31 Dec 2025");
  });

  test("of a clock that runs behind are today's", () => {
    expect(formats.stamp(now + 60_000, now)).toBe("14:41");
  });

  test("count calendar days, not spans of 24 hours", () => {
    expect(daysBefore(local("2026-11-25T23:59:59"), local("2026-11-26T00:00:00"))).toBe(1);
    expect(daysBefore(local("2026-03-28T12:00:00"), local("2026-03-30T12:00:00"))).toBe(2);
  });
});

describe("headings of days", () => {
  const i18n = new I18n(english, "en-GB");

  test("say today and yesterday, then the weekday, then the date", () => {
    expect(i18n.dayHeading(now, now)).toBe("Today");
    expect(i18n.dayHeading(local("2026-11-25T08:00:00"), now)).toBe("Yesterday");
    expect(i18n.dayHeading(local("2026-11-23T08:00:00"), now)).toBe("Monday");
    expect(i18n.dayHeading(local("2026-10-01T08:00:00"), now)).toBe("Thursday 1 October");
    expect(i18n.dayHeading(local("2024-02-29T08:00:00"), now)).toBe("29 Feb 2024");
  });
});

describe("the size of files", () => {
  test.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1000, "1 kB"],
    [8192, "8.2 kB"],
    [48_318_464, "48 MB"],
    [1_500_000_000, "1.5 GB"],
    [4e15, "4,000 TB"],
  ])("%d is %s", (size, words) => {
    expect(formats.bytes(size)).toBe(words);
  });
});

describe("choosing a language", () => {
  test("takes the first wanted locale whose language there is", () => {
    expect(chooseLanguage(["fi-FI", "en-NZ", "en-US"])).toEqual({
      language: english,
      locale: "en-NZ",
    });
  });

  test("falls back to English with English formats", () => {
    expect(chooseLanguage(["fi-FI"])).toEqual({ language: english, locale: "en" });
    expect(chooseLanguage([])).toEqual({ language: english, locale: "en" });
  });
});
