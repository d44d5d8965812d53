import { Seat } from "../support/seat.ts";
import { Crew, removalKinds, victimsOf, type RemovalKind } from "./removal-crew.ts";

/** What came of sitting with those who were removed in one way. */
export interface RemovalOutcome {
  readonly kind: RemovalKind;
  removed: number;
  /** How often their seats were tried on what came after. */
  tries: number;
  opened: number;
  /** What the same code has opened from the seats of members who stay. */
  openedByMembers: number;
}

/** All of the last ones try what comes, and one in so many goes on till the end: nobody went so long ago that it wouldn't matter. A prime, so that they are of all kinds. */
const recentSeats = 12;
const keptEvery = 251;

/**
 * Members are removed in every way and come back; from their seats, which work on the commit that removes them too, everything is tried that comes afterwards.
 * Whoever stays, loses a race or comes back must read what is said from then on.
 *
 * @param perKind - how many are removed in each way, at least
 * @throws Error when somebody who belongs to the group is locked out of it, or a member's seat can't follow it
 */
export async function removeMembers(
  perKind: number,
  seed: number,
): Promise<readonly RemovalOutcome[]> {
  const crew = await Crew.begin(seed);
  const outcomes = removalKinds.map((kind) => ({
    ...{ kind, removed: 0, tries: 0, opened: 0, openedByMembers: 0 },
  }));
  const watch = new Watch();
  while (outcomes.some(({ removed }) => removed < perKind)) {
    for (const outcome of outcomes) {
      if (outcome.removed >= perKind) continue;
      await removeOnce(crew, watch, outcome);
    }
  }
  return outcomes;
}

async function removeOnce(crew: Crew, watch: Watch, outcome: RemovalOutcome): Promise<void> {
  const { kind } = outcome;
  const gone = crew.choose(victimsOf[kind]);
  const stayed = crew.others.filter((device) => !gone.includes(device));
  await crew.prepare(kind, gone);
  const member = await Seat.take(stayed[0]!, crew.id);
  const fresh = await Promise.all(gone.map((device) => Seat.take(device, crew.id)));
  for (const { bytes, removes } of await crew.remove(kind, gone)) {
    await watch.hear(bytes);
    await member.attack(bytes);
    for (const [at, seat] of fresh.entries()) {
      await seat.attack(bytes);
      if (removes.includes(gone[at]!)) watch.add(seat, outcome);
    }
  }
  outcome.removed += gone.length;
  const inside = [crew.anna, crew.ben, ...stayed, ...(kind === "replaced" ? gone : [])];
  for (const bytes of await crew.speak(inside)) {
    await watch.hear(bytes);
    if (!(await member.opens(bytes))) throw new Error(`${kind}: a member's seat opens nothing`);
    outcome.openedByMembers += 1;
  }
  if (kind === "replaced") return;
  await watch.hear(await crew.comeBack(gone, stayed));
  for (const bytes of await crew.speak([crew.anna, crew.ben, ...crew.others], gone)) {
    await watch.hear(bytes);
  }
}

interface Watcher {
  readonly seat: Seat;
  readonly outcome: RemovalOutcome;
}

/** The seats of those who were removed. */
class Watch {
  readonly #recent: Watcher[] = [];
  readonly #kept: Watcher[] = [];
  #added = 0;

  add(seat: Seat, outcome: RemovalOutcome): void {
    this.#recent.push({ seat, outcome });
    if (this.#recent.length <= recentSeats) return;
    const oldest = this.#recent.shift()!;
    if (this.#added++ % keptEvery === 0) this.#kept.push(oldest);
  }

  /** All of them try an entry. */
  async hear(bytes: Uint8Array): Promise<void> {
    for (const { seat, outcome } of [...this.#kept, ...this.#recent]) {
      outcome.tries += 1;
      if (await seat.opens(bytes)) outcome.opened += 1;
    }
  }
}
