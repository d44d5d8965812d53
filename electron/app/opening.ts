import {
  AppError,
  ensureAppError,
  formatInviteLink,
  type ErrorCode,
  type KeySlotKind,
  type LinkText,
  type LockedView,
  type StartStep,
} from "#protocol";
import type { AccountProgress, Client } from "../client/index.ts";
import type { Vault } from "../vault/index.ts";
import type { CryptoFacts, Engine, NewAccount } from "./engine.ts";
import { FirstRun, type FirstRunForm } from "./first-run.ts";
import { Linking } from "./linking.ts";
import { problemView, type Phase } from "./phase.ts";
import type { Log } from "./ports.ts";
import type { RelayHost } from "./relay-host.ts";
import type { Tries } from "./tries.ts";

/** What an {@link Opening} is built on. */
export interface OpeningOptions {
  readonly engine: Engine;
  readonly relay: RelayHost;
  readonly tries: Tries;
  readonly log: Log;
  /** Called with each phase that is reached. */
  readonly enter: (phase: Phase) => void;
  /** Called before a client is opened: whatever is left of the last one ends. */
  readonly onOpening: () => void;
  /** Called with each client that was opened, before its phase. */
  readonly onOpened: (client: Client, vault: Vault) => void;
  readonly onSlotsChanged: () => void;
}

/** The way from nothing to an account at work. Each failure leaves a phase with words and ways out. */
export class Opening {
  readonly #options: OpeningOptions;
  readonly #engine: Engine;
  readonly #firstRun: FirstRun;
  #slots: readonly KeySlotKind[] = [];
  #crypto: CryptoFacts | null = null;
  #linking: Linking | null = null;
  /** Set while a vault with a passphrase is being made. */
  #makesPassphrase = false;
  /** Set when what is being opened is to be locked at once. */
  #lockAsked: LockedView["reason"] | null = null;
  /** The invite that Sotto was started with. */
  link: string | null = null;

  constructor(options: OpeningOptions) {
    this.#options = options;
    const { engine, relay, log, enter } = options;
    this.#engine = engine;
    this.#firstRun = new FirstRun({
      engine,
      relay,
      log,
      onStep: (step) => {
        this.#step(step);
      },
      onVault: async () => {
        await this.#readSlots();
        if (this.#lockAsked === null) return;
        // It was asked for while the vault was being made, which is not cut short.
        await this.lock(this.#lockAsked);
        throw new AppError("not-ready");
      },
      onForm: async (form) => {
        // Without a vault there is nothing to lock.
        if (this.#lockAsked === null || form.vault === null) {
          enter({ kind: "first-run", ...form });
          return;
        }
        await form.vault.close();
        this.#showLocked(this.#lockAsked);
      },
    });
  }

  /** What opens the vault; empty where there is none. */
  get slots(): readonly KeySlotKind[] {
    return this.#slots;
  }

  /** Whether a passphrase opens the vault, or will. */
  get hasPassphrase(): boolean {
    return this.#makesPassphrase || this.#slots.includes("passphrase");
  }

  /** null before the self-test has passed. */
  get crypto(): CryptoFacts | null {
    return this.#crypto;
  }

  /** From the start, as far as it goes without the person. */
  async begin(): Promise<void> {
    this.#step("starting");
    try {
      this.#crypto = await this.#engine.selfTest();
      // Nothing waits for a keychain here, which may hang.
      void this.#engine.forgetErased().catch((error: unknown) => {
        this.#options.log.error("the keychain keeps an erased vault's keys", ensureAppError(error));
      });
      const found = await this.#engine.inspectVault();
      this.#slots = found.kind === "present" ? found.slots : [];
      if (found.kind === "none") await this.#showFirstRun(null);
      else if (found.kind === "unreadable") await this.#showUnreadable(found.code);
      else await this.#beginWithVault();
    } catch (error) {
      this.fail(error);
    }
  }

  async #showUnreadable(code: ErrorCode): Promise<void> {
    // Its destruction was cut short.
    if (code === "vault-erased") await this.destroy();
    this.#showProblem(new AppError(code), null);
  }

  async #beginWithVault(): Promise<void> {
    const { tries } = this.#options;
    await tries.load();
    if (tries.areSpent) {
      await this.destroy();
      this.fail(new AppError("vault-erased"));
    } else if (this.#slots.includes("passphrase") || !this.#slots.includes("keychain")) {
      // A passphrase is asked for although the keychain could open it: that is what the lock is.
      this.#showLocked("start");
    } else {
      this.#step("unlocking");
      await this.continueWith(await this.#engine.openVault({ kind: "keychain" }));
    }
  }

  /** With the vault open: into the account, or on with the making of it. */
  async continueWith(vault: Vault): Promise<void> {
    if (this.#lockAsked !== null) {
      await vault.close();
      throw new AppError("not-ready");
    }
    if (vault.readOnly !== null) {
      this.#showProblem(new AppError(vault.readOnly), vault);
      return;
    }
    let progress: AccountProgress;
    try {
      progress = this.#engine.accountProgress(vault);
    } catch (error) {
      await vault.close();
      throw error;
    }
    if (progress.kind === "ready") await this.openAccount(vault);
    else if (progress.kind === "none") await this.#showFirstRun(vault);
    else {
      // A first run stopped halfway.
      if (progress.origin.claim === null) this.link ??= formatInviteLink(progress.origin.invite);
      if (await this.#firstRun.resume(vault, progress)) await this.#openMade(vault);
    }
  }

  /** First run: into the network of an invite, or into one that is made. @throws AppError as {@link FirstRun.run} */
  async join(form: FirstRunForm, passphrase: string | null, account: NewAccount): Promise<void> {
    await this.#make(form, passphrase, () => Promise.resolve(account));
  }

  /** First run: a network of this person's own, its relay in this app. @throws AppError as {@link FirstRun.run} */
  async host(
    form: FirstRunForm,
    passphrase: string | null,
    names: { readonly displayName: string; readonly networkName: string },
  ): Promise<void> {
    await this.#make(form, passphrase, (made) =>
      this.#firstRun.hosted(made, names.displayName, names.networkName),
    );
  }

  /** First run: into the account of another device. @throws AppError as {@link FirstRun.run} */
  async linkTo(form: FirstRunForm, passphrase: string | null, link: LinkText): Promise<void> {
    await this.#make(form, passphrase, async (vault) => {
      const linking = new Linking(this.#engine);
      this.#linking = linking;
      try {
        await linking.run(vault, link, (step) => {
          this.#options.enter({ kind: "linking", step });
        });
        return null;
      } finally {
        this.#linking = null;
      }
    });
  }

  /** The linking that is under way; null: none is. */
  get linking(): Linking | null {
    return this.#linking;
  }

  /** Into the account; a failure closes the vault and is shown. */
  async openAccount(vault: Vault): Promise<void> {
    const { relay, onOpening, onOpened, enter } = this.#options;
    try {
      const progress = this.#engine.accountProgress(vault);
      if (progress.kind !== "ready") throw new AppError(vault.readOnly ?? "internal");
      // Side by side: everything can be read without the relay, and the client finds it where it always is.
      if (progress.hosted) relay.keepRunning();
      this.#step("sweeping");
      onOpening();
      const client = await this.#engine.openClient(vault);
      if (this.#lockAsked !== null) {
        await client.close();
        throw new AppError("not-ready");
      }
      onOpened(client, vault);
      enter({ kind: "ready", vault, client });
    } catch (error) {
      await vault.close();
      this.fail(error);
    }
  }

  /** The vault's slots may have changed. */
  async lookAtSlots(): Promise<void> {
    await this.#readSlots();
    this.#options.onSlotsChanged();
  }

  /** What is being opened is to be locked: its keys are gone at once, and whatever step it is at fails. A vault that is being made is made first. */
  async lock(reason: LockedView["reason"]): Promise<void> {
    this.#lockAsked = reason;
    this.#linking?.cancel();
    if (this.#slots.includes("passphrase")) await this.#engine.dropKeys();
  }

  /** Another operation begins: no lock was asked for since. */
  renew(): void {
    this.#lockAsked = null;
  }

  /** Destroys the vault, of which nothing is open. @throws AppError as {@link Engine.destroyVault} */
  async destroy(): Promise<void> {
    await this.#engine.destroyVault();
    this.#options.tries.forget();
    this.#slots = [];
  }

  /** It goes no further: because it was to be locked, or something went wrong. */
  fail(cause: unknown): void {
    if (this.#lockAsked !== null) {
      this.#showLocked(this.#lockAsked);
      return;
    }
    const error = ensureAppError(cause);
    this.#options.log.error("the start stopped", withoutPlace(error));
    this.#showProblem(error, null);
  }

  async #make(...parts: Parameters<FirstRun["run"]>): Promise<void> {
    const [form, passphrase] = parts;
    this.#makesPassphrase = form.vault === null && passphrase !== null;
    let vault: Vault;
    try {
      vault = await this.#firstRun.run(...parts);
    } finally {
      this.#makesPassphrase = false;
    }
    await this.#openMade(vault);
  }

  async #readSlots(): Promise<void> {
    const found = await this.#engine.inspectVault();
    if (found.kind === "present") this.#slots = found.slots;
  }

  async #openMade(vault: Vault): Promise<void> {
    this.link = null;
    await this.openAccount(vault);
  }

  async #showFirstRun(vault: Vault | null): Promise<void> {
    const keychainProblem = vault === null ? await this.#engine.probeKeychain() : null;
    this.#options.enter({ kind: "first-run", keychainProblem, vault });
  }

  #showLocked(reason: LockedView["reason"]): void {
    this.#options.enter({ kind: "locked", reason, newMessages: 0, settings: null });
  }

  #showProblem(error: AppError, vault: Vault | null): void {
    const ways = { slots: this.#slots, readOnly: vault !== null };
    this.#options.enter({ kind: "problem", problem: problemView(error, ways), vault });
  }

  #step(step: StartStep): void {
    this.#options.enter({ kind: "starting", step });
  }
}

/** For the log: what has changed since a key slot was made names a person and a folder. */
function withoutPlace(error: AppError): AppError {
  const data = Object.entries(error.data).filter(([name]) => !/(?:Then|Now)$/u.test(name));
  return new AppError(error.code, { cause: error.cause, data: Object.fromEntries(data) });
}
