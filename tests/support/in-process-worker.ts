import {
  AppError,
  type WorkerEvents,
  type WorkerMessage,
  type WorkerMethodName,
  type WorkerParams,
  type WorkerResult,
} from "#protocol";
import type { Clock } from "../../crypto/sweep/clock.ts";
import { createWorkerCore, type WorkerCoreOptions } from "../../crypto/worker/core.ts";

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Sets the wall clock, without firing anything. */
  set(nowMs: number): void;
  /** Lets time pass, firing timers as they fall due. */
  advance(byMs: number): void;
  readonly timers: number;
}

export function createManualClock(startMs: number): ManualClock {
  let nowMs = startMs;
  /** What timers go by: unlike the wall clock it can't be set. */
  let steadyMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly fire: () => void }>();
  return {
    nowMs: () => nowMs,
    passedMs: () => steadyMs,
    get timers() {
      return timers.size;
    },
    set(newMs) {
      nowMs = newMs;
    },
    setTimer(delayMs, fire) {
      const timer = { atMs: steadyMs + delayMs, fire };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    advance(byMs) {
      const endMs = steadyMs + byMs;
      for (;;) {
        const [next] = [...timers]
          .filter(({ atMs }) => atMs <= endMs)
          .sort((left, right) => left.atMs - right.atMs);
        if (next === undefined) break;
        timers.delete(next);
        nowMs += next.atMs - steadyMs;
        steadyMs = next.atMs;
        next.fire();
      }
      nowMs += endMs - steadyMs;
      steadyMs = endMs;
    },
  };
}

/** The real worker on this thread, without a port. */
export interface InProcessWorker {
  call<Name extends WorkerMethodName>(
    method: Name,
    params: WorkerParams<Name>,
  ): Promise<WorkerResult<Name>>;
  readonly dues: readonly WorkerEvents["sweep.due"][];
}

export function createInProcessWorker(
  clock: Clock,
  options: Partial<WorkerCoreOptions> = {},
): InProcessWorker {
  const dues: WorkerEvents["sweep.due"][] = [];
  const waiting = new Map<
    number,
    { readonly resolve: (result: never) => void; readonly reject: (error: AppError) => void }
  >();
  const core = createWorkerCore({
    clock,
    passphraseCost: { passes: 1, memoryBytes: 8192 },
    post: (message: WorkerMessage) => {
      // What a port would do to it, so that a result that can't cross one fails here as well.
      const sent = structuredClone(message);
      if (sent.kind === "event") {
        dues.push(sent.body as WorkerEvents["sweep.due"]);
        return;
      }
      const call = waiting.get(sent.id);
      waiting.delete(sent.id);
      if (sent.kind === "failure") call?.reject(AppError.fromWire(sent.error));
      else call?.resolve(sent.result as never);
    },
    ...options,
  });
  let nextId = 1;
  return {
    dues,
    call(method, params) {
      const id = nextId++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        core.handle({ id, method, params: structuredClone(params) });
      });
    },
  };
}
