import { setImmediate as nextTurn } from "node:timers/promises";

interface Happening {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

const startMs = Date.UTC(2026, 8, 1);

/**
 * Time that passes only when told, and everything that waits for it: timers of all devices and of the relay, frames on their way, slow
 * disks. One thing happens at a time, and all that follows from it before the next; so the same schedule takes the same course.
 */
export class Timeline {
  #nowMs = startMs;
  /** Days that nobody noticed: everybody slept. */
  #sleptMs = 0;
  #order = 0;
  readonly #heap: Happening[] = [];

  /** Milliseconds since 1970, as every clock shows them. */
  now(): number {
    return this.#nowMs + this.#sleptMs;
  }

  /** @returns what cancels it */
  at(delayMs: number, run: () => void): () => void {
    // As everywhere: in whole milliseconds.
    const atMs = this.#nowMs + Math.max(0, Math.ceil(delayMs));
    const happening = { atMs, order: this.#order++, run, cancelled: false };
    this.#push(happening);
    return () => {
      happening.cancelled = true;
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.at(delayMs, resolve);
    });
  }

  /** All machines are suspended for so long: clocks go on, timers don't. */
  leap(durationMs: number): void {
    this.#sleptMs += durationMs;
  }

  async pass(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    while (await this.#step(endMs));
    this.#nowMs = endMs;
  }

  /** Lets time pass until a promise is settled. @throws Error when it isn't in `limitMs` */
  async until<Result>(promise: Promise<Result>, limitMs = 600_000): Promise<Result> {
    let settled = false as boolean;
    const watched = promise.finally(() => {
      settled = true;
    });
    watched.catch(() => undefined);
    const endMs = this.#nowMs + limitMs;
    await nextTurn();
    for (;;) {
      if (settled) return watched;
      if (!(await this.#step(endMs))) throw new Error("it never came to an end");
    }
  }

  /** @returns whether something was left to happen until `endMs` */
  async #step(endMs: number): Promise<boolean> {
    const next = this.#heap[0];
    if (next === undefined || next.atMs > endMs) return false;
    this.#pop();
    if (next.cancelled) return true;
    this.#nowMs = next.atMs;
    next.run();
    // Everything in here goes by promises alone: by the next turn of the event loop all has followed.
    await nextTurn();
    return true;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(happening);
    while (index > 0) {
      const above = (index - 1) >> 1;
      if (!isBefore(happening, heap[above]!)) break;
      heap[index] = heap[above]!;
      index = above;
    }
    heap[index] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= heap.length) break;
      const right = below + 1;
      if (right < heap.length && isBefore(heap[right]!, heap[below]!)) below = right;
      if (!isBefore(heap[below]!, last)) break;
      heap[index] = heap[below]!;
      index = below;
    }
    heap[index] = last;
  }
}

function isBefore(left: Happening, right: Happening): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
