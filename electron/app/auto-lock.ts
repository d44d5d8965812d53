import type { Clock } from "../link/index.ts";

const minute = 60_000;
/** A timer that rings early, or a machine whose idle time goes in steps, is asked again after this, milliseconds. */
const shortestMs = 1_000;

/** What {@link AutoLock} needs. */
export interface AutoLockOptions {
  readonly clock: Clock;
  readonly uptimeMs: () => number;
  /** As in the ports of the app. */
  readonly systemIdleMs: () => number | null;
  /** After so many minutes without a touch it is time; null: never. */
  readonly idleMinutes: () => number | null;
  readonly onIdle: () => void;
}

/** Notices that nobody has touched Sotto for too long. */
export class AutoLock {
  readonly #options: AutoLockOptions;
  #touchedAtMs: number;
  #cancel: () => void = () => undefined;

  constructor(options: AutoLockOptions) {
    this.#options = options;
    this.#touchedAtMs = options.uptimeMs();
  }

  /** Begins to watch, or begins anew after what it goes by has changed. */
  watch(): void {
    this.#cancel();
    const { clock, idleMinutes, onIdle } = this.#options;
    const minutes = idleMinutes();
    if (minutes === null) return;
    const leftMs = minutes * minute - this.#idleMs();
    this.#cancel = clock.setTimeout(
      () => {
        const limit = idleMinutes();
        if (limit !== null && this.#idleMs() >= limit * minute) onIdle();
        else this.watch();
      },
      Math.max(shortestMs, leftMs),
    );
  }

  stop(): void {
    this.#cancel();
  }

  /** The person has done something in a window. */
  touched(): void {
    this.#touchedAtMs = this.#options.uptimeMs();
  }

  #idleMs(): number {
    const { systemIdleMs, uptimeMs } = this.#options;
    return systemIdleMs() ?? uptimeMs() - this.#touchedAtMs;
  }
}
