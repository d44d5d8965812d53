import {
  AppError,
  type CryptoWorker,
  type ErrorCode,
  type KeySlotKind,
  type VaultId,
} from "#protocol";
import type { Clock } from "../link/index.ts";
import { maxTransactionBytes, sizeOf } from "./batch.ts";
import { createBlobs, type VaultBlobs } from "./blobs.ts";
import { bindEntry, type CheckedCatalogue } from "./catalogue.ts";
import { Compactor } from "./compactor.ts";
import type { MemoryDatabase } from "./database.ts";
import { createDurableView, type DurableView } from "./durable-view.ts";
import type { VaultKeys } from "./exchange.ts";
import type { VaultFiles } from "./files.ts";
import { Journal, type JournalState, type Transaction } from "./journal.ts";
import type { VaultLock } from "./lock.ts";
import type {
  CompactionLimits,
  KeychainState,
  KeyDestruction,
  Row,
  SlotRequest,
  SqlValue,
  Statement,
  Vault,
  VaultDamage,
  VaultFacts,
} from "./types.ts";
import { createWorkQueue, type Waiting, type WorkQueue } from "./work-queue.ts";

/** What a vault is made of when it has been read or created. */
export interface LiveVaultParts extends JournalState {
  readonly vaultId: VaultId;
  readonly directory: string;
  readonly files: VaultFiles;
  readonly worker: CryptoWorker;
  readonly clock: Clock;
  readonly catalogue: CheckedCatalogue;
  readonly limits: CompactionLimits;
  readonly lock: VaultLock;
  readonly keys: VaultKeys;
  readonly database: MemoryDatabase;
  /** null: it may be written. Otherwise there is no log. */
  readonly readOnly: ErrorCode | null;
  readonly damage: VaultDamage | null;
}

/** Transactions that wait longer than one sync of the disk share the next one, up to this size. */
const maxBatchBytes = 8 * 1024 * 1024;
const maxBatchTransactions = 1024;

/** @returns the vault that these parts make */
export function createLiveVault(parts: LiveVaultParts): Vault {
  return new LiveVault(parts);
}

class LiveVault implements Vault {
  readonly vaultId: VaultId;
  readonly damage: VaultDamage | null;
  readonly blobs: VaultBlobs;
  readonly #parts: LiveVaultParts;
  readonly #keys: VaultKeys;
  readonly #view: DurableView;
  readonly #work: WorkQueue;
  readonly #journal: Journal;
  readonly #compactor: Compactor;
  readonly #listeners = new Set<(code: ErrorCode) => void>();
  readonly #forget: readonly (() => void)[];
  #transactions: Waiting<Transaction>[] = [];
  #readOnly: ErrorCode | null;
  #isWorkerLost = false;
  #isForgotten = false;
  #closing: Promise<void> | null = null;

  constructor(parts: LiveVaultParts) {
    const { keys, worker } = parts;
    this.#parts = parts;
    this.#keys = keys;
    this.vaultId = parts.vaultId;
    this.damage = parts.damage;
    this.#readOnly = parts.readOnly;
    this.#view = createDurableView(parts.database);
    this.#work = createWorkQueue(() => this.#beginStep());
    const limits = {
      refusal: () => this.#refusal(),
      stopWriting: (code: ErrorCode) => {
        this.#stopWriting(code);
      },
    };
    this.#journal = new Journal({ ...limits, worker, view: this.#view }, parts);
    this.#compactor = new Compactor({
      ...parts,
      ...limits,
      journal: this.#journal,
      work: this.#work,
      moveKeys: (generation) => keys.moveTo(generation),
    });
    this.blobs = createBlobs(parts.files, parts.directory, limits.refusal);
    this.#forget = [
      worker.onRestart(() => {
        this.#isWorkerLost = true;
        this.#journal.forget();
        keys.stop("worker-stopped");
      }),
      keys.onFailure(limits.stopWriting),
    ];
    if (parts.readOnly !== null) keys.stop(parts.readOnly);
  }

  get sequence(): number {
    return this.#journal.sequence;
  }

  get readOnly(): ErrorCode | null {
    return this.#readOnly;
  }

  get rolledBack(): boolean {
    return this.#keys.rolledBack;
  }

  get keychainState(): KeychainState {
    return this.#keys.keychainState;
  }

  get keychainProblem(): ErrorCode | null {
    return this.#keys.keychainProblem;
  }

  onReadOnly(listener: (code: ErrorCode) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  onKeysChanged(listener: () => void): () => void {
    return this.#keys.onKeysChanged(listener);
  }

  read(query: string, params: readonly SqlValue[] = []): readonly Row[] {
    this.#mustBeOpen();
    const bound = bindEntry(this.#parts.catalogue.queries, query, params);
    try {
      return this.#view.read(bound.sql, bound.params);
    } catch (cause) {
      throw new AppError("internal", { cause, data: { query } });
    }
  }

  async transact(statements: readonly Statement[]): Promise<void> {
    const item = statements.map(({ name, params }) =>
      bindEntry(this.#parts.catalogue.statements, name, params),
    );
    const sizeBytes = sizeOf(item);
    if (sizeBytes > maxTransactionBytes) {
      throw new AppError("argument-invalid", { data: { sizeBytes, maxTransactionBytes } });
    }
    this.#mustBeOpen();
    if (item.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#transactions.push({ item, resolve, reject });
      this.#work.wake();
    });
  }

  async compact(): Promise<void> {
    this.#mustBeOpen();
    await this.#compactor.compact();
  }

  async destroyKeys(request: KeyDestruction): Promise<void> {
    this.#mustBeOpen();
    await this.#keys.destroyKeys(request);
  }

  async setSlot(slot: SlotRequest): Promise<{ readonly recoveryCode: string | null }> {
    this.#mustBeOpen();
    return this.#keys.setSlot(slot);
  }

  async removeSlot(kind: KeySlotKind): Promise<void> {
    this.#mustBeOpen();
    await this.#keys.removeSlot(kind);
  }

  async renewKeychain(): Promise<void> {
    this.#mustBeOpen();
    await this.#keys.renewKeychain();
  }

  async facts(): Promise<VaultFacts> {
    this.#mustBeOpen();
    const { generation, log, snapshotBytes } = this.#journal;
    return {
      ...(await this.#keys.facts()),
      generation,
      snapshotBytes,
      logBytes: log?.endBytes ?? 0,
      logFrames: log?.frames ?? 0,
      lastCompactionMs: this.#compactor.lastMs,
      isCompacting: this.#compactor.isRunning,
    };
  }

  forget(): void {
    // First of all: a compaction that reads an emptied image, or a commit that would try something out, must find itself refused.
    this.#isForgotten = true;
    this.#journal.forget();
    this.#view.close();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #mustBeOpen(): void {
    if (this.#closing !== null || this.#isForgotten) throw new AppError("not-ready");
  }

  /** @returns null when there is nothing to do */
  #beginStep(): Promise<void> | null {
    this.#compactor.consider();
    return this.#transactions.length > 0 ? this.#journal.commit(this.#takeBatch()) : null;
  }

  /** Why nothing can be written now. */
  #refusal(): AppError | null {
    if (this.#isForgotten) return new AppError("not-ready");
    if (this.#readOnly !== null) {
      const data = { reason: this.#readOnly, ...this.damage };
      return new AppError("vault-read-only", { data });
    }
    return this.#isWorkerLost ? new AppError("worker-stopped") : null;
  }

  #takeBatch(): readonly Waiting<Transaction>[] {
    let count = 0;
    let sizeBytes = 0;
    for (const { item } of this.#transactions) {
      sizeBytes += sizeOf(item);
      if (count > 0 && (sizeBytes > maxBatchBytes || count >= maxBatchTransactions)) break;
      count += 1;
    }
    return this.#transactions.splice(0, count);
  }

  #stopWriting(code: ErrorCode): void {
    if (this.#readOnly !== null) return;
    this.#readOnly = code;
    this.#keys.stop(code);
    for (const listener of [...this.#listeners]) listener(code);
  }

  async #close(): Promise<void> {
    // A compaction may be waiting for the keychain, too.
    this.#keys.hurry();
    await this.#compactor.close();
    await this.#work.idle();
    await this.#keys.close();
    for (const forget of this.#forget) forget();
    await this.#journal.close();
    this.#view.close();
    // Its keys end with it, before another process may open it; a worker that was started anew has none of them.
    if (!this.#isWorkerLost) await this.#parts.worker.call("vault.lock", {}).catch(() => undefined);
    await this.#parts.lock.release().catch(() => undefined);
  }
}
