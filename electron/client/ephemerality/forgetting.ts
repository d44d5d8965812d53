import { ensureAppError } from "#protocol";
import type { Core } from "../core/core.ts";

/** Ends come in groups: how long to wait for more of them, milliseconds. */
const settleMs = 20_000;
/** Shortest time between two compactions, milliseconds: each writes the whole vault. */
const intervalMs = 5 * 60_000;

/** After content has ended, lets the vault write itself anew, so that its sealed remains leave the files. */
export class Forgetting {
  readonly #core: Pick<Core, "clock" | "vault">;
  #lastAtMs: number | null = null;
  #cancel: (() => void) | null = null;
  #running: Promise<unknown> = Promise.resolve();

  constructor(core: Pick<Core, "clock" | "vault">) {
    this.#core = core;
  }

  /** Something has ended. */
  wanted(): void {
    if (this.#cancel !== null || this.#core.vault.readOnly !== null) return;
    const { clock } = this.#core;
    const sinceMs = this.#lastAtMs === null ? Infinity : clock.now() - this.#lastAtMs;
    const delayMs = Math.min(Math.max(settleMs, intervalMs - sinceMs), intervalMs);
    this.#cancel = clock.setTimeout(() => {
      this.#cancel = null;
      this.#lastAtMs = clock.now();
      // A failed compaction leaves the vault as it was; the next end asks again.
      this.#running = this.#core.vault.compact().catch(ensureAppError);
    }, delayMs);
  }

  async close(): Promise<void> {
    this.#cancel?.();
    await this.#running;
  }
}
