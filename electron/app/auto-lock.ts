import type { Clock } from "../link/index.ts";

const minute = 60_000;
/** A timer that rings early, or a machine whose idle time goes in steps, is asked again after this, milliseconds. */
const shortestMs = 1_000;
/** At least so often it is looked, milliseconds: timers stand still while a computer sleeps. */
const longestMs = 30_000;

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
  /** null while nothing is watched. */
  #lookedAtMs: number | null = null;
  #cancel: () => void = () => undefined;

  constructor(options: AutoLockOptions) {
    this.#options = options;
    this.#touchedAtMs = options.uptimeMs();
  }

  /** Begins to watch, or begins anew after what it goes by has changed. */
  watch(): void {
    this.#cancel();
    const { clock, idleMinutes, uptimeMs, onIdle } = this.#options;
    const minutes = idleMinutes();
    if (minutes === null) {
      this.#lookedAtMs = null;
      return;
    }
    // Whoever wakes the computer has touched it: what the system calls idle begins anew then.
    const hasSlept = this.#sleptMs() >= minutes * minute;
    if (hasSlept) onIdle();
    else this.#lookedAtMs = uptimeMs();
    const leftMs = hasSlept ? 0 : minutes * minute - this.#idleMs();
    this.#cancel = clock.setTimeout(
      () => {
        const limit = idleMinutes();
        if (limit !== null && this.#idleMs() >= limit * minute) onIdle();
        // Until it is locked, should that not be possible at once.
        this.watch();
      },
      Math.min(longestMs, Math.max(shortestMs, leftMs)),
    );
  }

  stop(): void {
    this.#cancel();
  }

  /** The person has done something in a window. */
  touched(): void {
    this.#touchedAtMs = this.#options.uptimeMs();
  }

  /** How long it wasn't looked, which is only long when the computer slept. */
  #sleptMs(): number {
    return this.#lookedAtMs === null ? 0 : this.#options.uptimeMs() - this.#lookedAtMs;
  }

  #idleMs(): number {
    const { systemIdleMs, uptimeMs } = this.#options;
    return systemIdleMs() ?? uptimeMs() - this.#touchedAtMs;
  }
}
