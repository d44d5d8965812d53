import { AppError } from "#protocol";
import type { Clock } from "../../link/index.ts";

/**
 * How far a relay's clock may be from this computer's, milliseconds. Within it the relay is believed, so that clocks which are a
 * little off end messages together; beyond it one of the two is wrong, and nothing may be ended by either's word.
 */
export const maxClockDifferenceMs = 10 * 60_000;

/** The wall clock has moved by this much more or less than time has passed: somebody set it, or the computer slept. Milliseconds. */
const jumpMs = 2000;

/** A jump forward that no relay confirms is believed after so much running time, milliseconds. */
const doubtMs = 10 * 60_000;

/** What an earlier life knew of the time. */
export interface KeptTime {
  /** The largest time seen, milliseconds. */
  readonly floorMs: number;
  /** {@link TimeKeeper.certain} as it was; null: never. */
  readonly certainMs: number | null;
}

/**
 * Three times. {@link real} is this computer's clock, put forward by at most {@link maxClockDifferenceMs} if its relay's is ahead: what is
 * sent is stamped and limited by it. {@link now} never runs backwards while this computer's clock is nobody's but its own, and only
 * hides and ends what is stored here. Where a relay and this computer agree on the time, both begin anew from it: a clock that was
 * far ahead once, and was corrected, ends nothing that comes after. {@link certain} is the time by which keys are destroyed, which nothing
 * takes back: it doesn't follow a clock that was put far forward until a relay agrees, or until it has stayed so for a while
 * (docs/adr/0019).
 */
export class TimeKeeper {
  readonly #clock: Pick<Clock, "now">;
  readonly #monotonicMs: () => number;
  #floorMs: number;
  #aheadMs = 0;
  #wallMs: number;
  #passedMs: number;
  #certainMs: number;
  /** Since when this computer's clock is far ahead of {@link certain}, by the time that nobody can set. */
  #doubtedSinceMs: number | null = null;

  /**
   * @param monotonicMs - time that has passed since any moment, which nobody can set
   */
  constructor(
    clock: Pick<Clock, "now">,
    { floorMs, certainMs }: KeptTime,
    monotonicMs: () => number = () => performance.now(),
  ) {
    this.#clock = clock;
    this.#monotonicMs = monotonicMs;
    this.#floorMs = floorMs;
    this.#wallMs = clock.now();
    this.#passedMs = Math.floor(monotonicMs());
    this.#certainMs = certainMs ?? this.#wallMs;
  }

  /** The time by which things end here, milliseconds since 1970-01-01T00:00Z. Goes on even while the clock is behind. */
  now(): number {
    const realMs = this.real();
    this.#floorMs = Math.max(this.#floorMs, realMs);
    return this.#floorMs;
  }

  /** The time by which things are sent, milliseconds since 1970-01-01T00:00Z. */
  real(): number {
    const wallMs = this.#clock.now();
    const passedMs = Math.floor(this.#monotonicMs());
    const elapsedMs = passedMs - this.#passedMs;
    // Set by its person or by the network: what the relay said of the clock as it was doesn't hold of it any more.
    if (Math.abs(wallMs - this.#wallMs - elapsedMs) > jumpMs) {
      this.#aheadMs = 0;
      this.#doubtedSinceMs = null;
    }
    this.#floorMs += elapsedMs;
    this.#certainMs += elapsedMs;
    this.#wallMs = wallMs;
    this.#passedMs = passedMs;
    return wallMs + this.#aheadMs;
  }

  /** The time by which things are destroyed, milliseconds since 1970-01-01T00:00Z; what ends between it and {@link now} is only hidden. */
  certain(): number {
    const realMs = this.real();
    if (realMs - this.#certainMs <= maxClockDifferenceMs) {
      this.#certainMs = Math.max(this.#certainMs, realMs);
      this.#doubtedSinceMs = null;
    } else {
      this.#doubtedSinceMs ??= this.#passedMs;
      if (this.#passedMs - this.#doubtedSinceMs >= doubtMs) {
        this.#certainMs = realMs;
        this.#doubtedSinceMs = null;
      }
    }
    return this.#certainMs;
  }

  /** A time that is known to have come here. */
  raise(timeMs: number): void {
    // What has passed until now would else be added to it once more.
    this.real();
    this.#floorMs = Math.max(this.#floorMs, timeMs);
  }

  /**
   * When the relay says to have taken something, which may be long ago.
   *
   * @returns how far that puts {@link real} forward, milliseconds; nothing beyond the bound
   */
  witness(timeMs: number): number {
    const forwardMs = timeMs - this.real();
    if (forwardMs <= 0 || this.#aheadMs + forwardMs > maxClockDifferenceMs) return 0;
    this.#aheadMs += forwardMs;
    return forwardMs;
  }

  /**
   * Holds a relay's clock, as it is just now, against this computer's.
   *
   * @throws AppError `clock-differs` with the difference; nothing has changed then
   */
  ensureAgreed(timeMs: number): void {
    const differenceMs = timeMs - this.#clock.now();
    if (Math.abs(differenceMs) <= maxClockDifferenceMs) return;
    throw new AppError("clock-differs", { data: { differenceMs } });
  }

  /**
   * Begins anew from the time on which a relay and this computer agree.
   *
   * @param isOther - whether the relay's clock is another one than this computer's; only then it proves anything
   * @throws AppError as {@link ensureAgreed}
   */
  agree(timeMs: number, isOther = true): void {
    this.ensureAgreed(timeMs);
    this.real();
    this.#aheadMs = Math.max(0, timeMs - this.#wallMs);
    this.#floorMs = this.#wallMs + this.#aheadMs;
    if (!isOther && this.#floorMs > this.#certainMs) return;
    this.#certainMs = this.#floorMs;
    this.#doubtedSinceMs = null;
  }
}
