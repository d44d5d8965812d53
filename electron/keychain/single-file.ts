import { AppError } from "#protocol";
import type { Clock } from "../link/index.ts";

/** Calls that may hang, at most one at a time. */
export interface SingleFile {
  /**
   * @throws AppError `keychain-timeout` when `task` is not done in time, or did not get its turn: then it never runs
   */
  run<Result>(task: () => Promise<Result>): Promise<Result>;
  /** Whether a task is under way, given up or not. */
  readonly isBusy: boolean;
}

/** @param options - `timeoutMs` counts from the call of `run`, its wait included, milliseconds */
export function createSingleFile(options: {
  readonly clock: Clock;
  readonly timeoutMs: number;
}): SingleFile {
  const { clock, timeoutMs } = options;
  const queue: (() => void)[] = [];
  let isBusy = false;

  const startNext = () => {
    const start = queue.shift();
    isBusy = start !== undefined;
    start?.();
  };

  return {
    get isBusy() {
      return isBusy;
    },
    run<Result>(task: () => Promise<Result>): Promise<Result> {
      return new Promise<Result>((resolve, reject) => {
        const start = () => {
          const done = task().finally(() => {
            cancelTimeout();
            startNext();
          });
          done.then(resolve, reject);
        };
        const cancelTimeout = clock.setTimeout(() => {
          const waiting = queue.indexOf(start);
          if (waiting >= 0) queue.splice(waiting, 1);
          reject(new AppError("keychain-timeout"));
        }, timeoutMs);
        queue.push(start);
        if (!isBusy) startNext();
      });
    },
  };
}
