import { expect, test } from "vitest";
import { createFloorClock } from "../../../../crypto/sweep/clock.ts";

const startMs = 1_000_000;

test.each(["nowMs", "observe"] as const)(
  "a process that is held up between two clocks isn't ahead of either afterwards: %s",
  (reading) => {
    let trueMs = startMs;
    let heldUpMs = 0;
    const read = (): number => {
      const ms = trueMs;
      trueMs += heldUpMs;
      return ms;
    };
    const time = createFloorClock({ nowMs: read, passedMs: read });
    heldUpMs = 127;
    if (reading === "observe") time.observe(startMs);
    else time.nowMs();
    heldUpMs = 0;
    expect(time.nowMs()).toBe(trueMs);
    trueMs += 5000;
    expect(time.nowMs()).toBe(trueMs);
  },
);
