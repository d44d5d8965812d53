import { Hermit } from "./history.ts";
import { median, quantile, round, watchEventLoop } from "./measure.ts";

/*
 * Messages that end: many at once, and one after the other. A message has ended for good when the keyring without its key is on the
 * disk and the keychain was told; that moment is compared with its deadline.
 */

const together = 10_000;
const singles = 20;
const apartMs = 1_500;
/** Time to write the messages and start, before the first deadline. */
const shortestAheadMs = 10_000;

/** Waits until the next destruction of keys. @returns when it was, milliseconds */
async function nextDestruction(hermit: Hermit, afterMs: number): Promise<number> {
  const endMs = Date.now() + 120_000;
  while (Date.now() < endMs) {
    const { lastDestructionMs } = await hermit.person.vault.facts();
    if (lastDestructionMs !== null && lastDestructionMs > afterMs) return lastDestructionMs;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("never destroyed");
}

/**
 * Starts anew with messages that end from a moment on. That moment is put off until this machine makes it in time.
 *
 * @returns the first deadline, milliseconds
 */
async function startBefore(
  hermit: Hermit,
  count: number,
  endsAtMs: (firstMs: number, index: number) => number,
): Promise<number> {
  for (let aheadMs = shortestAheadMs; ; aheadMs *= 2) {
    const firstMs = Date.now() + aheadMs;
    await hermit.remember(count, (index) => endsAtMs(firstMs, index));
    await hermit.unlock();
    const leftMs = firstMs - Date.now() - 500;
    if (leftMs <= 0) continue;
    await new Promise((resolve) => setTimeout(resolve, leftMs));
    return firstMs;
  }
}

export async function measureEnds(): Promise<void> {
  const hermit = await Hermit.start();
  try {
    await hermit.remember(1_000, () => Date.now() + 10 * 86_400_000);
    const deadlineMs = await startBefore(hermit, together, (firstMs) => firstMs);
    const stopWatching = watchEventLoop();
    let destroyedMs = deadlineMs;
    while (hermit.count() > 1_100) destroyedMs = await nextDestruction(hermit, destroyedMs);
    const blocked = stopWatching();
    console.log(`${String(together)} messages that end together: gone, with their keys`);
    console.table({
      sweep: {
        "ms after the deadline": round(destroyedMs - deadlineMs),
        "longest turn ms": round(blocked.wallMs, 1),
        "its own work ms": round(blocked.workMs, 1),
      },
    });

    const firstMs = await startBefore(hermit, singles, (first, index) => first + index * apartMs);
    const delays: number[] = [];
    for (let index = 0; index < singles; index++) {
      const endMs = firstMs + index * apartMs;
      delays.push((await nextDestruction(hermit, endMs)) - endMs);
    }
    console.log(
      `${String(singles)} messages that end one after the other: keys destroyed after the deadline`,
    );
    console.table({
      delay: { "median ms": round(median(delays)), "worst ms": round(quantile(delays, 1)) },
    });
  } finally {
    await hermit.dispose();
  }
}
