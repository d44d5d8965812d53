import { ensureAppError } from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { hourOf } from "../core/leaves.ts";

/**
 * What ends within this time of a destruction is destroyed together: each one writes the keyring and the keychain. After a longer rest the
 * next one begins at once. Milliseconds.
 */
const gatherMs = 500;
/** Drafts that were replaced and receipts that were sent may wait for company, milliseconds. */
const patienceMs = 60_000;
const firstRetryMs = 5000;
const longestRetryMs = 5 * 60_000;
/** How long closing waits for a destruction: a keychain may hang. Milliseconds. */
const farewellMs = 500;

/** What {@link Destruction} needs of the core. */
type DestructionCore = Pick<
  Core,
  "clock" | "closed" | "commit" | "leaves" | "store" | "time" | "vault"
>;

/**
 * Destroys the keys of bodies that are gone. The vault's triggers note their leaves in the transaction in which a body goes; from there they
 * are taken here, and leave the list only when the keyring without them is on the disk. Whatever fails, or stops in between, is done
 * again. (That the keychain forgets the key of the keyring before is the vault's own care: it knows whether it has.)
 */
export class Destruction {
  readonly #core: DestructionCore;
  readonly #unlisten: () => void;
  #cancel: (() => void) | null = null;
  #rings: "none" | "waiting" | "pressing" = "none";
  #holds = 0;
  #failures = 0;
  /** When the last destruction ended; by the system's clock, which may be set. */
  #restsSinceMs = -Infinity;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(core: DestructionCore) {
    this.#core = core;
    this.#unlisten = core.vault.onKeysChanged(() => {
      // The keychain answers again: what waited for it needs to wait no longer.
      if (this.#failures > 0 && core.vault.keychainState === "in-step") this.#ringIn(gatherMs);
    });
  }

  /** A transaction was written: something may be doomed. */
  follow(): void {
    if (this.#holds > 0 || this.#failures > 0 || this.#rings === "pressing") return;
    const dooms = this.#core.vault.readOnly === null ? this.#core.store.ends.dooms() : "none";
    if (dooms === "none" || dooms === this.#rings) return;
    this.#rings = dooms;
    this.#ringIn(dooms === "pressing" ? this.#restLeftMs() : patienceMs);
  }

  /** Lets several transactions be followed by one destruction. @returns what ends that */
  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
      this.follow();
    };
  }

  /** Destroys what is doomed by now. Never rejects: what fails is tried again by itself. */
  now(): Promise<void> {
    this.#stopRinging();
    this.#running = this.#running.then(() => this.#destroy());
    return this.#running;
  }

  /** Destroys everything that is doomed, also what had time: a draft says what its message said. What takes long is done at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unlisten();
    this.#stopRinging();
    const { clock, store } = this.#core;
    const last = store.ends.dooms() === "none" ? this.#running : this.now();
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const cancel = clock.setTimeout(() => {
      resolve(null);
    }, farewellMs);
    await Promise.race([last, late]);
    cancel();
  }

  /** How long the next destruction still gathers. */
  #restLeftMs(): number {
    const leftMs = this.#restsSinceMs + gatherMs - this.#core.clock.now();
    return Math.min(Math.max(leftMs, 0), gatherMs);
  }

  #ringIn(delayMs: number): void {
    this.#cancel?.();
    this.#cancel = this.#core.clock.setTimeout(() => void this.now(), delayMs);
  }

  #stopRinging(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#rings = "none";
  }

  async #destroy(): Promise<void> {
    const { vault, store, closed } = this.#core;
    if (closed || vault.readOnly !== null || store.ends.dooms() === "none") return;
    // Its own transactions are no news.
    this.#holds += 1;
    try {
      await this.#destroyAll();
      this.#failures = 0;
    } catch (error) {
      ensureAppError(error);
      this.#failures += 1;
    } finally {
      this.#holds -= 1;
      this.#restsSinceMs = this.#core.clock.now();
    }
    if (this.#closed) return;
    if (this.#failures === 0) this.follow();
    else this.#ringIn(Math.min(firstRetryMs * 2 ** (this.#failures - 1), longestRetryMs));
  }

  async #destroyAll(): Promise<void> {
    const { vault, store, time, leaves } = this.#core;
    const doomed = store.ends.doomed();
    // Whole buckets of hours that are over go with them.
    const hour = Math.max(hourOf(time.certain()), leaves.droppedBefore);
    if (hour > leaves.droppedBefore) {
      const dropping = new Changes();
      leaves.drop(dropping, hour);
      await this.#core.commit(dropping);
    }
    await vault.destroyKeys({
      leaves: doomed.leaves.filter((leaf) => leaf.hour >= hour),
      hoursBefore: hour,
    });
    const done = new Changes();
    done.write("doomed.delete", doomed.lastId);
    done.write("bucket.deleteBefore", hour);
    await this.#core.commit(done);
    await this.#removeBlobs();
  }

  /** Attachments of what is gone, which nobody can read any more. */
  async #removeBlobs(): Promise<void> {
    const { vault, store } = this.#core;
    const doomed = store.ends.doomedBlobs();
    if (doomed.length === 0) return;
    await vault.blobs.remove(doomed);
    const done = new Changes();
    for (const blobId of doomed) done.write("blob.delete", blobId);
    await this.#core.commit(done);
  }
}
