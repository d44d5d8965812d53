import type { LockSettings, ProtectionView, Runtime } from "#protocol";

/** Times without a touch after which the app may lock, minutes. */
const idleChoicesMinutes = [1, 5, 15, 30, 60, 240] as const;

/** One time that can be chosen, and whether the policy forbids it. */
export interface IdleChoice {
  /** null: never by itself. */
  readonly minutes: number | null;
  readonly forbidden: boolean;
}

/** The times that can be chosen, the shortest first; the one that holds is always among them. */
export function idleChoices(
  current: number | null,
  maxMinutes: number | null,
): readonly IdleChoice[] {
  const known = new Set<number>(idleChoicesMinutes);
  if (maxMinutes !== null) known.add(maxMinutes);
  if (current !== null) known.add(current);
  const timed = [...known]
    .sort((left, right) => left - right)
    .map((minutes) => ({ minutes, forbidden: maxMinutes !== null && minutes > maxMinutes }));
  return [...timed, { minutes: null, forbidden: maxMinutes !== null }];
}

/** What opens this computer's vault, as the settings show it. */
export class Protection {
  readonly #runtime: Pick<Runtime, "invoke">;
  #view = $state.raw<ProtectionView | null>(null);
  #busy = $state.raw<"recovery-code" | "keychain" | "lock" | null>(null);

  /** @param runtime - the platform */
  constructor(runtime: Pick<Runtime, "invoke">) {
    this.#runtime = runtime;
  }

  /** null until it has come. */
  get view(): ProtectionView | null {
    return this.#view;
  }

  /** What is being changed. */
  get busy(): "recovery-code" | "keychain" | "lock" | null {
    return this.#busy;
  }

  /** Whether the passphrase is all that opens the vault on this computer. */
  get onlyPassphrase(): boolean {
    return this.#view !== null && this.#view.keychain === null;
  }

  async load(): Promise<void> {
    this.#view = await this.#runtime.invoke("protection.get", {});
  }

  async configureLock(change: Partial<LockSettings>): Promise<void> {
    const view = this.#view;
    if (view === null) return;
    // Shown at once: a switch that waits for the disk feels broken.
    this.#view = { ...view, lock: { ...view.lock, ...change } };
    await this.#change("lock", () =>
      this.#runtime.invoke("protection.configureLock", { ...view.lock, ...change }),
    );
  }

  /**
   * @param current - the passphrase, where {@link ProtectionView.asksPassphrase} says that it is asked for
   * @returns the new code: nobody will show it again
   */
  async createRecoveryCode(current: string | null): Promise<string> {
    const { code } = await this.#change("recovery-code", () =>
      this.#runtime.invoke("protection.createRecoveryCode", { current }),
    );
    return code;
  }

  /** @param current - as in {@link createRecoveryCode} */
  async removeRecoveryCode(current: string | null): Promise<void> {
    await this.#change("recovery-code", () =>
      this.#runtime.invoke("protection.removeRecoveryCode", { current }),
    );
  }

  async renewKeychain(): Promise<void> {
    await this.#change("keychain", () => this.#runtime.invoke("protection.renewKeychain", {}));
  }

  /** Changes something, and shows what holds then, also when it failed; where that can't be had, what came of the change is told all the same. */
  async #change<Result>(
    what: "recovery-code" | "keychain" | "lock",
    work: () => Promise<Result>,
  ): Promise<Result> {
    this.#busy = what;
    try {
      return await work();
    } finally {
      this.#busy = null;
      await this.load().catch(() => undefined);
    }
  }
}
