import { expect, test } from "vitest";
import { suiteNames } from "#protocol";
import { planOf, runScenario, suiteOf } from "./scenario.ts";
import type { Step } from "./schedule.ts";

/*
 * Ordinary life, shuffled by a seed: a few people talk, change the conversation, lose their network, crash at any point, are put back from a copy; in every
 * fifth one the network's policy names another suite, twice (docs/adr/0027). In the end everybody is in the same state and in that suite, has read what was
 * theirs and nothing else, and nothing was unopenable. These 25 seeds are small; two of the size that `npm run test:scenario` runs 1,000 of
 * are in full-size.test.ts.
 */

const seeds = Array.from({ length: 25 }, (_, index) => index + 1);
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
  // It is one of those in which conversations go over to another suite.
  expect(first.reinits).toBeGreaterThan(0);
});

test("a copy from before a Welcome that was acknowledged is noticed, though nothing else tells of it", async () => {
  const steps: readonly Step[] = [
    { kind: "backUp", who: 26935, where: 60462, what: 1477, waitMs: 171 },
    { kind: "add", who: 21946, where: 43259, what: 10034, waitMs: 0 },
    { kind: "cut", who: 33631, where: 30294, what: 61514, waitMs: 0 },
    { kind: "send", who: 10308, where: 1241, what: 25241, waitMs: 765 },
    { kind: "rollBack", who: 61879, where: 64115, what: 41236, waitMs: 93 },
  ];
  const people = [1, 1, 3, 1, 1];
  const { findings } = await runScenario({
    seed: 7,
    commits: 20,
    suite: suiteNames.aes128,
    people,
    steps,
  });
  expect(findings).toEqual([]);
}, 60_000);

test("a copy from before a conversation that its device has made is noticed, though nothing else tells of it", async () => {
  const at = { who: 2, where: 0, what: 0 };
  const steps: readonly Step[] = [
    { kind: "backUp", ...at, waitMs: 100 },
    { kind: "create", ...at, waitMs: 5000 },
    { kind: "rollBack", ...at, waitMs: 100 },
  ];
  const { findings } = await runScenario({
    seed: 1,
    commits: 20,
    suite: suiteNames.aes128,
    people: [1, 1, 1],
    steps,
  });
  expect(findings).toEqual([]);
}, 60_000);
