/** How often the clock is looked at, milliseconds. */
const everyMs = 50;

/** Watches whether somebody sets this machine's clock, as a virtual machine's host does. */
export class WallClock {
  #highestMs = -Infinity;
  #lowestMs = Infinity;
  readonly #timer = setInterval(() => {
    this.#look();
  }, everyMs);

  constructor() {
    this.#look();
  }

  /** How far the clock was ahead at most of where it was at its least, against time that nobody can set, milliseconds. */
  swingMs(): number {
    this.#look();
    return this.#highestMs - this.#lowestMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const aheadMs = Date.now() - performance.now();
    this.#highestMs = Math.max(this.#highestMs, aheadMs);
    this.#lowestMs = Math.min(this.#lowestMs, aheadMs);
  }
}
