import type { Handlers, WorkerContext } from "./context.ts";

/** Deadlines and time. */
export function sweepHandlers({
  sweeper,
}: WorkerContext): Handlers<
  "sweep.begin" | "sweep.schedule" | "sweep.cancel" | "sweep.observeTime"
> {
  return {
    "sweep.begin": ({ floorMs, deadlines }) => {
      const due = sweeper.begin(floorMs, deadlines);
      return { due, nowMs: sweeper.nowMs() };
    },
    "sweep.schedule": ({ deadlines }) => {
      sweeper.schedule(deadlines);
      return {};
    },
    "sweep.cancel": ({ messageIds }) => {
      sweeper.cancel(messageIds);
      return {};
    },
    "sweep.observeTime": ({ relayTimeMs }) => {
      sweeper.observe(relayTimeMs);
      return { nowMs: sweeper.nowMs() };
    },
  };
}
