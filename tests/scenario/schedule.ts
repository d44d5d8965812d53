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

export type StepKind = keyof typeof weights;

const kinds = Object.entries(weights).flatMap(([kind, weight]) =>
  Array.from({ length: weight }, () => kind as StepKind),
);

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

/** The steps of a seed, one after another without end. */
export function* stepsOf(seed: number): Generator<Step, never> {
  const random = seededRandom(seed);
  for (;;) {
    yield {
      kind: random.pick(kinds),
      who: random.below(0x1_0000),
      where: random.below(0x1_0000),
      what: random.below(0x1_0000),
      waitMs: waitOf(random),
    };
  }
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
