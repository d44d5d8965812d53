import type { StartStep } from "#protocol";

/** A step of starting, and whether it is over. */
export interface StepView {
  readonly name: StartStep;
  readonly state: "done" | "now" | "later";
}

const usualSteps = ["starting", "unlocking", "sweeping"] as const satisfies readonly StartStep[];
const freshSteps = [
  "making-keys",
  "starting-relay",
  "joining",
] as const satisfies readonly StartStep[];

/**
 * The steps to show. Which ones a start goes through depends on the profile: one that isn't among the expected ones is shown
 * alone rather than hidden.
 *
 * @param fresh - whether a new profile is being made
 */
export function stepsUpTo(step: StartStep, fresh: boolean): readonly StepView[] {
  const expected: readonly StartStep[] = fresh ? freshSteps : usualSteps;
  const at = expected.indexOf(step);
  if (at === -1) return [{ name: step, state: "now" }];
  return expected.map((name, index) => ({
    name,
    state: index < at ? "done" : index === at ? "now" : "later",
  }));
}
