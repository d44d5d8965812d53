import {
  AppError,
  ensureAppError,
  formatInviteLink,
  parseInviteLink,
  type AppView,
  type ErrorCode,
  type ParsedCommandParams,
  type StartStep,
} from "#protocol";
import type { AccountOrigin, AccountProgress, Client } from "../client/index.ts";
import type { Clock } from "../link/index.ts";
import type { Vault } from "../vault/index.ts";
import type { CryptoFacts, Engine, NewAccount, Slot } from "./engine.ts";
import { phaseView, problemView, type Phase } from "./phase.ts";
import type { Log } from "./ports.ts";
import type { RelayHost } from "./relay-host.ts";

/** What the lifecycle of a profile is built on. */
export interface LifecycleOptions {
  readonly profile: string;
  readonly engine: Engine;
  readonly relay: RelayHost;
  readonly log: Log;
  readonly clock: Clock;
  /** Called at each change of {@link Lifecycle.view}. */
  readonly onChanged: () => void;
  /** Called with each client that was opened. @returns what takes its listeners away */
  readonly onOpened: (client: Client, vault: Vault) => () => void;
}

/** How long the end waits for what is under way, milliseconds. */
const stopPatienceMs = 10_000;

type Unfinished = Extract<AccountProgress, { readonly kind: "unfinished" }>;
type Claim = NonNullable<AccountOrigin["claim"]>;
type KeySlots = readonly ("keychain" | "passphrase")[];

/**
 * A profile from start to end: finds out what is there, opens it, or lets the person make it. One thing at a time; whatever fails
 * leaves a phase with words and ways out, and what is on disk untouched.
 */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #engine: Engine;
  #phase: Phase = { kind: "starting", step: "starting" };
  #link: string | null = null;
  #slots: KeySlots = [];
  #crypto: CryptoFacts | null = null;
  #busy: Promise<unknown> | null = null;
  #unlisten: () => void = () => undefined;
  #stopped = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#engine = options.engine;
    this.#engine.onWorkerRestart(() => {
      void this.#reopen();
    });
  }

  get view(): AppView {
    const { profile, relay } = this.#options;
    return phaseView(this.#phase, { profile, link: this.#link, relay: relay.status });
  }

  /** @throws AppError `not-ready` */
  get client(): Client {
    if (this.#phase.kind !== "ready") throw new AppError("not-ready");
    return this.#phase.client;
  }

  /** null before the self-test has passed. */
  get crypto(): CryptoFacts | null {
    return this.#crypto;
  }

  /** What holds the vault's key. */
  get keyStore(): "keychain" | "passphrase" {
    return this.#slots.includes("keychain") ? "keychain" : "passphrase";
  }

  /** An invite for the first run's form. */
  setLink(link: string): void {
    this.#link = link;
    if (this.#phase.kind === "first-run") this.#options.onChanged();
  }

  /** Goes as far as it can without the person. */
  start(): Promise<void> {
    return this.#alone(() => this.#begin());
  }

  /** Tries again what failed. */
  async retry(): Promise<void> {
    if (this.#phase.kind === "ready") {
      this.#phase.client.retryNow();
      return;
    }
    if (this.#phase.kind === "locked") return;
    await this.#alone(async () => {
      await this.#closeAll();
      await this.#begin();
    });
  }

  /** The relay in this app has come up, or has not: once it is there, the client need not wait for its next turn. */
  relayChanged(): void {
    if (this.#phase.kind !== "ready") return;
    if (this.#options.relay.status.kind === "running") this.#phase.client.retryNow();
    this.#options.onChanged();
  }

  /** @throws AppError `not-ready` unless a damaged vault is waiting for this */
  openReadOnly(): Promise<void> {
    return this.#alone(async () => {
      const phase = this.#phase;
      if (phase.kind !== "problem" || phase.vault === null) throw new AppError("not-ready");
      await this.#openAccount(phase.vault);
    });
  }

  /** @throws AppError `passphrase-wrong`, or what {@link Engine.openVault} says */
  unlock(passphrase: string): Promise<void> {
    return this.#alone(async () => {
      const phase = this.#phase;
      const mayUnlock =
        phase.kind === "locked" ||
        (phase.kind === "problem" && this.#mayUnlock(phase.problem.code, phase.vault));
      if (!mayUnlock) throw new AppError("not-ready");
      // The page with the passphrase stays until it is right.
      const vault = await this.#engine.openVault({ kind: "passphrase", passphrase });
      await this.#continueWith(vault);
    });
  }

  /** First run: a network of this person's own, its relay in this app. */
  host(params: ParsedCommandParams<"profile.host">): Promise<void> {
    const { displayName, networkName, passphrase } = params;
    return this.#alone(() =>
      this.#firstRun(passphrase, (vault) => {
        const stored = this.#engine.accountProgress(vault);
        const claimed = stored.kind === "unfinished" ? stored.origin.claim : null;
        return this.#hostedAccount(displayName, networkName, claimed);
      }),
    );
  }

  /** First run: into the network of an invite. */
  async join(params: ParsedCommandParams<"profile.join">): Promise<void> {
    const invite = parseInviteLink(params.link);
    const account = { claim: null, invite, displayName: params.displayName, hosted: false };
    await this.#alone(() => this.#firstRun(params.passphrase, () => Promise.resolve(account)));
  }

  /** Ends everything in order: the client, its vault, the worker, and the relay last. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#idleWithin(stopPatienceMs);
    await this.#closeAll();
    await this.#engine.dispose();
    await this.#options.relay.stop();
  }

  /** The crypto worker died, and with it the vault's keys: what was open, or stopped for that reason, is opened again. */
  async #reopen(): Promise<void> {
    await this.#idle();
    const phase = this.#phase;
    const isOpen = "vault" in phase && phase.vault !== null;
    const isHalted = phase.kind === "problem" && phase.problem.code === "worker-stopped";
    if (this.#stopped || !(isOpen || isHalted)) return;
    await this.#alone(async () => {
      await this.#closeAll();
      await this.#begin();
    });
  }

  async #begin(): Promise<void> {
    this.#step("starting");
    try {
      this.#crypto = await this.#engine.selfTest();
      const found = await this.#engine.inspectVault();
      if (found.kind === "none") await this.#showFirstRun(null);
      else if (found.kind === "unreadable") this.#showProblem(found.code, null);
      else {
        this.#slots = found.slots;
        if (found.slots.includes("keychain")) await this.#open({ kind: "keychain" });
        else this.#enter({ kind: "locked" });
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #open(slot: Slot): Promise<void> {
    this.#step("unlocking");
    await this.#continueWith(await this.#engine.openVault(slot));
  }

  /** With the vault open: into the account, or on with the making of it. */
  async #continueWith(vault: Vault): Promise<void> {
    if (vault.readOnly !== null) {
      this.#showProblem(vault.readOnly, vault);
      return;
    }
    let progress: AccountProgress;
    try {
      progress = this.#engine.accountProgress(vault);
    } catch (error) {
      await vault.close();
      throw error;
    }
    if (progress.kind === "ready") await this.#openAccount(vault);
    else if (progress.kind === "none") await this.#showFirstRun(vault);
    else await this.#resume(vault, progress);
  }

  /** A first run stopped halfway: tries to go on by itself; when that fails, the person sees the form again, filled in. */
  async #resume(vault: Vault, progress: Unfinished): Promise<void> {
    const { origin, displayName } = progress;
    if (origin.claim === null) this.#link ??= formatInviteLink(origin.invite);
    try {
      const account =
        origin.claim === null
          ? { ...origin, displayName, hosted: false }
          : await this.#hostedAccount(displayName, origin.claim.networkName, origin.claim);
      await this.#makeAccount(vault, account);
    } catch (error) {
      this.#options.log.error("the first run could not go on", ensureAppError(error));
      await this.#options.relay.stop();
      await this.#showFirstRun(vault);
      return;
    }
    await this.#openAccount(vault);
  }

  async #firstRun(
    passphrase: string | null,
    account: (vault: Vault) => Promise<NewAccount>,
  ): Promise<void> {
    if (this.#phase.kind !== "first-run") throw new AppError("vault-exists");
    const { keychainProblem } = this.#phase;
    let { vault } = this.#phase;
    let problem = keychainProblem;
    try {
      vault ??= await this.#makeVault(keychainProblem === null, passphrase);
      problem = null;
      await this.#makeAccount(vault, await account(vault));
    } catch (error) {
      const failure = ensureAppError(error);
      if (failure.code.startsWith("keychain-")) problem = failure.code;
      await this.#options.relay.stop();
      this.#enter({ kind: "first-run", keychainProblem: problem, vault });
      throw failure;
    }
    await this.#openAccount(vault);
  }

  async #makeVault(keychain: boolean, passphrase: string | null): Promise<Vault> {
    // Without a keychain a passphrase is the only slot there can be.
    if (!keychain && passphrase === null) throw new AppError("passphrase-weak");
    this.#step("making-keys");
    const vault = await this.#engine.createVault({ keychain, passphrase });
    this.#slots = [
      ...(keychain ? (["keychain"] as const) : []),
      ...(passphrase === null ? [] : (["passphrase"] as const)),
    ];
    return vault;
  }

  /** @param claimed - what an earlier try used to claim the relay, if there was one */
  async #hostedAccount(
    displayName: string,
    networkName: string,
    claimed: Claim | null,
  ): Promise<NewAccount> {
    this.#step("starting-relay");
    const { relayUrl, claimCode } = await this.#options.relay.start();
    const claim = claimCode === null ? claimed : { claimCode, networkName };
    if (claim === null) throw new AppError("network-claimed");
    return { claim, invite: { relayUrl }, displayName, hosted: true };
  }

  async #makeAccount(vault: Vault, account: NewAccount): Promise<void> {
    this.#step("joining");
    await this.#engine.createAccount(vault, account);
    this.#link = null;
  }

  /** Into the account; a failure closes the vault and is shown. */
  async #openAccount(vault: Vault): Promise<void> {
    try {
      const progress = this.#engine.accountProgress(vault);
      if (progress.kind !== "ready") throw new AppError(vault.readOnly ?? "internal");
      // Side by side: everything can be read without the relay, and the client finds it where it always is.
      if (progress.hosted) this.#options.relay.keepRunning();
      this.#step("sweeping");
      const client = await this.#engine.openClient(vault);
      this.#unlisten = this.#options.onOpened(client, vault);
      this.#enter({ kind: "ready", vault, client });
    } catch (error) {
      await vault.close();
      this.#fail(error);
    }
  }

  async #showFirstRun(vault: Vault | null): Promise<void> {
    const keychainProblem = vault === null ? await this.#engine.probeKeychain() : null;
    this.#enter({ kind: "first-run", keychainProblem, vault });
  }

  #showProblem(code: ErrorCode, vault: Vault | null): void {
    const ways = { passphrase: this.#mayUnlock(code, vault), readOnly: vault !== null };
    this.#enter({ kind: "problem", problem: problemView(code, ways), vault });
  }

  /** Whether a passphrase helps: the keychain failed, and there is another slot. */
  #mayUnlock(code: ErrorCode, vault: Vault | null): boolean {
    const isKeyProblem = code.startsWith("keychain-") || code.startsWith("vault-key-");
    return vault === null && isKeyProblem && this.#slots.includes("passphrase");
  }

  #fail(cause: unknown): void {
    const error = ensureAppError(cause);
    this.#options.log.error("the start stopped", error);
    this.#showProblem(error.code, null);
  }

  #step(step: StartStep): void {
    this.#enter({ kind: "starting", step });
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#options.onChanged();
  }

  async #closeAll(): Promise<void> {
    const phase = this.#phase;
    this.#unlisten();
    this.#unlisten = () => undefined;
    if (phase.kind === "ready") await phase.client.close();
    if ("vault" in phase) await phase.vault?.close();
    this.#phase = { kind: "starting", step: "starting" };
  }

  /**
   * One operation at a time. While something is under way a second one is refused; where the phase has come to rest already, what is left
   * of the first is waited for, so that whoever acts on `app.changed` at once is not too early.
   */
  async #alone(run: () => Promise<void>): Promise<void> {
    if (this.#busy !== null && this.#phase.kind !== "starting") await this.#idle();
    if (this.#busy !== null || this.#stopped) throw new AppError("not-ready");
    const running = run().finally(() => {
      this.#busy = null;
    });
    this.#busy = running;
    return running;
  }

  /** Something that hangs (a keychain's dialogue, a relay that doesn't answer) must not keep Sotto from ending. */
  async #idleWithin(patienceMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.setTimeout(resolve, patienceMs);
      void this.#idle().then(() => {
        cancel();
        resolve();
      });
    });
  }

  async #idle(): Promise<void> {
    while (this.#busy !== null) await this.#busy.catch(() => undefined);
  }
}
