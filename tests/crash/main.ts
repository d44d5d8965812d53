/*
 * npm run test:crash: what a vault promises, tried at length. `-- power-cuts kills faults damage` names some of the parts. Ends with exit code 1 if
 * anything was lost, or wrong, or went unnoticed.
 */
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { createSealingWorker } from "../support/sealing-worker.ts";
import { damageEverywhere } from "./damage.ts";
import { failEverywhere } from "./faults.ts";
import { killAtRandom, reopenLarge } from "./kills.ts";
import { swapFiles } from "./swaps.ts";
import { cutPowerAtRandom, cutPowerInCombinations } from "./power-cuts.ts";

const seeds = 200;
const leastImages = 50_000;
const kills = 1000;
const largeNotes = 100_000;
const reopenMs = 2000;

/** A share of a part, for one of several threads: its number, and how many there are. */
interface Share {
  readonly part: string;
  readonly index: number;
  readonly count: number;
}

const progressMs = 60_000;

/** Whoever waits for an hour sees that it goes on. */
function sayProgress({ part, index }: Share): (images: number) => void {
  let lives = 0;
  let saidAtMs = performance.now();
  return (images) => {
    lives += 1;
    if (performance.now() - saidAtMs < progressMs) return;
    saidAtMs = performance.now();
    console.error(`       ${part}, thread ${index + 1}: ${lives} lives, ${images} images`);
  };
}

const powerCuts = { exhaustive: 48, sampled: 24, thoroughEvery: 20 };

/** Parts that can be shared out. @returns numbers, which are added up */
const shares: Readonly<
  Record<string, (share: Share) => Promise<Readonly<Record<string, number>>>>
> = {
  async random(share) {
    const { index, count } = share;
    const own = Array.from({ length: seeds }, (_, seed) => seed).filter((s) => s % count === index);
    const worker = createSealingWorker();
    const result = await cutPowerAtRandom(own, {
      ...powerCuts,
      worker,
      parts: 3,
      steps: 6,
      onLife: sayProgress(share),
    });
    return { images: result.images, cuts: result.cuts };
  },
  async combinations(share) {
    const { index, count } = share;
    const worker = createSealingWorker();
    const isOwn = (combination: number) => combination % count === index;
    const options = {
      ...powerCuts,
      exhaustive: 16,
      sampled: 8,
      worker,
      onLife: sayProgress(share),
    };
    return { ...(await cutPowerInCombinations(options, isOwn)) };
  },
  async faults({ index, count }) {
    const isOwn = (call: number) => call % count === index;
    const { runs, images } = await failEverywhere(createSealingWorker(), isOwn);
    return { runs, images };
  },
};

async function inThreads(part: string): Promise<Readonly<Record<string, number>>> {
  const count = availableParallelism();
  const results = await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const share: Share = { part, index, count };
      return new Promise<Record<string, number>>((resolve, reject) => {
        const thread = new Worker(new URL(import.meta.url), { workerData: share });
        thread.on("message", resolve).on("error", reject);
      });
    }),
  );
  const sum: Record<string, number> = {};
  for (const result of results) {
    for (const [name, value] of Object.entries(result)) sum[name] = (sum[name] ?? 0) + value;
  }
  return sum;
}

function worstOf(times: readonly number[]): string {
  const sorted = [...times].sort((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `reopened in ${Math.round(median)} ms (median), ${Math.round(sorted.at(-1) ?? 0)} ms (worst)`;
}

const parts: Readonly<Record<string, () => Promise<string>>> = {
  async "power-cuts"() {
    const random = await inThreads("random");
    const images = random["images"] ?? 0;
    if (images < leastImages) throw new Error(`only ${images} images`);
    const combined = await inThreads("combinations");
    return (
      `${images} images at ${random["cuts"] ?? 0} cuts of ${seeds} seeds; ` +
      `${combined["images"] ?? 0} at ${combined["cuts"] ?? 0} cuts of ${combined["combinations"] ?? 0} combinations of three steps`
    );
  },
  async kills() {
    const result = await killAtRandom(kills);
    const large = await reopenLarge(largeNotes, 5);
    if (Math.max(...large) > reopenMs) throw new Error(`${largeNotes} messages: ${worstOf(large)}`);
    return (
      `${result.kills} kills, ${result.lives} of an open vault, ${result.transactions} transactions, ${worstOf(result.reopenedMs)}; ` +
      `with ${largeNotes} messages ${worstOf(large)}`
    );
  },
  async faults() {
    const { runs = 0, images = 0 } = await inThreads("faults");
    return `${runs} runs with a fault at one call, ${images} disks afterwards`;
  },
  async damage() {
    const worker = createSealingWorker();
    const { mixtures } = await swapFiles(worker);
    const result = await damageEverywhere({ worker, stride: 1, openings: 1000 });
    return `${result.vaultBytes} bytes: ${result.flips} flips, ${result.cuts} cuts, ${result.openings} openings of damaged vaults, ${mixtures} mixtures of files`;
  },
};

if (isMainThread) {
  const asked = process.argv.slice(2);
  for (const [name, run] of Object.entries(parts)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const startedAt = performance.now();
    try {
      const words = await run();
      console.log(
        `ok     ${name} (${Math.round((performance.now() - startedAt) / 1000)} s): ${words}`,
      );
    } catch (error) {
      process.exitCode = 1;
      console.log(`FAILED ${name}`);
      console.error(error);
    }
  }
} else {
  const share = workerData as Share;
  parentPort?.postMessage(await shares[share.part]?.(share));
}
