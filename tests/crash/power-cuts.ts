import type { CryptoWorker } from "#protocol";
import { seededRandom, type SeededRandom } from "../support/seeded.ts";
import { hashOf, imagesOf } from "../support/vault-disk/disk-images.ts";
import { afterRestart, checkImage, vaultDirectory } from "../support/vault-disk/image-check.ts";
import { emptyDisk, type DiskImage } from "../support/vault-disk/operations.ts";
import { trackDisk } from "../support/vault-disk/pending-operations.ts";
import { createRecordingDisk, type RecordingDisk } from "../support/vault-disk/recording-disk.ts";
import {
  copyOf,
  expectationAfter,
  expectMark,
  nothingExpected,
  signatureOf,
  type Expectation,
  type FoundVault,
  type VaultMark,
} from "../support/vault-disk/vault-ledger.ts";
import { createLife, lifeSteps, type LifeStep } from "../support/vault-disk/vault-life.ts";

/** What a series of power cuts came to. */
export interface PowerCutResult {
  /** Different disk images that were opened, all of which held what they must. */
  readonly images: number;
  /** Points in time at which power failed. */
  readonly cuts: number;
}

/** How much is tried. */
export interface PowerCutOptions {
  readonly worker: CryptoWorker;
  /** Up to so many images of one point are all opened. */
  readonly exhaustive: number;
  /** Of more, so many. */
  readonly sampled: number;
  /** Every so manieth image is looked at with each slot, and once more after it was closed. */
  readonly thoroughEvery: number;
  /** Is told, after each life, how many images were good so far. */
  readonly onLife?: (images: number) => void;
}

/** A disk to go on from, and what must be on it. */
interface Beginning {
  readonly image: DiskImage;
  readonly expectation: Expectation;
}

interface Tally {
  readonly seen: Set<string>;
  readonly verdicts: Map<string, FoundVault>;
  cuts: number;
}

/** Lives as the seeds have them, each of several parts: power fails, and what was left is gone on with. */
export async function cutPowerAtRandom(
  seeds: readonly number[],
  options: PowerCutOptions & { readonly parts: number; readonly steps: number },
): Promise<PowerCutResult> {
  const total = createTally();
  for (const seed of seeds) {
    const random = seededRandom(seed);
    const tally = createTally();
    let beginning: Beginning | null = {
      image: emptyDisk(parentOfVault),
      expectation: nothingExpected(),
    };
    for (let part = 0; part < options.parts; part++) {
      const steps = Array.from({ length: options.steps }, () => random.pick(lifeSteps));
      const what = `seed ${seed}, part ${part}: ${steps.join(", ")}`;
      beginning = await liveAndCut(beginning, steps, { options, random, tally, what });
    }
    add(total, tally);
    options.onLife?.(total.seen.size);
  }
  return { images: total.seen.size, cuts: total.cuts };
}

/** Every combination of three steps, from a vault that holds a little of everything. */
export async function cutPowerInCombinations(
  options: PowerCutOptions,
  isChosen: (index: number) => boolean = () => true,
): Promise<PowerCutResult & { readonly combinations: number }> {
  const random = seededRandom(3);
  const tally = createTally();
  const start = await beginWithSomething({ options, random, tally, what: "the beginning" });
  let combinations = 0;
  let index = 0;
  for (const first of lifeSteps) {
    for (const second of lifeSteps) {
      for (const third of lifeSteps) {
        if (!isChosen(index++)) continue;
        combinations += 1;
        const steps = [first, second, third];
        await liveAndCut(start, steps, { options, random, tally, what: steps.join(", ") });
        options.onLife?.(tally.seen.size);
      }
    }
  }
  return { images: tally.seen.size, cuts: tally.cuts, combinations };
}

/** A vault in good order that holds a little of everything. */
async function beginWithSomething(cutting: Cutting): Promise<Beginning> {
  const expectation = nothingExpected();
  const beginning = { image: emptyDisk(parentOfVault), expectation };
  const steps = ["commit", "message", "message", "set passphrase", "commit"] as const;
  const disk = await live(beginning, steps, cutting);
  for (const event of disk.history.events) {
    if (event.kind === "mark") expectMark(expectation, event.mark);
  }
  return { image: disk.image(), expectation };
}

const parentOfVault = vaultDirectory.slice(0, vaultDirectory.lastIndexOf("/"));

function createTally(): Tally {
  return { seen: new Set(), verdicts: new Map(), cuts: 0 };
}

function add(total: Tally, { seen, cuts }: Tally): void {
  for (const hash of seen) total.seen.add(hash);
  total.cuts += cuts;
}

interface Cutting {
  readonly options: PowerCutOptions;
  readonly random: SeededRandom;
  readonly tally: Tally;
  /** For whoever reads a failure. */
  readonly what: string;
}

/** Lives from a beginning to a good end. */
async function live(
  { image, expectation }: Beginning,
  steps: readonly LifeStep[],
  { options, random, what }: Cutting,
): Promise<RecordingDisk<VaultMark>> {
  const disk = createRecordingDisk<VaultMark>(image, { turns: () => random.below(3) });
  const life = createLife({ disk, worker: options.worker, random, before: expectation });
  try {
    await life.begin(expectation.creation === "done" ? "open" : "create");
    for (const step of steps) await life.run(step);
    await life.end();
  } catch (cause) {
    throw new Error(`${what}: without a fault: ${String(cause)}`, { cause });
  }
  return disk;
}

/** @returns one of the images that were found good, and what is on it */
async function liveAndCut(
  beginning: Beginning,
  steps: readonly LifeStep[],
  cutting: Cutting,
): Promise<Beginning> {
  const { history } = await live(beginning, steps, cutting);
  const { options, random, tally } = cutting;
  const expectation = copyOf(beginning.expectation);
  const tracker = trackDisk(history);
  let next = beginning;
  let candidates = 0;
  const cut = async (event: number) => {
    tally.cuts += 1;
    for (const image of imagesOf(tracker.disk, { ...options, random })) {
      const hash = hashOf(image);
      const key = hash + signatureOf(expectation);
      let found = tally.verdicts.get(key);
      if (found === undefined) {
        const isThorough = tally.seen.size % options.thoroughEvery === 0;
        try {
          found = await checkImage(image, expectation, { ...options, isThorough });
        } catch (cause) {
          const names = Array.from(image.files, ([path, { length }]) => `${path} ${length}`);
          const place = `event ${event} of ${history.events.length}`;
          const words = `${cutting.what}; ${place}; ${names.join(", ")}: ${String(cause)}`;
          throw new Error(words, { cause });
        }
        tally.verdicts.set(key, found);
        tally.seen.add(hash);
      }
      candidates += 1;
      if (random.below(candidates) > 0) continue;
      next = { image: afterRestart(image), expectation: expectationAfter(expectation, found) };
    }
  };
  for (const [index, event] of history.events.entries()) {
    if (event.kind === "mark") expectMark(expectation, event.mark);
    tracker.take(event);
    if (event.kind === "begun") await cut(index);
  }
  await cut(history.events.length);
  return next;
}
