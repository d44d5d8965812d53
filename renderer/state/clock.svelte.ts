import { createSubscriber } from "svelte/reactivity";

/** Where time comes from. */
export interface ClockPorts {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Runs `task` again and again. @returns a disposer */
  readonly every: (task: () => void, intervalMs: number) => () => void;
}

const secondMs = 1000;
const slowMs = 20_000;

/** The present as rune state. It ticks only while something on the page looks at it. */
export class Clock {
  readonly #ports: ClockPorts;
  readonly #everySecond: () => void;
  readonly #slowly: () => void;

  /** @param ports - the time and a repeating timer */
  constructor(ports: ClockPorts) {
    this.#ports = ports;
    this.#everySecond = createSubscriber((update) => ports.every(update, secondMs));
    this.#slowly = createSubscriber((update) => ports.every(update, slowMs));
  }

  /** The present, without following it. */
  get nowMs(): number {
    return this.#ports.now();
  }

  /** The present, followed each second: for countdowns. */
  get secondMs(): number {
    this.#everySecond();
    return this.#ports.now();
  }

  /** The present, followed three times a minute: for everything that doesn't count seconds. */
  get minuteMs(): number {
    this.#slowly();
    return this.#ports.now();
  }

  /**
   * The present, followed as closely as an end at `endMs` needs.
   *
   * @param endMs - milliseconds since 1970
   */
  towards(endMs: number): number {
    return endMs - this.nowMs < 3 * 60 * secondMs ? this.secondMs : this.minuteMs;
  }
}
