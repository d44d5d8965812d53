import type { People, Step } from "./schedule.ts";
import { runScenario, type ScenarioOptions, type ScenarioResult } from "./scenario.ts";

/** How many smaller schedules are tried. */
const maxTries = 200;

/** A schedule that fails, and how. */
export interface Failing {
  readonly options: ScenarioOptions;
  readonly result: ScenarioResult;
}

/**
 * Looks for a smaller schedule that fails in the same way: with fewer steps, fewer people, fewer devices. One that doesn't fail stays as it is.
 *
 * @param run - runs what is tried
 */
export async function shrink(
  { options, result }: Failing,
  run: (options: ScenarioOptions) => Promise<ScenarioResult> = runScenario,
): Promise<Failing> {
  let smallest: Failing = { options: { ...options, steps: result.steps }, result };
  let tries = 0;
  const kinds = new Set(result.findings.map(({ kind }) => kind));
  if (kinds.size === 0) return smallest;

  const fails = async (steps: readonly Step[], people: People): Promise<boolean> => {
    if (tries >= maxTries) return false;
    tries += 1;
    const tried = { ...options, steps, people };
    const outcome = await run(tried);
    if (!outcome.findings.some(({ kind }) => kinds.has(kind))) return false;
    smallest = { options: { ...tried, steps: outcome.steps }, result: outcome };
    return true;
  };

  let before: number;
  do {
    before = sizeOf(smallest);
    for (const people of fewer(smallest.options.people)) await fails(stepsOf(smallest), people);
    await dropSteps(() => smallest, fails);
  } while (sizeOf(smallest) < before && tries < maxTries);
  return smallest;
}

const stepsOf = ({ options }: Failing): readonly Step[] => options.steps ?? [];

function sizeOf(failing: Failing): number {
  return stepsOf(failing).length + failing.options.people.reduce((sum, count) => sum + count, 0);
}

function fewer(people: People): readonly People[] {
  const found: People[] = [];
  if (people.some((count) => count > 1)) found.push(people.map(() => 1));
  for (let index = people.length - 1; people.length > 2 && index >= 0; index -= 1) {
    found.push(people.toSpliced(index, 1));
  }
  return found;
}

/** Leaves out runs of steps, long ones first. */
async function dropSteps(
  smallest: () => Failing,
  fails: (steps: readonly Step[], people: People) => Promise<boolean>,
): Promise<void> {
  for (let size = stepsOf(smallest()).length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < stepsOf(smallest()).length;) {
      const rest = stepsOf(smallest()).toSpliced(from, size);
      if (!(await fails(rest, smallest().options.people))) from += size;
    }
  }
}
