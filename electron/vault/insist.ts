import { setTimeout as delay } from "node:timers/promises";
import { fileErrorCode } from "./file-errors.ts";

/** Milliseconds between tries: little more than a second together. */
const pausesMs = [10, 20, 40, 80, 160, 320, 640];

/** What Windows says while a virus scanner, an indexer or a backup has a file open, and also when it may never be touched. */
const passing = ["EPERM", "EACCES", "EBUSY"];

/**
 * Tries again, for a second, what Windows refuses while somebody looks at a file.
 *
 * @param pause - left out: as much time passes
 * @throws what the last try, or one that failed for another reason, failed with
 */
export async function insist<Result>(
  task: () => Promise<Result>,
  pause: (durationMs: number) => Promise<unknown> = delay,
): Promise<Result> {
  for (const pauseMs of pausesMs) {
    try {
      return await task();
    } catch (error) {
      if (!passing.includes(fileErrorCode(error) ?? "")) throw error;
    }
    await pause(pauseMs);
  }
  return task();
}
