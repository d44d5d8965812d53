/** A clock that at `atMs` shows `fromMs` and goes `speed` times as fast as it should; milliseconds since 1970. */
export interface OtherClock {
  readonly atMs: number;
  readonly fromMs: number;
  readonly speed: number;
}

/** What Node is told so that a program and its threads go by another clock. */
export function otherClock({ atMs, fromMs, speed }: OtherClock): readonly string[] {
  const address = new URL("other-clock.ts", import.meta.url);
  const numbers = { at: atMs, from: fromMs, speed };
  for (const [name, value] of Object.entries(numbers)) {
    address.searchParams.set(name, String(value));
  }
  return ["--import", address.href];
}

/** The same clock for a page: a script that is run in it before its own. */
export function otherClockInPage({ atMs, fromMs, speed }: OtherClock): string {
  return `{ const now = Date.now.bind(Date); Date.now = () => Math.round(${fromMs} + (now() - ${atMs}) * ${speed}); }`;
}
