import { seededRandom, type SeededRandom } from "../support/seeded.ts";

/** Something that happens in a scenario. What its numbers choose among depends on what there is then. */
export interface Step {
  readonly kind: StepKind;
  /** Which device. */
  readonly who: number;
  /** Which conversation. */
  readonly where: number;
  readonly what: number;
  /** How long nothing else is done afterwards, milliseconds. */
  readonly waitMs: number;
}

/** How often each happens, in relation to the others. */
const weights = {
  send: 34,
  rename: 10,
  timers: 4,
  role: 6,
  add: 14,
  remove: 10,
  leave: 3,
  create: 2,
  cut: 5,
  crash: 10,
  restart: 4,
  /** Away for many steps. */
  absence: 3,
  backUp: 4,
  rollBack: 2,
  leap: 2,
  /** Several change the conversation at once. */
  race: 6,
} as const;

export type StepKind =
  | keyof typeof weights
  /** The network's policy names another suite. Where it happens is drawn apart from the others: it never changes what they are. */
  | "suite"
  /** A device's next commit can be taken by nobody else. Nobody's does by chance: it is for schedules that are written by hand. */
  | "spoil";

const kinds = Object.entries(weights).flatMap(([kind, weight]) =>
  Array.from({ length: weight }, () => kind as StepKind),
);

/** Whether the policy changes in a seed's run: in every fifth one. */
export function changesSuite(seed: number): boolean {
  return seed % 5 === 4;
}

/** Who takes part: how many devices each person has. */
export type People = readonly number[];

/** Two to `maxDevices` devices of people who have one to three. */
export function choosePeople(seed: number, maxDevices: number): People {
  const random = seededRandom(seed ^ 0x5eed);
  const devices = 2 + random.below(maxDevices - 1);
  const people: number[] = [];
  let left = devices;
  while (left > 0) {
    const own = people.length < 2 ? 1 : Math.min(left, 1 + (random.below(8) % 3));
    people.push(own);
    left -= own;
  }
  return people;
}

/**
 * The steps of a seed, one after another without end.
 *
 * @param commits - how many the run is to have: the policy changes while it lasts
 */
export function* stepsOf(seed: number, commits: number): Generator<Step, never> {
  const random = seededRandom(seed);
  const suites = changesSuite(seed) ? suiteSteps(seed, commits) : new Map<number, Step>();
  for (let index = 0; ; index += 1) {
    const suite = suites.get(index);
    if (suite !== undefined) yield suite;
    yield {
      kind: random.pick(kinds),
      who: random.below(0x1_0000),
      where: random.below(0x1_0000),
      what: random.below(0x1_0000),
      waitMs: waitOf(random),
    };
  }
}

/** Two changes of the policy, by the number of the step before which they come. */
function suiteSteps(seed: number, commits: number): ReadonlyMap<number, Step> {
  const random = seededRandom(seed ^ 0x5017e);
  const first = random.below(commits);
  const second = first + 1 + commits + random.below(commits);
  const step = (): Step => ({
    kind: "suite",
    who: 0,
    where: 0,
    what: random.below(0x1_0000),
    // Until everybody has gone over, or just as they do.
    waitMs: random.below(15_000),
  });
  return new Map([
    [first, step()],
    [second, step()],
  ]);
}

function waitOf(random: SeededRandom): number {
  switch (random.below(4)) {
    case 0:
      return 0;
    case 1:
      return random.below(100);
    case 2:
      return random.below(2000);
    default:
      return random.below(200);
  }
}
