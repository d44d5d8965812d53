import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NetworkId, Policy, Timers } from "#protocol";
import {
  conversationBound,
  incomingEnd,
  localEnd,
  outgoingEnd,
} from "../../../../electron/client/core/timers.ts";

const policy: Policy = {
  networkId: "AAAAAAAAAAAAAAAAAAAAAA" as NetworkId,
  networkName: "Harbour",
  version: 1,
  issuedAtMs: 0,
  maxExpirationSeconds: 1000,
  defaultExpirationSeconds: 100,
  membersMayInvite: false,
};
const hour: Timers = { expirationSeconds: 600, burnSeconds: null };

describe("the end of a message that is sent", () => {
  test("is the conversation's, unless the sender chose a shorter one", () => {
    expect(outgoingEnd(10_000, null, hour, policy)).toEqual({
      endsAtMs: 610_000,
      burnSeconds: null,
      origin: "conversation",
      originSeconds: 600,
    });
    const wanted = { expirationSeconds: 5, burnSeconds: 7 };
    expect(outgoingEnd(10_000, wanted, hour, policy)).toEqual({
      endsAtMs: 15_000,
      burnSeconds: 7,
      origin: "message",
      originSeconds: 5,
    });
  });

  test("is never past the network's bound, whatever conversation and sender say", () => {
    const forever = { expirationSeconds: 1_000_000, burnSeconds: null };
    expect(outgoingEnd(0, forever, forever, policy)).toMatchObject({
      endsAtMs: 1_000_000,
      origin: "network",
      originSeconds: 1000,
    });
    expect(conversationBound(forever, policy).origin).toBe("network");
  });

  test("burns where the conversation burns, with the shorter time of the two", () => {
    const burning = { expirationSeconds: 600, burnSeconds: 30 };
    expect(outgoingEnd(0, null, burning, policy).burnSeconds).toBe(30);
    const wanted = (burnSeconds: number | null) => ({ expirationSeconds: 600, burnSeconds });
    expect(outgoingEnd(0, wanted(null), burning, policy).burnSeconds).toBe(30);
    expect(outgoingEnd(0, wanted(60), burning, policy).burnSeconds).toBe(30);
    expect(outgoingEnd(0, wanted(10), burning, policy).burnSeconds).toBe(10);
  });

  test("is a whole second, as it travels, and not before the time is up", () => {
    expect(outgoingEnd(10_001, null, hour, policy).endsAtMs).toBe(611_000);
  });
});

describe("the end of a message that is received", () => {
  test("is what its sender says, when that is within the bounds", () => {
    const claimed = { expiresAtMs: 15_000, burnSeconds: 7 };
    expect(incomingEnd(10_000, claimed, hour, policy)).toEqual({
      endsAtMs: 15_000,
      burnSeconds: 7,
      origin: "message",
      originSeconds: 5,
    });
  });

  test("is held to this reader's own bounds", () => {
    const claimed = { expiresAtMs: 10_000_000, burnSeconds: null };
    expect(incomingEnd(0, claimed, hour, policy)).toMatchObject({
      endsAtMs: 600_000,
      origin: "conversation",
      originSeconds: 600,
    });
    const burning = { expirationSeconds: 600, burnSeconds: 30 };
    expect(incomingEnd(0, claimed, burning, policy).burnSeconds).toBe(30);
  });

  test("is the bound's when a foreign sender gives none", () => {
    const claimed = { expiresAtMs: null, burnSeconds: null };
    expect(incomingEnd(500, claimed, hour, policy).endsAtMs).toBe(601_000);
  });

  test("is put down to the bound when only the way has shortened it", () => {
    const claimed = { expiresAtMs: 600_000, burnSeconds: null };
    expect(incomingEnd(20_000, claimed, hour, policy)).toMatchObject({
      endsAtMs: 600_000,
      origin: "conversation",
      originSeconds: 600,
    });
  });

  const seconds = fc.integer({ min: 5, max: 2_000_000 });
  const timers = fc.record({ expirationSeconds: seconds, burnSeconds: fc.option(seconds) });
  const timeMs = fc.integer({ min: 0, max: 2_000_000_000_000 });

  test("equals the sender's when relay and clocks agree, and is never past a bound", () => {
    fc.assert(
      fc.property(timeMs, fc.option(timers), timers, (sentAtMs, wanted, room) => {
        const sent = outgoingEnd(sentAtMs, wanted, room, policy);
        const claimed = { expiresAtMs: sent.endsAtMs, burnSeconds: sent.burnSeconds };
        const received = incomingEnd(sentAtMs, claimed, room, policy);
        expect(received.endsAtMs).toBe(sent.endsAtMs);
        expect(received.burnSeconds).toBe(sent.burnSeconds);
      }),
    );
    fc.assert(
      fc.property(timeMs, timeMs, timers, (sentAtMs, expiresAtMs, room) => {
        const claimed = { expiresAtMs, burnSeconds: null };
        const { endsAtMs } = incomingEnd(sentAtMs, claimed, room, policy);
        const boundMs = Math.min(room.expirationSeconds, policy.maxExpirationSeconds) * 1000;
        expect(endsAtMs).toBeLessThan(sentAtMs + boundMs + 1000);
        expect(endsAtMs).toBeLessThanOrEqual(expiresAtMs);
      }),
    );
  });
});

test("what this device notes by itself ends with the conversation's timer and never burns", () => {
  const burning = { expirationSeconds: 600, burnSeconds: 30 };
  expect(localEnd(0, burning, policy)).toMatchObject({ endsAtMs: 600_000, burnSeconds: null });
});
