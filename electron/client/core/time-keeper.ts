import type { Clock } from "../../link/index.ts";

/**
 * Time that never runs backwards: the machine's clock, put forward by as much as a relay's was ever seen ahead of it in this run,
 * and never behind the largest time that was ever seen.
 */
export class TimeKeeper {
  readonly #clock: Clock;
  #floorMs: number;
  #aheadMs = 0;

  /** @param floorMs - the largest time seen before, milliseconds */
  constructor(clock: Clock, floorMs: number) {
    this.#clock = clock;
    this.#floorMs = floorMs;
  }

  /** Milliseconds since 1970-01-01T00:00Z. */
  now(): number {
    this.#floorMs = Math.max(this.#floorMs, this.#clock.now() + this.#aheadMs);
    return this.#floorMs;
  }

  /** A time that is known to have come. */
  raise(timeMs: number): void {
    this.#floorMs = Math.max(this.#floorMs, timeMs);
  }

  /** What a relay's clock shows just now. @returns how far that puts this one forward, milliseconds */
  observe(timeMs: number): number {
    const forwardMs = Math.max(0, timeMs - this.#clock.now() - this.#aheadMs);
    this.#aheadMs += forwardMs;
    return forwardMs;
  }
}
