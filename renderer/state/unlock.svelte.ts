import { ensureAppError, type ErrorCode, type LockedView, type Runtime } from "#protocol";

/** What can open a locked vault. */
export type UnlockWay = LockedView["ways"][number];

/** One attempt after the other to open a locked vault. */
export class Unlock {
  readonly #runtime: Pick<Runtime, "invoke">;
  readonly #first: () => UnlockWay;
  /** What the person has chosen instead of the first. */
  #chosen = $state.raw<UnlockWay | null>(null);
  #busy = $state(false);
  #failure = $state.raw<ErrorCode | null>(null);

  /**
   * @param runtime - the platform
   * @param first - what is asked for first
   */
  constructor(runtime: Pick<Runtime, "invoke">, first: () => UnlockWay) {
    this.#runtime = runtime;
    this.#first = first;
  }

  /** What is asked for. */
  get way(): UnlockWay {
    return this.#chosen ?? this.#first();
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Why the last attempt failed. */
  get failure(): ErrorCode | null {
    return this.#failure;
  }

  /** Asks for something else. */
  use(way: UnlockWay): void {
    this.#chosen = way;
    this.#failure = null;
  }

  /** What failed is being put right. */
  edited(): void {
    this.#failure = null;
  }

  /**
   * Tries to open the vault.
   *
   * @param secret - the passphrase or the code, as {@link way} says
   * @returns whether it is open
   */
  async submit(secret: string): Promise<boolean> {
    if (this.#busy || secret.trim() === "") return false;
    this.#busy = true;
    this.#failure = null;
    try {
      if (this.way === "passphrase") {
        await this.#runtime.invoke("vault.unlock", { passphrase: secret });
      } else {
        await this.#runtime.invoke("vault.unlockWithCode", { code: secret });
      }
      return true;
    } catch (error) {
      this.#failure = ensureAppError(error).code;
      return false;
    } finally {
      this.#busy = false;
    }
  }
}
