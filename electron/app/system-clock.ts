import { uptime } from "node:os";
import type { Clock } from "../link/index.ts";

/** The longest wait Node's timers know; beyond it they would ring at once. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock and timers, for waits of any length. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, delayMs) => {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, longestTimerMs);
      timer = setTimeout(() => {
        if (leftMs > stepMs) arm(leftMs - stepMs);
        else run();
      }, stepMs);
    };
    arm(Math.max(0, delayMs));
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Milliseconds since this machine was started. */
export function systemUptimeMs(): number {
  return uptime() * 1000;
}
