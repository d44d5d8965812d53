import {
  AppError,
  ensureAppError,
  parseInviteLink,
  parseLinkText,
  type AppView,
  type KeySlotKind,
  type LockedView,
  type ParsedCommandParams,
  type SettingsView,
} from "#protocol";
import type { Client } from "../client/index.ts";
import type { Clock } from "../link/index.ts";
import { inTime, type Vault, type VaultUnlock } from "../vault/index.ts";
import { closeForLock } from "./close-for-lock.ts";
import type { CryptoFacts, Engine } from "./engine.ts";
import type { FirstRunForm } from "./first-run.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { Opening } from "./opening.ts";
import { isKeyProblem, phaseView, type Phase } from "./phase.ts";
import type { Log } from "./ports.ts";
import type { RelayHost } from "./relay-host.ts";
import { Tries } from "./tries.ts";

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
  /** Called when something has come for a locked vault. */
  readonly onArrival: () => void;
}

/** How long the end waits for what is under way, milliseconds. */
const stopPatienceMs = 10_000;

/** A secret that a person gives. */
type PersonsSecret = Extract<VaultUnlock, { readonly kind: "passphrase" | "recovery-code" }>;
type Ready = Extract<Phase, { readonly kind: "ready" }>;

/**
 * A profile from start to end: finds out what is there, opens it, locks it, or lets the person make it. One thing at a time; whatever fails
 * leaves a phase with words and ways out, and what is on disk untouched.
 */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #engine: Engine;
  readonly #opening: Opening;
  readonly #operations = new OneAtATime();
  /** Tries with secrets, at the lock and wherever one is asked for. */
  readonly tries: Tries;
  #phase: Phase = { kind: "starting", step: "starting" };
  /** What opened the vault, where a person did. */
  #openedWith: PersonsSecret["kind"] = "passphrase";
  #unlisten: () => void = () => undefined;
  /** Ends the connection that is left while the vault is locked. */
  #endRest: () => void = () => undefined;

  constructor(options: LifecycleOptions) {
    const { engine, relay, clock, log, onChanged } = options;
    this.#options = options;
    this.#engine = engine;
    this.tries = new Tries({ engine, clock, log, onChanged });
    this.#opening = new Opening({
      engine,
      relay,
      log,
      tries: this.tries,
      enter: (phase) => {
        this.#enter(phase);
      },
      onOpening: () => {
        this.#rested();
      },
      onOpened: (client, vault) => {
        const unlisten = options.onOpened(client, vault);
        const unwatch = client.onViewChanged(() => {
          this.#watchRemoval(client);
        });
        this.#unlisten = () => {
          unwatch();
          unlisten();
        };
      },
      onSlotsChanged: onChanged,
    });
    this.#engine.onWorkerRestart(() => {
      void this.#reopen();
    });
  }

  get view(): AppView {
    const { profile, relay } = this.#options;
    const { link, slots } = this.#opening;
    return phaseView(this.#phase, {
      profile,
      link,
      slots,
      relay: relay.status,
      tries: this.tries.view,
      weakKeychain: this.#engine.weakKeychain,
    });
  }

  /** @throws AppError `not-ready` */
  get client(): Client {
    return this.open.client;
  }

  /** The account that is open. @throws AppError `not-ready` */
  get open(): Omit<Ready, "kind"> {
    if (this.#phase.kind !== "ready") throw new AppError("not-ready");
    return this.#phase;
  }

  /** As they are, or were when it was locked; null before the vault was open. */
  get settings(): SettingsView | null {
    if (this.#phase.kind === "locked") return this.#phase.settings;
    return this.#phase.kind === "ready" ? this.#phase.client.view.settings : null;
  }

  /** null before the self-test has passed. */
  get crypto(): CryptoFacts | null {
    return this.#opening.crypto;
  }

  /** What the person opens the vault with. */
  get keyStore(): "keychain" | "passphrase" {
    return this.slots.includes("passphrase") ? "passphrase" : "keychain";
  }

  /** What opens the vault. */
  get slots(): readonly KeySlotKind[] {
    return this.#opening.slots;
  }

  /** An invite for the first run's form. */
  setLink(link: string): void {
    this.#opening.link = link;
    if (this.#phase.kind === "first-run") this.#options.onChanged();
  }

  /** Goes as far as it can without the person. */
  start(): Promise<void> {
    return this.#alone(() => this.#opening.begin());
  }

  /** Tries again what failed. */
  async retry(): Promise<void> {
    if (this.#phase.kind === "ready") {
      this.#phase.client.retryNow();
      return;
    }
    if (this.#phase.kind === "locked") return;
    await this.#alone(() => this.#beginAnew());
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
      await this.#opening.openAccount(phase.vault);
    });
  }

  /** @throws AppError as {@link Tries.make} and {@link Engine.openVault} */
  unlock(secret: PersonsSecret): Promise<void> {
    return this.#alone(async () => {
      const phase = this.#phase;
      const mayUnlock =
        phase.kind === "locked" ||
        (phase.kind === "problem" && phase.vault === null && isKeyProblem(phase.problem.code));
      if (!mayUnlock || !this.slots.includes(secret.kind)) throw new AppError("not-ready");
      let vault: Vault;
      try {
        // The page with the field stays until what was entered is right.
        vault = await this.tries.make(async () => {
          await this.#engine.selfTest();
          return this.#engine.openVault(secret);
        });
      } catch (error) {
        if (isErased(error)) await this.#destroy();
        throw error;
      }
      this.#openedWith = secret.kind;
      await this.#opening.continueWith(vault);
    });
  }

  /** Whether a new passphrase takes the one before: who came with the recovery code has forgotten it. */
  get asksPassphrase(): boolean {
    return this.slots.includes("passphrase") && this.#openedWith === "passphrase";
  }

  /** There is another passphrase from now on. */
  passphraseChanged(): void {
    this.#openedWith = "passphrase";
  }

  /**
   * The passphrase is to be given once more before something is changed: counts as a try at the lock.
   *
   * @throws AppError as {@link Tries.make}
   */
  async prove(passphrase: string): Promise<void> {
    try {
      await this.tries.make(async () => {
        const isRight = await this.#engine.checkPassphrase(passphrase);
        if (!isRight) throw new AppError("passphrase-wrong");
      });
    } catch (error) {
      if (isErased(error)) await this.#alone(() => this.#destroy());
      throw error;
    }
  }

  /** The vault's slots have changed. */
  slotsChanged(): Promise<void> {
    return this.#opening.lookAtSlots();
  }

  /**
   * Drops every key and the databases in memory, also of a vault that is just being made or opened, or waits for the person.
   *
   * @throws AppError `not-ready` when nothing is open, or no passphrase would open it again
   */
  async lock(reason: LockedView["reason"]): Promise<void> {
    if (!this.#opening.hasPassphrase) throw new AppError("not-ready");
    if (this.#phase.kind === "ready") {
      await this.#alone(() => this.#lockOpen(reason));
      return;
    }
    if (this.#operations.isBusy) {
      await this.#opening.lock(reason);
      await this.#operations.idle();
      return;
    }
    const waiting = "vault" in this.#phase ? this.#phase.vault : null;
    if (waiting === null) throw new AppError("not-ready");
    await this.#alone(() => this.#lockWaiting(waiting, reason));
  }

  /** Destroys the vault, as its person wants. @throws AppError `not-ready` where that is not offered */
  erase(): Promise<void> {
    return this.#alone(async () => {
      const phase = this.#phase;
      const isOffered =
        phase.kind === "locked" ||
        (phase.kind === "problem" && phase.problem.actions.includes("erase"));
      if (!isOffered) throw new AppError("not-ready");
      await this.#closeAll();
      try {
        await this.#opening.destroy();
      } catch (error) {
        this.#opening.fail(error);
        throw error;
      }
      await this.#opening.begin();
    });
  }

  /** First run: a network of this person's own, its relay in this app. */
  host({ passphrase, ...names }: ParsedCommandParams<"profile.host">): Promise<void> {
    return this.#alone(() => this.#opening.host(this.#form(), passphrase, names));
  }

  /** First run: into the network of an invite. */
  async join(params: ParsedCommandParams<"profile.join">): Promise<void> {
    const { displayName, passphrase } = params;
    const invite = parseInviteLink(params.link);
    const account = { claim: null, invite, displayName, hosted: false };
    await this.#alone(() => this.#opening.join(this.#form(), passphrase, account));
  }

  /** First run: into the account of another device. */
  async linkTo({ link, passphrase }: ParsedCommandParams<"profile.link">): Promise<void> {
    const text = parseLinkText(link);
    await this.#alone(() => this.#opening.linkTo(this.#form(), passphrase, text));
  }

  /** What the person says of the symbols. @throws AppError `not-ready` */
  linkCompared(match: boolean): void {
    const { linking } = this.#opening;
    if (linking === null) throw new AppError("not-ready");
    linking.compared(match);
  }

  cancelLink(): void {
    this.#opening.linking?.cancel();
  }

  /** Ends everything in order: the client, its vault, the worker, and the relay last. */
  async stop(): Promise<void> {
    this.#operations.stop();
    this.cancelLink();
    // Something that hangs (a keychain's dialogue, a relay that doesn't answer) must not keep Sotto from ending.
    await inTime(this.#options.clock, stopPatienceMs, this.#operations.idle());
    await this.#closeAll();
    this.tries.forget();
    await this.#engine.dispose();
    await this.#options.relay.stop();
  }

  /** The crypto worker died, and with it the vault's keys: what was open, or stopped for that reason, is opened again. */
  async #reopen(): Promise<void> {
    await this.#operations.idle();
    const phase = this.#phase;
    const isOpen = "vault" in phase && phase.vault !== null;
    const isHalted = phase.kind === "problem" && phase.problem.code === "worker-stopped";
    if (this.#operations.isStopped || !(isOpen || isHalted)) return;
    await this.#alone(() => this.#beginAnew());
  }

  /** Taken out of the account from another of its computers: nothing of it stays open here. What is on disk stays, for the person to erase. */
  #watchRemoval({ view: { connection } }: Client): void {
    if (connection.kind !== "offline" || connection.code !== "device-revoked") return;
    if (this.#phase.kind !== "ready" || this.#operations.isBusy) return;
    const closing = this.#alone(async () => {
      await this.#closeAll();
      await this.#engine.dropKeys();
      this.#opening.fail(new AppError("device-revoked"));
    });
    closing.catch((error: unknown) => {
      this.#options.log.error("a removed device could not be closed", ensureAppError(error));
    });
  }

  async #beginAnew(): Promise<void> {
    await this.#closeAll();
    await this.#opening.begin();
  }

  async #lockOpen(reason: LockedView["reason"]): Promise<void> {
    const { client, vault } = this.open;
    this.#enter({ kind: "locked", reason, newMessages: 0, settings: client.view.settings });
    this.#unlisten();
    this.#unlisten = () => undefined;
    const { clock, log } = this.#options;
    const onArrival = (): void => {
      this.#arrived();
    };
    const engine = this.#engine;
    this.#endRest = await closeForLock({ client, vault, engine, clock, log, onArrival });
  }

  /** A damaged vault, or one whose account isn't made, before which the person stands. */
  async #lockWaiting(vault: Vault, reason: LockedView["reason"]): Promise<void> {
    this.#enter({ kind: "locked", reason, newMessages: 0, settings: null });
    await vault.close();
    await this.#engine.dropKeys();
  }

  #arrived(): void {
    const phase = this.#phase;
    if (phase.kind !== "locked") return;
    this.#enter({ ...phase, newMessages: phase.newMessages + 1 });
    this.#options.onArrival();
  }

  #rested(): void {
    this.#endRest();
    this.#endRest = () => undefined;
  }

  /** The last attempt that the policy allows was a wrong one. */
  async #destroy(): Promise<void> {
    await this.#closeAll();
    try {
      await this.#opening.destroy();
      this.#opening.fail(new AppError("vault-erased"));
    } catch (error) {
      this.#opening.fail(error);
    }
  }

  /** @throws AppError `vault-exists` when there is something already */
  #form(): FirstRunForm {
    if (this.#phase.kind !== "first-run") throw new AppError("vault-exists");
    return this.#phase;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#options.onChanged();
  }

  async #closeAll(): Promise<void> {
    const phase = this.#phase;
    this.#unlisten();
    this.#unlisten = () => undefined;
    this.#rested();
    if (phase.kind === "ready") await phase.client.close();
    if ("vault" in phase) await phase.vault?.close();
    this.#phase = { kind: "starting", step: "starting" };
  }

  /**
   * One operation at a time. While something is under way a second one is refused; where the phase has come to rest already, what is left
   * of the first is waited for, so that whoever acts on `app.changed` at once is not too early.
   */
  async #alone(run: () => Promise<void>): Promise<void> {
    if (this.#phase.kind !== "starting") await this.#operations.idle();
    await this.#operations.run(() => {
      this.#opening.renew();
      return run();
    });
  }
}

function isErased(error: unknown): boolean {
  return error instanceof AppError && error.code === "vault-erased";
}
