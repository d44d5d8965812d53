import type { Deadline, MessageId } from "#protocol";
import type { Clock, FloorClock } from "./clock.ts";
import { createDeadlineHeap } from "./deadline-heap.ts";

/** Tells when messages end. */
export interface Sweeper {
  /** Begins anew. @returns what has ended already */
  begin(floorMs: number, deadlines: readonly Deadline[]): readonly MessageId[];
  /** Adds or moves deadlines; what is due at once is told through `onDue`. */
  schedule(deadlines: readonly Deadline[]): void;
  cancel(messageIds: readonly MessageId[]): void;
  /** What another clock shows just now, milliseconds. */
  observe(timeMs: number): void;
  nowMs(): number;
  /** Forgets all deadlines and tells nothing any more. */
  stop(): void;
}

/** Timers stand still while a computer sleeps, and the wall clock may be set: look at least this often. */
const longestSleepMs = 30_000;

/**
 * @param clock - for timers
 * @param time - never runs backwards
 * @param onDue - messages that have ended, the earliest first
 */
export function createSweeper(
  clock: Clock,
  time: FloorClock,
  onDue: (messageIds: readonly MessageId[], nowMs: number) => void,
): Sweeper {
  const heap = createDeadlineHeap();
  let cancelTimer: (() => void) | null = null;

  function rest(): void {
    cancelTimer?.();
    cancelTimer = null;
    const earliestMs = heap.earliestMs();
    if (earliestMs === undefined) return;
    const delayMs = Math.min(Math.max(earliestMs - time.nowMs(), 0), longestSleepMs);
    cancelTimer = clock.setTimer(delayMs, sweep);
  }

  function sweep(): void {
    const nowMs = time.nowMs();
    const due = heap.takeDue(nowMs);
    if (due.length > 0) onDue(due, nowMs);
    rest();
  }

  return {
    nowMs: () => time.nowMs(),
    begin(floorMs, deadlines) {
      time.raise(floorMs);
      heap.clear();
      for (const deadline of deadlines) heap.set(deadline);
      const due = heap.takeDue(time.nowMs());
      rest();
      return due;
    },
    schedule(deadlines) {
      for (const deadline of deadlines) heap.set(deadline);
      rest();
    },
    cancel(messageIds) {
      for (const messageId of messageIds) heap.delete(messageId);
      rest();
    },
    observe(timeMs) {
      time.observe(timeMs);
      rest();
    },
    stop() {
      heap.clear();
      rest();
    },
  };
}
