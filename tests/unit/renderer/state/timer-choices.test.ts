import { describe, expect, test } from "vitest";
import {
  burnForbidden,
  burnOffer,
  customSeconds,
  expirationOffer,
} from "../../../../renderer/state/timer-choices.ts";

const week = 604_800;
const bound = { expirationSeconds: week, burnSeconds: null, origin: "conversation" } as const;

describe("lives on offer", () => {
  test("longer than the bound are shown with the reason, the bound itself is free", () => {
    const offer = expirationOffer(bound, week);
    expect(
      offer.filter(({ forbidden }) => forbidden === null).map(({ seconds }) => seconds),
    ).toEqual([300, 3600, 28_800, 86_400, week]);
    expect(offer.find(({ seconds }) => seconds === 2_592_000)?.forbidden).toEqual({
      kind: "conversation",
      seconds: week,
    });
  });

  test("name the network when it is its bound", () => {
    const offer = expirationOffer({ ...bound, origin: "network" }, week);
    expect(offer.at(-1)?.forbidden).toEqual({ kind: "network", seconds: week });
  });

  test("hold the chosen one and the bound in order, even when they are unusual", () => {
    const seconds = expirationOffer({ ...bound, expirationSeconds: 5000 }, 45).map(
      (choice) => choice.seconds,
    );
    expect(seconds).toContain(45);
    expect(seconds).toContain(5000);
    expect(seconds).toEqual(seconds.toSorted((left, right) => left - right));
  });
});

describe("burn-on-read on offer", () => {
  const timers = { expirationSeconds: week, burnSeconds: null };

  test("begins with off", () => {
    expect(burnOffer(bound, timers)[0]).toEqual({ seconds: null, forbidden: null });
  });

  test("can't be switched off or lengthened where the conversation burns", () => {
    const burning = { ...bound, burnSeconds: 60 };
    expect(burnForbidden(null, burning, week)).toEqual({ kind: "burn-off" });
    expect(burnForbidden(300, burning, week)).toEqual({ kind: "burn-longer", seconds: 60 });
    expect(burnForbidden(30, burning, week)).toBeNull();
  });

  test("never lasts as long as the message", () => {
    expect(burnForbidden(3600, bound, 3600)).toEqual({ kind: "burn-past-end" });
    expect(burnForbidden(3599, bound, 3600)).toBeNull();
  });
});

describe("a typed duration", () => {
  test.each([
    [90, "minutes", 5400],
    [5, "seconds", 5],
    [3650, "days", 315_360_000],
  ] as const)("%d %s are %d seconds", (amount, unit, seconds) => {
    expect(customSeconds(amount, unit)).toBe(seconds);
  });

  test.each([
    [4, "seconds"],
    [0, "hours"],
    [-1, "days"],
    [1.5, "hours"],
    [Number.NaN, "hours"],
    [3651, "days"],
  ] as const)("%d %s is none", (amount, unit) => {
    expect(customSeconds(amount, unit)).toBeNull();
  });
});
