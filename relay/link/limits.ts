/** What one connection may cost. */
export interface RelayLimits {
  /** Connections at a time, signed in or not. */
  readonly maxConnections: number;
  /** From the connection until it must be signed in, milliseconds. */
  readonly signInTimeoutMs: number;
  /** Bytes that a connection may send in all before it is signed in. */
  readonly maxVisitorBytes: number;
  /** Pause between looks whether the other side is still there; it is given up after two without a sign of life, milliseconds. */
  readonly keepAliveMs: number;
  /** Bytes that may wait to be sent when a live event comes. */
  readonly maxUnsentBytes: number;
  /** Bytes that may wait to be sent before no further request is begun. */
  readonly unsentHighWaterBytes: number;
  /** Requests under way at a time. */
  readonly maxRequests: number;
  /** Tokens at most, and per second; a request costs one, and one more per 64 KiB. */
  readonly visitorRate: RateLimit;
  readonly deviceRate: RateLimit;
}

/** A token bucket. */
export interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

/** What an ordinary client never reaches. */
export const defaultLimits: RelayLimits = {
  maxConnections: 10_000,
  signInTimeoutMs: 60_000,
  maxVisitorBytes: 512 * 1024,
  keepAliveMs: 30_000,
  maxUnsentBytes: 16 * 1024 * 1024,
  unsentHighWaterBytes: 4 * 1024 * 1024,
  maxRequests: 32,
  visitorRate: { burst: 20, perSecond: 2 },
  deviceRate: { burst: 2000, perSecond: 1000 },
};

/** Bytes that cost as much as one request more. */
const bytesPerToken = 64 * 1024;

/** Whether a request may be done now. */
export type Admission =
  | { readonly kind: "admitted" }
  | { readonly kind: "limited"; readonly retryAfterMs: number }
  /** Far over the limit, without a pause: no client of ours. */
  | { readonly kind: "flood" };

/** Admits requests of one connection. */
export class TokenBucket {
  readonly #nowMs: () => number;
  #limit: RateLimit;
  #tokens: number;
  #refusedTokens = 0;
  #filledAtMs: number;

  constructor(limit: RateLimit, nowMs: () => number) {
    this.#limit = limit;
    this.#nowMs = nowMs;
    this.#tokens = limit.burst;
    this.#filledAtMs = nowMs();
  }

  /** Goes on with another limit, and full. */
  setLimit(limit: RateLimit): void {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#refusedTokens = 0;
  }

  /** @param sizeBytes - of the request's frame */
  admit(sizeBytes: number): Admission {
    const { burst, perSecond } = this.#limit;
    const nowMs = this.#nowMs();
    const gained = ((nowMs - this.#filledAtMs) / 1000) * perSecond;
    this.#tokens = Math.min(burst, this.#tokens + gained);
    this.#filledAtMs = nowMs;
    // Never more than the bucket holds, or a large frame could never be sent.
    const cost = Math.min(burst, 1 + Math.floor(sizeBytes / bytesPerToken));
    if (cost <= this.#tokens) {
      this.#tokens -= cost;
      this.#refusedTokens = 0;
      return { kind: "admitted" };
    }
    this.#refusedTokens += cost;
    if (this.#refusedTokens > burst) return { kind: "flood" };
    const missing = cost - this.#tokens;
    return { kind: "limited", retryAfterMs: Math.ceil((missing / perSecond) * 1000) };
  }
}
