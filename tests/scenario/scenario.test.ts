import { expect, test } from "vitest";
import { planOf, runScenario, suiteOf } from "./scenario.ts";

/*
 * Ordinary life, shuffled by a seed: a few people talk, change the conversation, lose their network, crash at any point, are put back from a copy. In the end
 * everybody is in the same state, has read what was theirs and nothing else, and nothing was unopenable. `npm run test:scenario` does so at length, and
 * shrinks a schedule that fails.
 */

const seeds = Array.from({ length: 26 }, (_, index) => index + 1);
const commits = 6;
const devices = 5;

test.each(seeds)("whatever happens, everybody ends up with the same (seed %i)", async (seed) => {
  const options = { ...planOf(seed, commits, devices), suite: suiteOf(seed) };
  const { findings, trace, commits: made } = await runScenario(options);
  expect(findings, trace.join("\n")).toEqual([]);
  expect(made).toBeGreaterThan(0);
});

test("the same seed takes the same course", async () => {
  const options = { ...planOf(4, commits, devices), suite: suiteOf(4) };
  const first = await runScenario(options);
  expect(await runScenario(options)).toEqual(first);
});
