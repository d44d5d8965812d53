import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { boundTimers, maxTimerSeconds, minTimerSeconds, timersSchema } from "#protocol";
import { timers } from "../../support/protocol-arbitraries.ts";

describe("timersSchema", () => {
  test.each([
    { expirationSeconds: minTimerSeconds, burnSeconds: null },
    { expirationSeconds: maxTimerSeconds, burnSeconds: minTimerSeconds },
  ])("takes %j", (value) => {
    expect(v.parse(timersSchema, value)).toEqual(value);
  });

  test.each([
    { expirationSeconds: minTimerSeconds - 1, burnSeconds: null },
    { expirationSeconds: maxTimerSeconds + 1, burnSeconds: null },
    { expirationSeconds: 60, burnSeconds: minTimerSeconds - 1 },
    { expirationSeconds: 60, burnSeconds: maxTimerSeconds + 1 },
    { expirationSeconds: 60.5, burnSeconds: null },
    { expirationSeconds: null, burnSeconds: null },
    { expirationSeconds: Infinity, burnSeconds: null },
    { expirationSeconds: 60 },
    { burnSeconds: 60 },
    { expirationSeconds: 60, burnSeconds: null, more: 1 },
  ])("refuses %j", (value) => {
    expect(v.is(timersSchema, value)).toBe(false);
  });
});

describe("boundTimers", () => {
  const day = { expirationSeconds: 86_400, burnSeconds: null };

  test("a shorter wish holds", () => {
    const wanted = { expirationSeconds: 60, burnSeconds: 10 };
    expect(boundTimers(wanted, day)).toEqual(wanted);
  });

  test("a longer wish is cut to the bound", () => {
    expect(boundTimers({ expirationSeconds: 604_800, burnSeconds: null }, day)).toEqual(day);
  });

  test("what burns by rule can't be kept from burning, only burn sooner", () => {
    const bound = { expirationSeconds: 86_400, burnSeconds: 30 };
    expect(boundTimers(day, bound).burnSeconds).toBe(30);
    expect(boundTimers({ ...day, burnSeconds: 60 }, bound).burnSeconds).toBe(30);
    expect(boundTimers({ ...day, burnSeconds: 10 }, bound).burnSeconds).toBe(10);
  });

  test("what holds is never longer than either, and bounding twice changes nothing", () => {
    const burn = (seconds: number | null): number => seconds ?? Infinity;
    fc.assert(
      fc.property(timers, timers, (wanted, bound) => {
        const held = boundTimers(wanted, bound);
        expect(v.is(timersSchema, held)).toBe(true);
        for (const one of [wanted, bound]) {
          expect(held.expirationSeconds).toBeLessThanOrEqual(one.expirationSeconds);
          expect(burn(held.burnSeconds)).toBeLessThanOrEqual(burn(one.burnSeconds));
        }
        expect(boundTimers(held, bound)).toEqual(held);
        expect(boundTimers(bound, wanted)).toEqual(held);
      }),
    );
  });
});
