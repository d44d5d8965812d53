import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";

/** How many one-time key packages wait at the relay, and when more are made. Source: mls.md rule 5. */
const wanted = 100;
const low = 50;
/** Making them costs time: in batches, so that other work comes in between. */
const batch = 20;
const dayMs = 24 * 60 * 60 * 1000;
/** The last-resort package is used more than once, so it is replaced from time to time. */
const lastResortLifeMs = 30 * dayMs;
/** Longer than any key package is valid: nobody can make a Welcome for an older one. */
const privateLifeMs = 400 * dayMs;

/** Keeps the relay supplied with key packages, by which others add this device to conversations. */
export class KeyPackages {
  readonly #core: Core;
  #refilling: Promise<void> | null = null;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Makes and publishes what is missing.
   *
   * @param left - how many the relay has
   * @throws AppError as `Core.request` and `Core.commit`
   */
  refill(left: number): Promise<void> {
    this.#refilling ??= this.#fill(left).finally(() => {
      this.#refilling = null;
    });
    return this.#refilling;
  }

  /** Publishes new ones in place of all that the relay has. @returns how many it has now */
  replace(): Promise<number> {
    return this.#publish(batch, false, true);
  }

  async #fill(left: number): Promise<void> {
    const nowMs = this.#core.time.now();
    const lastResortAtMs = this.#core.store.lastResortMadeAtMs();
    if (lastResortAtMs === null || nowMs - lastResortAtMs > lastResortLifeMs) {
      await this.#publish(1, true);
    }
    if (left >= low) return;
    let have = left;
    while (have < wanted) {
      const before = have;
      have = await this.#publish(Math.min(batch, wanted - have), false);
      // A relay that takes none, or counts wrongly, is not asked for ever.
      if (have <= before) return;
    }
  }

  /** The private parts are on disk before anybody can use the public ones. @returns how many the relay has now */
  async #publish(count: number, lastResort: boolean, replace = false): Promise<number> {
    const { worker, time } = this.#core;
    const { keyPackages } = await worker.call("keyPackages.generate", { count, lastResort });
    const nowMs = time.now();
    const changes = new Changes();
    changes.write("keyPackage.deleteBefore", nowMs - privateLifeMs);
    for (const { ref, sealedPrivate } of keyPackages) {
      changes.write("keyPackage.put", ref, lastResort ? 1 : 0, sealedPrivate, nowMs);
    }
    await this.#core.commit(changes);
    const published = keyPackages.map(({ bytes }) => bytes);
    const { keyPackagesLeft } = await this.#core.request("keyPackages.publish", {
      keyPackages: lastResort ? [] : published,
      lastResort: lastResort ? (published[0] ?? null) : null,
      ...(replace ? { replace } : {}),
    });
    return keyPackagesLeft;
  }
}
