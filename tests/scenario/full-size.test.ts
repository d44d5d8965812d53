import { expect, test } from "vitest";
import { planOf, runScenario, suiteOf } from "./scenario.ts";

/*
 * Two of the 1,000 seeds that `npm run test:scenario` runs, as long as there: one of 23 devices, and one of 10 whose conversations go over to
 * another suite four times. They are among those that take the least time.
 */

test.each([
  { seed: 340, devices: 23, reinits: 0 },
  { seed: 424, devices: 10, reinits: 4 },
])(
  "after a hundred commits of $devices devices everybody is in the same state (seed $seed)",
  async ({ seed, ...expected }) => {
    const options = { ...planOf(seed, 100, 30), suite: suiteOf(seed) };
    const { findings, trace, commits, devices, reinits } = await runScenario(options);
    expect(findings, trace.join("\n")).toEqual([]);
    expect(commits).toBeGreaterThanOrEqual(100);
    expect({ devices, reinits }).toEqual(expected);
  },
  // A quarter of a minute each, on a machine that does nothing else.
  600_000,
);
