import { policySuite, suiteNames, type SuiteName } from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { putFact, readFact } from "../store/facts.ts";

/** How many one-time key packages wait at the relay, and when more are made. Source: mls.md rule 5. */
const wanted = 100;
const low = 50;
/** Making them costs the worker time: in batches, so that other work comes in between. */
const usualBatch = 20;
/** ML-DSA signs two hundred times slower than Ed25519 (`npm run bench -- mls-suites`). */
const slowBatch = 4;
const dayMs = 24 * 60 * 60 * 1000;
/** The last-resort package can be used more than once, so it is replaced after its use, and from time to time. */
const lastResortLifeMs = 30 * dayMs;
/** For so long a replaced one can still be joined with by who was added by it. */
const replacedLifeMs = 30 * dayMs;
/** They live for 366 days, and nobody adds a device by one that has less than 30 left (`crypto/mls/client-config.ts`). */
const oneTimeLifeMs = 300 * dayMs;
/** Longer than any key package is valid: nobody can make a Welcome for an older one. */
const privateLifeMs = 400 * dayMs;

/** Key packages that are made and published together. */
interface Batch {
  readonly suite: SuiteName;
  readonly count: number;
  /** Whether it takes the place of the last-resort package rather than to stand beside the others. */
  readonly lastResort?: boolean;
  /** Whether all others go. */
  readonly replace?: boolean;
}

/**
 * Keeps the relay supplied with key packages, by which others add this device to conversations. They are of the suite that the
 * network's policy names: those of another one are replaced.
 */
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

  /** Puts another last-resort package in the place of one that was used. @throws AppError as {@link refill} */
  async replaceUsed(): Promise<void> {
    await this.#refilling;
    if (readFact(this.#core.vault, "lastResortUsed") === true) await this.#replaceLastResort();
  }

  /** The policy may name another suite now. */
  async followPolicy(): Promise<void> {
    await this.#refilling;
    if (!this.#isOfPolicySuite()) await this.refill(0);
  }

  /** Publishes new ones in place of all that the relay has. @returns how many it has now */
  async replace(suite = this.#suite): Promise<number> {
    const sinceMs = this.#core.time.now();
    const left = await this.#publish({ suite, count: batchOf(suite), replace: true });
    const changes = new Changes();
    changes.statements.push(putFact("keyPackagesSinceMs", sinceMs));
    await this.#core.commit(changes);
    return left;
  }

  async #fill(left: number): Promise<void> {
    if (this.#isOfPolicySuite()) await this.#fillUp(left);
    // It may have become another one meanwhile.
    while (!this.#isOfPolicySuite()) await this.#changeSuite();
  }

  async #fillUp(left: number): Promise<void> {
    const nowMs = this.#core.time.now();
    const lastResortAtMs = this.#core.store.lastResortMadeAtMs();
    const used = readFact(this.#core.vault, "lastResortUsed") === true;
    if (used || lastResortAtMs === null || nowMs - lastResortAtMs > lastResortLifeMs) {
      await this.#replaceLastResort();
    }
    const have = nowMs - this.#sinceMs(nowMs) > oneTimeLifeMs ? await this.replace() : left;
    if (have < low) await this.#add(have);
  }

  /** Since when the one-time packages have been made that the relay may have. */
  #sinceMs(nowMs: number): number {
    const { vault, store } = this.#core;
    return readFact(vault, "keyPackagesSinceMs") ?? store.oldestOneTimeMadeAtMs() ?? nowMs;
  }

  /** The policy's. */
  get #suite(): SuiteName {
    return policySuite(this.#core.policy);
  }

  get #published(): SuiteName | null {
    const published = readFact(this.#core.vault, "keyPackageSuite");
    return published === undefined ? suiteNames.default : published;
  }

  #isOfPolicySuite(): boolean {
    return this.#published === this.#suite;
  }

  /** New ones of the policy's suite in place of all others; begun again should it end before its time. */
  async #changeSuite(): Promise<void> {
    const suite = this.#suite;
    await this.#replaceLastResort(suite);
    const have = await this.replace(suite);
    const changes = new Changes();
    changes.statements.push(putFact("keyPackageSuite", suite));
    await this.#core.commit(changes);
    await this.#add(have);
  }

  async #replaceLastResort(suite = this.#suite): Promise<void> {
    await this.#publish({ suite, count: 1, lastResort: true });
  }

  async #add(left: number): Promise<void> {
    let have = left;
    while (have < wanted) {
      const before = have;
      const suite = this.#suite;
      have = await this.#publish({ suite, count: Math.min(batchOf(suite), wanted - have) });
      // A relay that takes none, or counts wrongly, is not asked for ever.
      if (have <= before) return;
    }
  }

  /** The private parts are on disk before anybody can use the public ones. @returns how many the relay has now */
  async #publish(batch: Batch): Promise<number> {
    const { worker, time } = this.#core;
    const { suite, count, lastResort = false, replace = false } = batch;
    const { keyPackages } = await worker.call("keyPackages.generate", { suite, count, lastResort });
    const nowMs = time.now();
    const changes = new Changes();
    changes.write("keyPackage.deleteBefore", nowMs - privateLifeMs);
    changes.write("keyPackage.deleteReplaced", nowMs - replacedLifeMs);
    for (const { ref, sealedPrivate } of keyPackages) {
      changes.write("keyPackage.put", ref, lastResort ? 1 : 0, sealedPrivate, nowMs);
    }
    // Should this end before its time: what the policy says then may be what it said before.
    if (suite !== this.#published) changes.statements.push(putFact("keyPackageSuite", null));
    await this.#core.commit(changes);
    const published = keyPackages.map(({ bytes }) => bytes);
    const { keyPackagesLeft } = await this.#core.request("keyPackages.publish", {
      keyPackages: lastResort ? [] : published,
      lastResort: lastResort ? (published[0] ?? null) : null,
      ...(replace ? { replace } : {}),
    });
    if (lastResort) await this.#settleLastResort();
    return keyPackagesLeft;
  }

  /** The relay hands out the new one from now on. */
  async #settleLastResort(): Promise<void> {
    const changes = new Changes();
    changes.write("fact.delete", "lastResortUsed");
    await this.#core.commit(changes);
  }
}

function batchOf(suite: SuiteName): number {
  return suite === suiteNames.cnsa ? slowBatch : usualBatch;
}
