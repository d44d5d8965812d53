import {
  AppError,
  ensureAppError,
  type CryptoWorker,
  type ErrorCode,
  type KeyringRecord,
} from "#protocol";
import type { Keychain } from "../keychain/index.ts";
import type { Clock } from "../link/index.ts";
import {
  deleteEntries,
  readEntries,
  wipeEntries,
  wipeReading,
  writeEntries,
} from "./keychain-entries.ts";
import { compareKeychain, type Unlocked } from "./key-slots.ts";
import { slotOf } from "./keyring.ts";
import type { KeychainState } from "./types.ts";

/** What {@link KeychainMirror} needs. */
export interface KeychainMirrorParts {
  readonly worker: CryptoWorker;
  readonly clock: Clock;
  readonly keychain: Keychain | null;
  readonly unlocked: Unlocked;
  /** The keyring on the disk, which is the unlocked one. */
  readonly record: () => KeyringRecord;
  /** Something that can be seen here has changed. */
  readonly changed: () => void;
  /** It is time for {@link KeychainMirror.catchUp}. */
  readonly retry: () => void;
}

/** A keychain that failed is asked again after so long, milliseconds. */
const retryMs = 60_000;
/** A vault that is being closed waits so long for its keychain, milliseconds: a lock must not wait for somebody's dialogue. */
const closingPatienceMs = 500;

/**
 * Keeps the keychain in step with the keyring: the key of the one on the disk, and that of the next. Its methods are called one at a time.
 */
export class KeychainMirror {
  readonly #parts: KeychainMirrorParts;
  readonly #interest = new AbortController();
  readonly #interestLost = Promise.withResolvers<never>();
  #state: KeychainState;
  #problem: ErrorCode | null;
  #rolledBack: boolean;
  /** A keychain that knows of a later keyring is left alone until somebody says otherwise. */
  #isHeld: boolean;
  #cancelRetry: (() => void) | null = null;
  #isResting = false;

  constructor(parts: KeychainMirrorParts) {
    this.#parts = parts;
    this.#state = parts.unlocked.keychainState;
    this.#problem = parts.unlocked.keychainProblem;
    this.#rolledBack = parts.unlocked.rolledBack;
    this.#isHeld = parts.unlocked.rolledBack;
    this.#interestLost.promise.catch(() => undefined);
    this.#interest.signal.addEventListener("abort", () => {
      this.#interestLost.reject(this.#interest.signal.reason);
    });
    this.#planRetry();
  }

  get state(): KeychainState {
    return this.#state;
  }

  get problem(): ErrorCode | null {
    return this.#problem;
  }

  get rolledBack(): boolean {
    return this.#rolledBack;
  }

  /**
   * Makes sure that the keychain will open the next keyring, for a vault that nothing else opens.
   *
   * @throws AppError `keychain-*`, or `vault-rolled-back` when another copy of this vault has moved on
   */
  async secure(): Promise<void> {
    const error = await this.#compare();
    if (error !== null) throw error;
    if (this.#isHeld) throw new AppError("vault-rolled-back");
    if (this.#state === "in-step") return;
    const failure = await this.renew();
    if (failure !== null) throw failure;
  }

  /** The keyring was replaced: the keychain gets its next key, over that of the keyring before. A failure is to be seen in {@link state}. */
  async follow(): Promise<void> {
    if (slotOf(this.#parts.record(), "keychain") === undefined) this.#set("none", null);
    else if (this.#isHeld) this.#set("behind", "vault-rolled-back");
    // What could never be looked at may belong to a later keyring.
    else if (this.#state === "unavailable") await this.catchUp();
    else await this.renew();
  }

  /** Makes the keychain hold what it should, whatever it holds. @returns why it does not */
  async renew(): Promise<AppError | null> {
    const slot = slotOf(this.#parts.record(), "keychain");
    if (slot === undefined) {
      return new AppError("argument-invalid", { data: { reason: "no such key slot" } });
    }
    this.#isHeld = false;
    try {
      await this.write(slot.account);
      this.#set("in-step", null);
      return null;
    } catch (cause) {
      const error = ensureAppError(cause);
      this.#set("behind", error.code);
      return error;
    }
  }

  /** Writes what the keychain is to hold, also for a slot that is yet to be made. @throws AppError `keychain-*` */
  async write(account: string): Promise<void> {
    const { keychain, record, worker } = this.#parts;
    if (keychain === null) throw new AppError("keychain-absent");
    const { keychainKeys } = await worker.call("vault.keychainKeys", {});
    const place = { keychain, account, revision: record().revision };
    const writing = writeEntries(place, keychainKeys, this.#interest.signal).finally(() => {
      wipeEntries(keychainKeys);
    });
    await this.#whileOfInterest(writing);
  }

  /** Tries again what failed, after the keychain was looked at: it may belong to a later keyring by now. */
  async catchUp(): Promise<void> {
    const error = await this.#compare();
    const isForUs = error === null && this.#state === "behind" && !this.#isHeld;
    if (isForUs) await this.renew();
  }

  /** Before one more keyring: a keychain that failed at the last gets another try, unless it is one that only lets wait. */
  async precede(): Promise<void> {
    const isWorthATry = this.#problem !== "keychain-timeout" && !this.#isHeld;
    if (this.#state === "behind" && isWorthATry) await this.renew();
  }

  /** Deletes the entries of a slot that is no more. @throws AppError `keychain-*` */
  async forget(account: string): Promise<void> {
    const { keychain } = this.#parts;
    if (keychain === null) throw new AppError("keychain-absent");
    await this.#whileOfInterest(deleteEntries(keychain, account));
  }

  /** Plans nothing any more. */
  rest(): void {
    this.#isResting = true;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
  }

  /** What the keychain has not answered in a moment is given up: nothing more is asked of it. @returns a disposer */
  loseInterest(): () => void {
    return this.#parts.clock.setTimeout(() => {
      this.#interest.abort(new AppError("keychain-timeout"));
    }, closingPatienceMs);
  }

  /** @returns why nothing can be said */
  async #compare(): Promise<AppError | null> {
    const { keychain, record, worker } = this.#parts;
    const slot = slotOf(record(), "keychain");
    if (slot === undefined) {
      this.#set("none", null);
      return null;
    }
    try {
      if (keychain === null) throw new AppError("keychain-absent");
      const asking = readEntries(keychain, slot.account);
      const reading = await this.#whileOfInterest(asking).catch((error: unknown) => {
        // What comes late is for nobody.
        asking.then(wipeReading).catch(() => undefined);
        throw error;
      });
      const { keychainProblem, keychainState, rolledBack } = await compareKeychain(worker, reading);
      if (rolledBack) {
        this.#rolledBack = true;
        this.#isHeld = true;
      }
      // What it failed with still says more than that it did.
      const known = keychainState === this.#state ? this.#problem : null;
      this.#set(keychainState, keychainProblem ?? known);
      return null;
    } catch (cause) {
      const error = ensureAppError(cause);
      this.#set("unavailable", error.code);
      return error;
    }
  }

  async #whileOfInterest<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([work, this.#interestLost.promise]);
  }

  #set(state: KeychainState, problem: ErrorCode | null): void {
    const isChange = state !== this.#state || problem !== this.#problem;
    this.#state = state;
    this.#problem = problem;
    this.#planRetry();
    if (isChange) this.#parts.changed();
  }

  #planRetry(): void {
    const isOwed = this.#state === "behind" || this.#state === "unavailable";
    const mayTry = this.#parts.keychain !== null && !this.#isHeld && !this.#isResting;
    if (!isOwed || !mayTry) {
      this.#cancelRetry?.();
      this.#cancelRetry = null;
      return;
    }
    this.#cancelRetry ??= this.#parts.clock.setTimeout(() => {
      this.#cancelRetry = null;
      this.#parts.retry();
    }, retryMs);
  }
}
