import { expect, test } from "vitest";
import { suiteNames } from "#protocol";
import { checkEnd, type End, type Verdict } from "./oracle.ts";
import { runScenario, type ScenarioOptions } from "./scenario.ts";
import type { StepKind } from "./schedule.ts";
import { shrink } from "./shrink.ts";

const kinds: readonly StepKind[] = ["send", "cut", "remove", "rename", "send"];
const options: ScenarioOptions = {
  seed: 5,
  commits: 20,
  suite: suiteNames.aes128,
  people: [1, 1, 2],
  steps: kinds.map((kind) => ({ kind, who: 0, where: 0, what: 1, waitMs: 3000 })),
};

/** A fault of another sort in every run, but of the sort that is looked for only in those in which somebody is removed. */
function planted(end: End): Verdict {
  const items = [...end.logs.values()].flatMap((log) => log.items);
  const removed = items.some((item) => item.kind === "commit" && item.remove.length > 0);
  const fault = { kind: removed ? "lost" : "stuck", text: "planted" } as const;
  return { ...checkEnd(end), findings: [fault] };
}

test("a schedule that fails is shrunk to what it takes to fail in the same way", async () => {
  let runs = 0;
  const run = (tried: ScenarioOptions) => {
    runs += 1;
    return runScenario(tried, planted);
  };
  const result = await run(options);
  expect(result.findings).toEqual([{ kind: "lost", text: "planted" }]);
  const small = await shrink({ options, result }, run);
  expect(small.options.steps?.map(({ kind }) => kind)).toEqual(["remove"]);
  expect(small.options.people).toEqual([1, 1]);
  expect(small.result.findings).toEqual(result.findings);
  expect(runs).toBeGreaterThan(5);
  // What is printed for `--replay` does so again.
  const printed = JSON.parse(JSON.stringify(small.options)) as ScenarioOptions;
  expect(await run(printed)).toEqual(small.result);
});

test("a run that doesn't fail stays as it is", async () => {
  const result = await runScenario(options);
  expect(result.findings).toEqual([]);
  const same = await shrink({ options, result }, () => Promise.reject(new Error("it is run")));
  expect(same).toEqual({ options: { ...options, steps: result.steps }, result });
});
