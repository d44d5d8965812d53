import { AppError, ensureAppError, type ErrorCode, type StartStep } from "#protocol";
import type { AccountOrigin, AccountProgress } from "../client/index.ts";
import type { Vault } from "../vault/index.ts";
import type { Engine, NewAccount } from "./engine.ts";
import type { Log } from "./ports.ts";
import type { RelayHost } from "./relay-host.ts";

/** An account whose making stopped halfway. */
export type Unfinished = Extract<AccountProgress, { readonly kind: "unfinished" }>;
type Claim = NonNullable<AccountOrigin["claim"]>;

/** What the form of the first run stands on. */
export interface FirstRunForm {
  readonly keychainProblem: ErrorCode | null;
  /** Set when a first run stopped between making the vault and having the account. */
  readonly vault: Vault | null;
}

/** What {@link FirstRun} is built on. */
export interface FirstRunOptions {
  readonly engine: Engine;
  readonly relay: RelayHost;
  readonly log: Log;
  /** Told what is being done. */
  readonly onStep: (step: StartStep) => void;
  /** The vault is there. */
  readonly onVault: () => Promise<void>;
  /** The person has to fill in the form, once more. */
  readonly onForm: (form: FirstRunForm) => Promise<void>;
}

/** Makes what a profile begins with: a vault, a relay where the network is hosted here, and an account. */
export class FirstRun {
  readonly #options: FirstRunOptions;
  readonly #engine: Engine;

  constructor(options: FirstRunOptions) {
    this.#options = options;
    this.#engine = options.engine;
  }

  /**
   * Makes all of it. A failure leaves the form, with the vault if it is there.
   *
   * @param account - who, in which network; null when it is made already
   * @throws AppError as {@link Engine.createVault} and {@link Engine.createAccount}
   */
  async run(
    form: FirstRunForm,
    passphrase: string | null,
    account: (vault: Vault) => Promise<NewAccount | null>,
  ): Promise<Vault> {
    let { vault, keychainProblem } = form;
    try {
      vault ??= await this.#makeVault(keychainProblem === null, passphrase);
      keychainProblem = null;
      await this.#options.onVault();
      const wanted = await account(vault);
      if (wanted !== null) await this.#makeAccount(vault, wanted);
      return vault;
    } catch (error) {
      const failure = ensureAppError(error);
      if (failure.code.startsWith("keychain-")) keychainProblem = failure.code;
      await this.#options.relay.stop();
      await this.#options.onForm({ keychainProblem, vault });
      throw failure;
    }
  }

  /** Goes on with an account that was begun. @returns whether it is made; otherwise the form is shown, filled in */
  async resume(vault: Vault, { origin, displayName }: Unfinished): Promise<boolean> {
    try {
      const account =
        origin.claim === null
          ? { ...origin, displayName, hosted: false }
          : await this.#hosted(displayName, origin.claim.networkName, origin.claim);
      await this.#makeAccount(vault, account);
      return true;
    } catch (error) {
      this.#options.log.error("the first run could not go on", ensureAppError(error));
      await this.#options.relay.stop();
      await this.#options.onForm({ keychainProblem: null, vault });
      return false;
    }
  }

  /** An account of a network of this person's own. @throws AppError `network-claimed`, `relay-start-failed` */
  hosted(vault: Vault, displayName: string, networkName: string): Promise<NewAccount> {
    const stored = this.#engine.accountProgress(vault);
    const claimed = stored.kind === "unfinished" ? stored.origin.claim : null;
    return this.#hosted(displayName, networkName, claimed);
  }

  async #makeVault(keychain: boolean, passphrase: string | null): Promise<Vault> {
    // Without a keychain a passphrase is the only slot there can be.
    if (!keychain && passphrase === null) throw new AppError("passphrase-weak");
    this.#options.onStep("making-keys");
    return this.#engine.createVault({ keychain, passphrase });
  }

  async #makeAccount(vault: Vault, account: NewAccount): Promise<void> {
    this.#options.onStep("joining");
    await this.#engine.createAccount(vault, account);
  }

  /** @param claimed - what an earlier try used to claim the relay, if there was one */
  async #hosted(
    displayName: string,
    networkName: string,
    claimed: Claim | null,
  ): Promise<NewAccount> {
    this.#options.onStep("starting-relay");
    const { relayUrl, claimCode } = await this.#options.relay.start();
    const claim = claimCode === null ? claimed : { claimCode, networkName };
    if (claim === null) throw new AppError("network-claimed");
    return { claim, invite: { relayUrl }, displayName, hosted: true };
  }
}
