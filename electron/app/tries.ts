import { AppError, ensureAppError, type LockedView } from "#protocol";
import type { Clock } from "../link/index.ts";
import type { Attempts } from "../vault/index.ts";
import type { Engine } from "./engine.ts";
import type { Log } from "./ports.ts";

/** What windows may know of the tries at the lock. */
export type TriesView = Pick<LockedView, "waitUntilMs" | "attemptsLeft">;

const noTries: TriesView = { waitUntilMs: null, attemptsLeft: null };

/** What {@link Tries} are built on. */
export interface TriesOptions {
  readonly engine: Pick<Engine, "openAttempts">;
  readonly clock: Clock;
  readonly log: Log;
  /** Called at each change of {@link Tries.view}. */
  readonly onChanged: () => void;
}

/** Tries to open something with a secret: counted before they are made, slowed down, and limited by the network's policy. */
export class Tries {
  readonly #options: TriesOptions;
  #attempts: Attempts | null = null;
  #shown: TriesView = noTries;
  #cancel: () => void = () => undefined;

  constructor(options: TriesOptions) {
    this.#options = options;
  }

  get view(): TriesView {
    return this.#shown;
  }

  /** Whether the last try that the policy allows was a wrong one: the vault is to be destroyed. */
  get areSpent(): boolean {
    return this.#attempts?.left === 0;
  }

  /** Reads anew what is known of earlier tries. */
  async load(): Promise<Attempts> {
    const attempts = await this.#options.engine.openAttempts();
    this.#attempts = attempts;
    this.#look();
    return attempts;
  }

  /** Nothing is known any more: the vault is gone. */
  forget(): void {
    this.#cancel();
    this.#attempts = null;
    this.#shown = noTries;
  }

  /** @param limit - of the policy; null: none */
  async setLimit(limit: number | null): Promise<void> {
    const attempts = this.#attempts ?? (await this.load());
    await attempts.setLimit(limit);
    this.#look();
  }

  /**
   * Makes a try.
   *
   * @param run - throws `passphrase-wrong` or `recovery-code-wrong` when it was a wrong one; anything else it throws doesn't count
   * @throws AppError what `run` throws; `unlock-delayed`; `vault-erased` when this was the last try, or the one before
   */
  async make<Result>(run: () => Promise<Result>): Promise<Result> {
    const attempts = this.#attempts ?? (await this.load());
    if (this.areSpent) throw new AppError("vault-erased");
    await this.#begin(attempts);
    let result: Result;
    try {
      result = await run();
    } catch (cause) {
      const error = ensureAppError(cause);
      const isWrong = error.code === "passphrase-wrong" || error.code === "recovery-code-wrong";
      if (!isWrong) await this.#settle(attempts.takeBack());
      this.#look();
      throw isWrong && attempts.left === 0 ? new AppError("vault-erased", { cause }) : error;
    }
    await this.#settle(attempts.clear());
    this.#look();
    return result;
  }

  async #begin(attempts: Attempts): Promise<void> {
    try {
      await attempts.begin();
    } catch (cause) {
      this.#look();
      const error = ensureAppError(cause);
      if (error.code !== "unlock-delayed") throw error;
      throw new AppError(error.code, { cause, data: { waitUntilMs: this.#shown.waitUntilMs } });
    }
  }

  /** The try is over, whatever becomes of its record: one that stays raised is on the safe side. */
  async #settle(writing: Promise<void>): Promise<void> {
    await writing.catch((error: unknown) => {
      this.#options.log.error("the record of attempts was not written", ensureAppError(error));
    });
  }

  #look(): void {
    const { clock, onChanged } = this.#options;
    this.#cancel();
    const waitMs = this.#attempts?.waitMs ?? 0;
    const before = this.#shown;
    this.#shown = {
      waitUntilMs: waitMs > 0 ? Math.ceil(clock.now() + waitMs) : null,
      attemptsLeft: this.#attempts?.left ?? null,
    };
    // A clock that rings early finds a rest to wait for.
    if (waitMs > 0) {
      this.#cancel = clock.setTimeout(() => {
        this.#look();
      }, waitMs);
    }
    const { waitUntilMs, attemptsLeft } = this.#shown;
    if (waitUntilMs !== before.waitUntilMs || attemptsLeft !== before.attemptsLeft) onChanged();
  }
}
