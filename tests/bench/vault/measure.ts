/** How long work takes, milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** @param part - 0.5 for the median, 1 for the largest */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Rounded for a table. */
export function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}

/** What the event loop went through. */
export interface BlockingCode {
  /** The longest time without a turn, milliseconds. On a machine with other work, that too. */
  readonly wallMs: number;
  /** The most work of this thread between two turns, milliseconds of processor time: what the program itself is to blame for. */
  readonly workMs: number;
}

/** Watches the event loop. @returns what tells, and stops it */
export function watchEventLoop(): () => BlockingCode {
  const everyMs = 1;
  let wallMs = 0;
  let workMs = 0;
  let at = performance.now();
  let work = process.threadCpuUsage();
  const look = () => {
    const now = performance.now();
    wallMs = Math.max(wallMs, now - at - everyMs);
    at = now;
    const { user, system } = process.threadCpuUsage(work);
    workMs = Math.max(workMs, (user + system) / 1000);
    work = process.threadCpuUsage();
  };
  const timer = setInterval(look, everyMs);
  return () => {
    clearInterval(timer);
    look();
    return { wallMs, workMs };
  };
}
