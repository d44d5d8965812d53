/**
 * Why a relay closed a connection: the WebSocket close code, with its name as the close reason. Besides them a relay sends 1001
 * (it is stopping), 1009 (a message above `maxFrameBytes`) and 1011 (it could not start the connection).
 * Source: RFC 6455 §7.4.2 (4000 to 4999 are an application's own).
 */
export const relayCloseCodes = {
  /** A message that is no request frame, or a request id that doesn't grow. */
  "frame-malformed": 4400,
  /** Nobody signed in within the time for it. */
  "sign-in-timeout": 4408,
  /** The client reads too slowly for its live events: it connects again and catches up by reading. */
  resync: 4409,
  /** The same device signed in on another connection. */
  replaced: 4410,
  /** The device was revoked. */
  "device-revoked": 4411,
  /** Its person was suspended. */
  "account-suspended": 4412,
  /** Too large for a connection that isn't signed in. */
  "frame-too-large": 4413,
  /** Requests went on and on after `rate-limited`. */
  flood: 4429,
} as const satisfies Readonly<Record<string, number>>;

/** The name of a reason for which a relay closes a connection. */
export type RelayCloseReason = keyof typeof relayCloseCodes;
