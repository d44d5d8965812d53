import {
  AppError,
  ensureAppError,
  type CryptoWorker,
  type ErrorCode,
  type KeychainPlace,
  type KeyringChange,
  type KeyringRecord,
  type KeySlotKind,
  type WorkerResult,
} from "#protocol";
import type { Keychain } from "../keychain/index.ts";
import type { Clock } from "../link/index.ts";
import { mapWriteError } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { KeychainMirror } from "./keychain-mirror.ts";
import type { Unlocked } from "./key-slots.ts";
import { encodeKeyring, slotFacts, slotOf } from "./keyring.ts";
import { replaceKeyring } from "./keyring-file.ts";
import type { KeychainState, KeyDestruction, SlotRequest, VaultFacts } from "./types.ts";
import { createWorkQueue, type Waiting, type WorkQueue } from "./work-queue.ts";

/** The keys of an open vault: its keyring, the keychain entries that open it, and every change of both (docs/adr/0014). */
export interface VaultKeys {
  readonly rolledBack: boolean;
  readonly keychainState: KeychainState;
  readonly keychainProblem: ErrorCode | null;
  /** @returns a disposer */
  onKeysChanged(listener: () => void): () => void;
  /** Called once when it is not known which keyring is on the disk: the vault must not be written any more. @returns a disposer */
  onFailure(listener: (code: ErrorCode) => void): () => void;
  destroyKeys(request: KeyDestruction): Promise<void>;
  setSlot(slot: SlotRequest): Promise<{ readonly recoveryCode: string | null }>;
  removeSlot(kind: KeySlotKind): Promise<void>;
  renewKeychain(): Promise<void>;
  /**
   * The vault's files are at this generation: destroys the keys of earlier ones and makes the next one's, and ends what a crash cut short.
   * Resolves at once when the keyring is there already, so that a compaction may ask for it once more before it begins.
   */
  moveTo(generation: number): Promise<void>;
  facts(): Promise<KeysFacts>;
  /** From now on everything is refused: the vault has become read-only, or its worker was lost (`worker-stopped`). */
  stop(code: ErrorCode): void;
  /** The vault is being closed: a keychain that doesn't answer in a moment is given up, whatever waits for it. */
  hurry(): void;
  /** Waits for what is under way, but not long for a keychain. */
  close(): Promise<void>;
}

/** What the keys say of themselves. */
export type KeysFacts = Pick<
  VaultFacts,
  "keyring" | "keyringBytes" | "slots" | "lastDestructionMs"
>;

/** What {@link openKeys} needs. */
export interface VaultKeysParts {
  readonly files: VaultFiles;
  readonly directory: string;
  /** Unlocked with the record. */
  readonly worker: CryptoWorker;
  readonly clock: Clock;
  readonly keychain: Keychain | null;
  /** What a keychain slot made now would say; its account is that of the slot there is. */
  readonly place: KeychainPlace;
  /** As it is on the disk. */
  readonly record: KeyringRecord;
  readonly unlocked: Unlocked;
  /** Whether a keyring that wasn't taken lies beside it. */
  readonly hasRemnant: boolean;
}

type Prepared = WorkerResult<"vault.prepareKeyring">;
type Destruction = Extract<KeyringChange, { readonly kind: "destroy" }>;

/** The keys of a vault that was just unlocked. */
export async function openKeys(parts: VaultKeysParts): Promise<VaultKeys> {
  const { generations } = await parts.worker.call("vault.keyringFacts", {});
  return new Exchanges(parts, Math.min(...generations));
}

class Exchanges implements VaultKeys {
  readonly #parts: VaultKeysParts;
  readonly #mirror: KeychainMirror;
  readonly #work: WorkQueue;
  readonly #failureListeners = new Set<(code: ErrorCode) => void>();
  readonly #keysListeners = new Set<() => void>();
  #destructions: Waiting<KeyDestruction>[] = [];
  /** What has a turn of its own; never fails. */
  #tasks: (() => Promise<void>)[] = [];
  #record: KeyringRecord;
  #file: Uint8Array;
  /** Which generation the keyring is at, and the files. */
  #generation: number;
  #wantedGeneration: number;
  #hasRemnant: boolean;
  #refusal: AppError | null = null;
  #lastDestructionMs: number | null = null;
  #isClosing = false;
  #stopHurrying: (() => void) | null = null;

  constructor(parts: VaultKeysParts, generation: number) {
    this.#parts = parts;
    this.#record = parts.record;
    this.#file = encodeKeyring(parts.record);
    this.#generation = generation;
    this.#wantedGeneration = generation;
    this.#hasRemnant = parts.hasRemnant;
    this.#work = createWorkQueue(() => this.#beginStep());
    this.#mirror = new KeychainMirror({
      ...parts,
      record: () => this.#record,
      changed: () => {
        this.#tell();
      },
      retry: () => {
        void this.#alone(() => this.#mirror.catchUp()).catch(() => undefined);
      },
    });
  }

  get rolledBack(): boolean {
    return this.#mirror.rolledBack;
  }

  get keychainState(): KeychainState {
    return this.#mirror.state;
  }

  get keychainProblem(): ErrorCode | null {
    return this.#mirror.problem;
  }

  onKeysChanged(listener: () => void): () => void {
    this.#keysListeners.add(listener);
    return () => void this.#keysListeners.delete(listener);
  }

  onFailure(listener: (code: ErrorCode) => void): () => void {
    this.#failureListeners.add(listener);
    return () => void this.#failureListeners.delete(listener);
  }

  async destroyKeys(request: KeyDestruction): Promise<void> {
    if (request.leaves.length === 0 && request.hoursBefore === null) return;
    if (this.#isClosing) throw new AppError("not-ready");
    await new Promise<void>((resolve, reject) => {
      this.#destructions.push({ item: request, resolve, reject });
      this.#work.wake();
    });
  }

  setSlot(slot: SlotRequest): Promise<{ readonly recoveryCode: string | null }> {
    return this.#alone(() =>
      slot.kind === "keychain"
        ? this.#setKeychainSlot()
        : this.#exchange([{ kind: "set-slot", slot }]),
    );
  }

  async removeSlot(kind: KeySlotKind): Promise<void> {
    await this.#alone(async () => {
      const account = slotOf(this.#record, "keychain")?.account;
      await this.#exchange([{ kind: "remove-slot", slot: kind }]);
      if (kind === "keychain" && account !== undefined) await this.#mirror.forget(account);
    });
  }

  async renewKeychain(): Promise<void> {
    await this.#alone(async () => {
      await this.#fasten();
      const error = await this.#mirror.renew();
      if (error !== null) throw error;
    });
  }

  async moveTo(generation: number): Promise<void> {
    this.#wantedGeneration = generation;
    const isOwed = () => this.#owesGeneration() || this.#hasRemnant;
    if (!isOwed()) return;
    await this.#alone(async () => {
      // Another exchange may have taken it along.
      if (isOwed()) await this.#exchange([]);
    });
  }

  async facts(): Promise<KeysFacts> {
    return {
      keyring: await this.#parts.worker.call("vault.keyringFacts", {}),
      keyringBytes: this.#file.length,
      slots: this.#record.slots.map(slotFacts),
      lastDestructionMs: this.#lastDestructionMs,
    };
  }

  stop(code: ErrorCode): void {
    this.#refusal ??=
      code === "worker-stopped"
        ? new AppError(code)
        : new AppError("vault-read-only", { data: { reason: code } });
    this.#mirror.rest();
  }

  hurry(): void {
    this.#stopHurrying ??= this.#mirror.loseInterest();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#mirror.rest();
    this.hurry();
    await this.#work.idle();
    this.#stopHurrying?.();
  }

  /** Runs something when its turn comes. */
  #alone<Result>(run: () => Promise<Result>): Promise<Result> {
    if (this.#isClosing) return Promise.reject(new AppError("not-ready"));
    return new Promise((resolve, reject) => {
      this.#tasks.push(async () => {
        await run().then(resolve, reject);
      });
      this.#work.wake();
    });
  }

  #beginStep(): Promise<void> | null {
    if (this.#destructions.length > 0) return this.#destroy(this.#destructions.splice(0));
    const task = this.#tasks.shift();
    return task === undefined ? null : task();
  }

  /** One exchange, for however many have asked. */
  async #destroy(waiting: readonly Waiting<KeyDestruction>[]): Promise<void> {
    try {
      await this.#exchange([merge(waiting.map(({ item }) => item))]);
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      for (const { reject } of waiting) reject(ensureAppError(error));
    }
  }

  async #setKeychainSlot(): Promise<{ readonly recoveryCode: null }> {
    const { keychain, place } = this.#parts;
    this.#checkWritable();
    if (keychain === null) throw new AppError("keychain-absent");
    try {
      // The keys first: a crash may leave keys without a slot, but no slot without its key.
      await this.#mirror.write(place.account);
      await this.#exchange([{ kind: "set-slot", slot: { kind: "keychain", ...place } }]);
    } catch (error) {
      // What the keyring on the disk has a slot for stays, whatever failed after it was written.
      const isForNothing = slotOf(this.#record, "keychain") === undefined && this.#refusal === null;
      if (isForNothing) await this.#mirror.forget(place.account).catch(() => undefined);
      throw error;
    }
    return { recoveryCode: null };
  }

  /**
   * The keyring after these changes takes the place of the one before: prepared, written, settled; then the keychain is told.
   *
   * @throws AppError when nothing has changed, or nothing may be written any more
   */
  async #exchange(
    changes: readonly KeyringChange[],
  ): Promise<{ readonly recoveryCode: string | null }> {
    this.#checkWritable();
    if (this.#hasRemnant) {
      // A keyring that wasn't taken lies about under the next key. That key passes with an exchange of its own, before more is destroyed.
      await this.#readyKeychain(changes);
      await this.#replace(this.#owed([]));
    }
    const all = [...this.#owed(changes), ...changes];
    if (all.length === 0) return { recoveryCode: null };
    await this.#readyKeychain(changes);
    const { recoveryCode } = await this.#replace(all);
    return { recoveryCode };
  }

  /** A keychain that is two keyrings behind opens nothing, should the power fail before it hears of the second. */
  async #readyKeychain(changes: readonly KeyringChange[]): Promise<void> {
    if (this.#hasOtherWay(changes)) await this.#mirror.precede();
    else await this.#mirror.secure();
  }

  /**
   * A crash may have left the keyring's name in the system's memory alone. Were the keychain told, and the power to fail, the keyring before would be
   * there again, and nothing to open it.
   */
  async #fasten(): Promise<void> {
    const { directory, files } = this.#parts;
    try {
      await files.syncDirectory(directory);
    } catch (cause) {
      throw mapWriteError(cause);
    }
  }

  #checkWritable(): void {
    if (this.#refusal !== null) throw this.#refusal;
  }

  async #replace(changes: readonly KeyringChange[]): Promise<Prepared> {
    const { clock, worker } = this.#parts;
    const prepared = await worker.call("vault.prepareKeyring", { changes });
    // The keychain is given both keys that it should hold, wherever one is missing: not this one alone.
    prepared.keychainKey?.fill(0);
    await this.#write(prepared);
    for (const change of changes) {
      if (change.kind === "generation") this.#generation = change.current;
    }
    if (changes.some(({ kind }) => kind === "destroy" || kind === "generation")) {
      this.#lastDestructionMs = clock.now();
    }
    await this.#mirror.follow();
    if (changes.some(isOfSlots)) this.#tell();
    return prepared;
  }

  async #write({ record }: Prepared): Promise<void> {
    const { worker } = this.#parts;
    const file = encodeKeyring(record);
    const outcome = await replaceKeyring(this.#parts, file, this.#file);
    switch (outcome.kind) {
      case "undone":
        this.#hasRemnant = true;
        await worker.call("vault.settleKeyring", { written: false });
        throw outcome.error;
      case "unknown":
        // The worker keeps both, the keychain opens both, and the next start sees which it is.
        this.stop(outcome.error.code);
        for (const listener of [...this.#failureListeners]) listener(outcome.error.code);
        throw outcome.error;
      case "written":
        this.#record = record;
        this.#file = file;
        this.#hasRemnant = false;
        await worker.call("vault.settleKeyring", { written: true });
    }
  }

  /** Whether the person can surely open what these changes make without the keychain. */
  #hasOtherWay(changes: readonly KeyringChange[]): boolean {
    const kinds = new Set(this.#record.slots.map(({ kind }) => kind));
    // A new recovery code hasn't been seen yet: what opened the vault opens it no more, once it is replaced.
    const known = new Set([this.#parts.unlocked.with]);
    for (const change of changes) {
      if (change.kind === "set-slot") {
        kinds.add(change.slot.kind);
        known.delete(change.slot.kind);
      }
      if (change.kind === "remove-slot") kinds.delete(change.slot);
    }
    known.delete("keychain");
    return (
      !kinds.has("keychain") ||
      kinds.has("passphrase") ||
      [...known].some((kind) => kinds.has(kind))
    );
  }

  /** What an exchange takes along, whatever it was asked for. */
  #owed(asked: readonly KeyringChange[]): readonly KeyringChange[] {
    const owed: KeyringChange[] = [];
    if (this.#owesGeneration()) {
      owed.push({ kind: "generation", current: this.#wantedGeneration });
    }
    const { place } = this.#parts;
    const slot = slotOf(this.#record, "keychain");
    // The keychain opens the vault from another place or as another user: should it fail later, that is what has changed since.
    const hasMoved = slot !== undefined && this.#mirror.state === "in-step" && !isAt(slot, place);
    if (hasMoved && !asked.some(isOfSlots)) {
      owed.push({ kind: "set-slot", slot: { kind: "keychain", ...place } });
    }
    return owed;
  }

  #owesGeneration(): boolean {
    return this.#wantedGeneration !== this.#generation;
  }

  #tell(): void {
    for (const listener of [...this.#keysListeners]) listener();
  }
}

function isOfSlots({ kind }: KeyringChange): boolean {
  return kind === "set-slot" || kind === "remove-slot";
}

function isAt(slot: KeychainPlace, place: KeychainPlace): boolean {
  return (["backend", "application", "user", "path"] as const).every(
    (what) => slot[what] === place[what],
  );
}

function merge(requests: readonly KeyDestruction[]): Destruction {
  const hours = requests.map(({ hoursBefore }) => hoursBefore).filter((hour) => hour !== null);
  return {
    kind: "destroy",
    leaves: requests.flatMap(({ leaves }) => leaves),
    hoursBefore: hours.length === 0 ? null : Math.max(...hours),
  };
}
