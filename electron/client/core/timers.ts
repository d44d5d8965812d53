import { boundTimers, type Policy, type TimerOrigin, type Timers } from "#protocol";

/** When a message ends, and which bound made it so. */
export interface MessageEnd {
  readonly endsAtMs: number;
  readonly burnSeconds: number | null;
  readonly origin: TimerOrigin;
  readonly originSeconds: number;
}

/** The bound of a conversation's messages, and what sets it. */
export function conversationBound(
  timers: Timers,
  policy: Policy,
): Timers & { readonly origin: TimerOrigin } {
  const network = { expirationSeconds: policy.maxExpirationSeconds, burnSeconds: null };
  const origin = timers.expirationSeconds <= network.expirationSeconds ? "conversation" : "network";
  return { ...boundTimers(timers, network), origin };
}

/** Ends travel in whole seconds (MIMI): the first one at which the time is up. */
function wholeSecond(timeMs: number): number {
  return Math.ceil(timeMs / 1000) * 1000;
}

/** A received life this close to the bound, as a share of it, was set by the bound: the rest was spent on the way. */
const boundShare = 0.9;

/**
 * The end of a message that is sent now.
 *
 * @param wanted - what the sender chose for this message; null: what the conversation says
 */
export function outgoingEnd(
  sentAtMs: number,
  wanted: Timers | null,
  room: Timers,
  policy: Policy,
): MessageEnd {
  const bound = conversationBound(room, policy);
  const timers = wanted === null ? bound : boundTimers(wanted, bound);
  const shorter = timers.expirationSeconds < bound.expirationSeconds;
  return {
    endsAtMs: wholeSecond(sentAtMs + timers.expirationSeconds * 1000),
    burnSeconds: timers.burnSeconds,
    origin: shorter ? "message" : bound.origin,
    originSeconds: timers.expirationSeconds,
  };
}

/**
 * The end of a message that was received: what its sender said, held to this reader's own bounds.
 *
 * @param sentAtMs - when the relay took it, as far as that can be believed
 * @param claimed - what the message says of itself
 */
export function incomingEnd(
  sentAtMs: number,
  claimed: { readonly expiresAtMs: number | null; readonly burnSeconds: number | null },
  room: Timers,
  policy: Policy,
): MessageEnd {
  const bound = conversationBound(room, policy);
  const limitMs = wholeSecond(sentAtMs + bound.expirationSeconds * 1000);
  const endsAtMs = Math.min(claimed.expiresAtMs ?? limitMs, limitMs);
  const lifeSeconds = Math.max(0, Math.round((endsAtMs - sentAtMs) / 1000));
  const bounded = lifeSeconds >= bound.expirationSeconds * boundShare;
  const burns = [claimed.burnSeconds, bound.burnSeconds].filter((seconds) => seconds !== null);
  return {
    endsAtMs,
    burnSeconds: burns.length === 0 ? null : Math.min(...burns),
    origin: bounded ? bound.origin : "message",
    originSeconds: bounded ? bound.expirationSeconds : lifeSeconds,
  };
}

/** The end of what this device notes by itself: system lines, and what couldn't be opened. */
export function localEnd(nowMs: number, room: Timers, policy: Policy): MessageEnd {
  return { ...outgoingEnd(nowMs, null, room, policy), burnSeconds: null };
}
