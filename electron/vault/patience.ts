import type { Clock } from "../link/index.ts";

/**
 * Waits for something that may hang, but not for long; it goes on by itself.
 *
 * @param patienceMs - milliseconds
 * @returns what came of it, or null when it is late
 * @throws what it throws in time; what it throws later is passed over
 */
export function inTime<Result>(
  clock: Clock,
  patienceMs: number,
  work: Promise<Result>,
): Promise<Result | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimeout(() => {
      resolve(null);
    }, patienceMs);
    work.finally(cancel).then(resolve, reject);
  });
}
