import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Hermit } from "./history.ts";
import { median, quantile, round, timed, watchEventLoop } from "./measure.ts";
import { measureMemory, prepareMemory, tellMemory, type Memory } from "./memory.ts";

/*
 * The whole client, with its real worker in a thread and a relay in this process, at vaults of several sizes: unlocking up to the list of
 * conversations, what a message takes in memory and on the disk, and how long commits wait while the vault is compacted.
 */

const dayMs = 86_400_000;
const unlocks = 5;

/** Bytes of the vault's files. */
function diskBytes(directory: string): number {
  return readdirSync(directory).reduce(
    (sum, name) => sum + statSync(join(directory, name)).size,
    0,
  );
}

/** @param sizes - in messages, ascending */
export async function measureScale(sizes: readonly number[]): Promise<void> {
  const hermit = await Hermit.start();
  const { person } = hermit;
  const rows: Record<string, Record<string, number>> = {};
  const memory: Memory[] = [];
  try {
    await hermit.unlock();
    await prepareMemory(hermit);
    const emptyDisk = diskBytes(person.directory);
    for (const size of sizes) {
      const base = Date.now() + 10 * dayMs;
      const missing = size - hermit.count();
      await hermit.remember(missing, (index) => base + index * 1000);
      await person.vault.compact();
      const times: number[] = [];
      for (let count = 0; count < unlocks; count++) times.push(await hermit.unlock());
      memory.push(measureMemory(hermit, size));
      const facts = await person.vault.facts();
      rows[`${String(size)} messages`] = {
        "unlock ms, median": round(median(times)),
        "unlock ms, worst": round(quantile(times, 1)),
        "snapshot MB": round(facts.snapshotBytes / 1e6, 1),
        "bytes on disk each": round((diskBytes(person.directory) - emptyDisk) / size),
        "keyring KiB": round(facts.keyringBytes / 1024, 1),
      };
    }
    console.log(
      "Unlocking, whole client, to the list of conversations; target: 1,000 ms at 100,000 messages on two cores.",
    );
    console.table(rows);
    await measureCompaction(hermit);
    tellMemory(memory);
  } finally {
    await hermit.dispose();
  }
}

/** Commits one at a time, before and during compactions. */
async function measureCompaction(hermit: Hermit): Promise<void> {
  const { vault } = hermit.person;
  const commitDuring = async (work: () => Promise<unknown>) => {
    const state = { isDone: false };
    const waits: number[] = [];
    const committing = (async () => {
      while (!state.isDone) {
        waits.push(
          await timed(() =>
            vault.transact([{ name: "conversation.setShown", params: ["none", 1, waits.length] }]),
          ),
        );
      }
    })();
    const stopWatching = watchEventLoop();
    const tookMs = await timed(work);
    state.isDone = true;
    await committing;
    const blocked = stopWatching();
    return {
      "took ms": round(tookMs),
      commits: waits.length,
      "median wait ms": round(median(waits), 2),
      "99% ms": round(quantile(waits, 0.99), 1),
      "longest wait ms": round(quantile(waits, 1), 1),
      "longest turn ms": round(blocked.wallMs, 1),
      "its own work ms": round(blocked.workMs, 1),
    };
  };
  const rows: Record<string, Record<string, number>> = {};
  rows["nothing else"] = await commitDuring(
    () => new Promise((resolve) => setTimeout(resolve, 1500)),
  );
  for (const nth of ["first", "second", "third"]) {
    rows[`${nth} compaction`] = await commitDuring(() => vault.compact());
  }
  console.log(
    `Commits while ${String(hermit.count())} messages are compacted; target: none waits longer than 50 ms.`,
  );
  console.table(rows);
}
