import { describe, expect, test } from "vitest";
import { TokenBucket } from "../../../../relay/link/limits.ts";

describe("the token bucket", () => {
  const make = (burst: number, perSecond: number) => {
    const clock = { nowMs: 1000 };
    const bucket = new TokenBucket({ burst, perSecond }, () => clock.nowMs);
    const admit = (sizeBytes = 100): string => bucket.admit(sizeBytes).kind;
    return { bucket, clock, admit };
  };

  test("lets a burst through, then as many as the time gives back, never more than a burst", () => {
    const { clock, admit } = make(3, 10);
    expect([admit(), admit(), admit(), admit()]).toEqual([
      "admitted",
      "admitted",
      "admitted",
      "limited",
    ]);
    clock.nowMs += 200;
    expect([admit(), admit(), admit()]).toEqual(["admitted", "admitted", "limited"]);
    clock.nowMs += 3_600_000;
    expect([admit(), admit(), admit(), admit()]).toEqual([
      "admitted",
      "admitted",
      "admitted",
      "limited",
    ]);
  });

  test("says how long to wait, and after that long it admits", () => {
    const { bucket, clock, admit } = make(2, 4);
    admit();
    admit();
    expect(bucket.admit(100)).toEqual({ kind: "limited", retryAfterMs: 250 });
    clock.nowMs += 250;
    expect(admit()).toBe("admitted");
  });

  test("counts large frames more, but admits the largest from a full bucket", () => {
    const { admit, clock } = make(100, 1);
    expect(admit(49 * 64 * 1024)).toBe("admitted");
    expect(admit(50 * 64 * 1024)).toBe("limited");
    clock.nowMs += 100_000;
    expect(admit(8 * 1024 * 1024)).toBe("admitted");
    expect(admit()).toBe("limited");
  });

  test("calls it a flood when refusals are ignored, but not when the client slows down", () => {
    const flood = make(5, 1);
    const kinds = Array.from({ length: 12 }, () => flood.admit());
    expect(kinds.slice(5, 10)).toEqual(Array(5).fill("limited"));
    expect(kinds.slice(10)).toEqual(["flood", "flood"]);

    const slow = make(5, 1);
    for (let round = 0; round < 50; round += 1) {
      for (let index = 0; index < 3; index += 1) expect(slow.admit()).not.toBe("flood");
      slow.clock.nowMs += 1000;
    }
  });

  test("starts full when its limit changes", () => {
    const { bucket, admit } = make(1, 1);
    admit();
    expect(admit()).toBe("limited");
    bucket.setLimit({ burst: 2, perSecond: 1 });
    expect([admit(), admit(), admit()]).toEqual(["admitted", "admitted", "limited"]);
  });
});
