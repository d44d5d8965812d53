const isoDate = /^(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$/u;
const ago = /^(\d{1,4})([hdwm])$/u;
const hourMs = 60 * 60 * 1000;

/**
 * The moment at which what somebody typed begins: `2026-11-27`, `2026-11`, `2026`, `today`, `yesterday`, or so long ago as `3h`, `2d`, `1w`,
 * `1m`. Days begin at midnight in the time zone of this computer.
 *
 * @returns milliseconds, or null when it is no date
 */
export function momentOf(typed: string, nowMs: number): number | null {
  const word = typed.toLowerCase();
  if (word === "today") return daysAgo(0, nowMs);
  if (word === "yesterday") return daysAgo(1, nowMs);
  const span = ago.exec(word);
  if (span !== null) return spanAgo(Number(span[1]), span[2] ?? "", nowMs);
  const date = isoDate.exec(word);
  return date === null ? null : dayOf(Number(date[1]), date[2], date[3]);
}

function daysAgo(days: number, nowMs: number): number {
  const date = new Date(nowMs);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - days).getTime();
}

function spanAgo(count: number, unit: string, nowMs: number): number {
  if (unit === "h") return nowMs - count * hourMs;
  if (unit !== "m") return daysAgo(unit === "w" ? 7 * count : count, nowMs);
  const date = new Date(daysAgo(0, nowMs));
  date.setMonth(date.getMonth() - count);
  return date.getTime();
}

function dayOf(year: number, month = "1", day = "1"): number | null {
  const date = new Date(year, Number(month) - 1, Number(day));
  date.setFullYear(year);
  const same = date.getMonth() === Number(month) - 1 && date.getDate() === Number(day);
  return same ? date.getTime() : null;
}
