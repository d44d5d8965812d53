import { join } from "node:path";
import { AppError, ensureAppError } from "#protocol";
import type { CryptoWorker, ErrorCode, VaultId } from "#protocol";
import type { Clock } from "../link/index.ts";
import { encodeBatch, maxTransactionBytes, sizeOf, type StoredTransaction } from "./batch.ts";
import { bindEntry, type CheckedCatalogue } from "./catalogue.ts";
import type { BoundSql, MemoryDatabase } from "./database.ts";
import { createDurableView, type DurableView } from "./durable-view.ts";
import { mapWriteError } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { writeGeneration, type NewGeneration } from "./generation.ts";
import type { VaultLock } from "./lock.ts";
import type { LogWriter } from "./log-writer.ts";
import { logName, snapshotName } from "./names.ts";
import type { Snapshot } from "./snapshot.ts";
import { createTextTable, type TextTable } from "./text-table.ts";
import type { CompactionLimits, Row, SqlValue, Statement, Vault, VaultDamage } from "./types.ts";
import { createWorkQueue, type Waiting, type WorkQueue } from "./work-queue.ts";

/** What a vault is made of when it has been read or created. */
export interface LiveVaultParts {
  readonly vaultId: VaultId;
  readonly directory: string;
  readonly files: VaultFiles;
  readonly worker: CryptoWorker;
  readonly clock: Clock;
  readonly catalogue: CheckedCatalogue;
  readonly limits: CompactionLimits;
  readonly lock: VaultLock;
  readonly database: MemoryDatabase;
  readonly generation: number;
  readonly sequence: number;
  /** Of the snapshot that the log continues. */
  readonly snapshot: { readonly tag: Uint8Array; readonly sizeBytes: number };
  /** What the log has named so far. */
  readonly texts: readonly string[];
  /** Whether the log's last frame says so. */
  readonly endsInOrder: boolean;
  /** null: the vault is read-only, for the reason in `readOnly`. */
  readonly log: LogWriter | null;
  readonly readOnly: ErrorCode | null;
  readonly damage: VaultDamage | null;
}

/** Transactions that wait longer than one sync of the disk share the next one, up to this size. */
const maxBatchBytes = 8 * 1024 * 1024;
const maxBatchTransactions = 1024;
/** After a compaction that failed by itself the next try waits, milliseconds. */
const compactionRetryMs = 10 * 60_000;

/** @returns the vault that these parts make */
export function createLiveVault(parts: LiveVaultParts): Vault {
  return new LiveVault(parts);
}

class LiveVault implements Vault {
  readonly vaultId: VaultId;
  readonly damage: VaultDamage | null;
  readonly #parts: LiveVaultParts;
  readonly #view: DurableView;
  readonly #work: WorkQueue;
  readonly #listeners = new Set<(code: ErrorCode) => void>();
  readonly #forgetWorker: () => void;
  #transactions: Waiting<readonly BoundSql[]>[] = [];
  #compactions: Waiting<null>[] = [];
  #texts: TextTable;
  #log: LogWriter | null;
  #snapshot: LiveVaultParts["snapshot"];
  #generation: number;
  #sequence: number;
  #readOnly: ErrorCode | null;
  #endsInOrder: boolean;
  #compactNotBeforeMs = 0;
  #isWorkerLost = false;
  #closing: Promise<void> | null = null;

  constructor(parts: LiveVaultParts) {
    this.#parts = parts;
    this.vaultId = parts.vaultId;
    this.damage = parts.damage;
    this.#view = createDurableView(parts.database);
    this.#work = createWorkQueue(() => this.#beginStep());
    this.#texts = createTextTable(parts.texts);
    this.#log = parts.log;
    this.#snapshot = parts.snapshot;
    this.#generation = parts.generation;
    this.#sequence = parts.sequence;
    this.#readOnly = parts.readOnly;
    this.#endsInOrder = parts.endsInOrder;
    this.#forgetWorker = parts.worker.onRestart(() => {
      this.#isWorkerLost = true;
    });
  }

  get sequence(): number {
    return this.#sequence;
  }

  get readOnly(): ErrorCode | null {
    return this.#readOnly;
  }

  onReadOnly(listener: (code: ErrorCode) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  read(query: string, params: readonly SqlValue[] = []): readonly Row[] {
    if (this.#closing !== null) throw new AppError("not-ready");
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
    if (this.#closing !== null) throw new AppError("not-ready");
    if (item.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#transactions.push({ item, resolve, reject });
      this.#work.wake();
    });
  }

  async compact(): Promise<void> {
    if (this.#closing !== null) throw new AppError("not-ready");
    await new Promise<void>((resolve, reject) => {
      this.#compactions.push({ item: null, resolve, reject });
      this.#work.wake();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** @returns null when there is nothing to do */
  #beginStep(): Promise<void> | null {
    if (this.#transactions.length > 0) return this.#commit(this.#takeBatch());
    if (this.#compactions.length > 0 || this.#isLogTooLong()) {
      return this.#compactFor(this.#compactions.splice(0));
    }
    return null;
  }

  /** Why nothing can be written now. */
  #refusal(): AppError | null {
    if (this.#readOnly !== null) {
      const data = { reason: this.#readOnly, ...this.damage };
      return new AppError("vault-read-only", { data });
    }
    return this.#isWorkerLost ? new AppError("worker-stopped") : null;
  }

  #takeBatch(): readonly Waiting<readonly BoundSql[]>[] {
    let count = 0;
    let sizeBytes = 0;
    for (const { item } of this.#transactions) {
      sizeBytes += sizeOf(item);
      if (count > 0 && (sizeBytes > maxBatchBytes || count >= maxBatchTransactions)) break;
      count += 1;
    }
    return this.#transactions.splice(0, count);
  }

  async #commit(batch: readonly Waiting<readonly BoundSql[]>[]): Promise<void> {
    const refusal = this.#refusal();
    const log = this.#log;
    if (refusal !== null || log === null) {
      for (const { reject } of batch) reject(refusal ?? new AppError("vault-read-only"));
      return;
    }
    // Sealed on the chance that all of them work, since the worker has time while SQLite tries them out.
    const sealing = this.#seal(log, batch);
    sealing.catch(() => undefined);
    const failures = this.#tryOut(batch.map(({ item }) => item));
    const working = batch.filter(({ reject }, index) => {
      const cause = failures[index];
      if (cause !== null) reject(new AppError("internal", { cause }));
      return cause === null;
    });
    try {
      if (working.length === batch.length) {
        await this.#append(log, await sealing);
      } else {
        this.#texts.discard();
        if (working.length > 0) await this.#append(log, await this.#seal(log, working));
      }
    } catch (error) {
      this.#view.discard();
      this.#texts.discard();
      for (const { reject } of working) reject(ensureAppError(error));
      return;
    }
    this.#texts.settle();
    this.#sequence += working.length;
    try {
      if (working.length > 0) this.#view.settle();
      else this.#view.discard();
      for (const { resolve } of working) resolve();
    } catch (cause) {
      // The disk is now ahead of memory, and only a new start brings them together.
      this.#stopWriting("vault-write-failed");
      for (const { reject } of working) reject(new AppError("internal", { cause }));
    }
  }

  /** As {@link DurableView.tryOut}, for a database that may not even begin. */
  #tryOut(transactions: readonly (readonly BoundSql[])[]): readonly (Error | null)[] {
    try {
      return this.#view.tryOut(transactions);
    } catch (cause) {
      return transactions.map(() => new AppError("internal", { cause }));
    }
  }

  async #seal(
    log: LogWriter,
    batch: readonly { readonly item: readonly BoundSql[] }[],
  ): Promise<Uint8Array> {
    const transactions: StoredTransaction[] = batch.map(({ item }) =>
      item.map(({ sql, params }) => [this.#texts.placeOf(sql), ...params]),
    );
    const { sealed } = await this.#parts.worker.call("vault.sealFrame", {
      generation: this.#generation,
      sequence: log.frames + 1,
      previousTag: log.lastTag,
      plain: encodeBatch({
        snapshotTag: log.frames === 0 ? this.#snapshot.tag : null,
        sequence: this.#sequence,
        newTexts: this.#texts.unnamed,
        transactions,
      }),
    });
    return sealed;
  }

  /** Puts a frame on the disk. @throws AppError, after the vault was made read-only */
  async #append(log: LogWriter, sealed: Uint8Array): Promise<void> {
    try {
      await log.append(sealed);
    } catch (cause) {
      const error = mapWriteError(cause);
      this.#stopWriting(error.code);
      throw error;
    }
    this.#endsInOrder = false;
  }

  #stopWriting(code: ErrorCode): void {
    if (this.#readOnly !== null) return;
    this.#readOnly = code;
    for (const listener of [...this.#listeners]) listener(code);
  }

  #isLogTooLong(): boolean {
    const log = this.#log;
    if (log === null || log.frames === 0) return false;
    if (this.#refusal() !== null || this.#closing !== null) return false;
    if (this.#parts.clock.now() < this.#compactNotBeforeMs) return false;
    const { logBytes, minimumLogBytes, snapshotRatio } = this.#parts.limits;
    return (
      log.endBytes > logBytes ||
      (log.endBytes > minimumLogBytes && log.endBytes > snapshotRatio * this.#snapshot.sizeBytes)
    );
  }

  async #compactFor(waiting: readonly Waiting<null>[]): Promise<void> {
    const error = await this.#compactNow();
    for (const { resolve, reject } of waiting) {
      if (error === null) resolve();
      else reject(error);
    }
  }

  /** @returns why it failed, or null */
  async #compactNow(): Promise<AppError | null> {
    const refusal = this.#refusal();
    if (refusal !== null) return refusal;
    const content = this.#content();
    if (content instanceof AppError) return content;
    const outcome = await writeGeneration(this.#parts, this.#generation + 1, content);
    switch (outcome.kind) {
      case "written":
        await this.#moveTo(outcome);
        return null;
      case "undone":
        this.#compactNotBeforeMs = this.#parts.clock.now() + compactionRetryMs;
        return outcome.error;
      case "unknown":
        this.#stopWriting(outcome.error.code);
        return outcome.error;
    }
  }

  #content(): Snapshot | AppError {
    try {
      return { sequence: this.#sequence, image: this.#parts.database.image() };
    } catch (cause) {
      return new AppError("internal", { cause });
    }
  }

  async #moveTo({ snapshot, log }: NewGeneration): Promise<void> {
    const { directory, files } = this.#parts;
    const oldNames = [logName(this.#generation), snapshotName(this.#generation)];
    const oldLog = this.#log;
    this.#generation += 1;
    this.#snapshot = snapshot;
    this.#log = log;
    this.#texts = createTextTable([]);
    this.#endsInOrder = false;
    await oldLog?.close().catch(() => undefined);
    for (const name of oldNames) {
      // What can't be removed now is removed at the next start.
      await files.remove(join(directory, name)).catch(() => undefined);
    }
    await files.syncDirectory(directory).catch(() => undefined);
  }

  async #close(): Promise<void> {
    await this.#work.idle();
    this.#forgetWorker();
    const log = this.#log;
    const hasNews = log !== null && log.frames > 0 && !this.#endsInOrder;
    if (hasNews && this.#readOnly === null && !this.#isWorkerLost) {
      // Proves the last transaction whole; without it the next start just can't tell a damaged last frame from a torn one.
      await this.#seal(log, [])
        .then((sealed) => this.#append(log, sealed))
        .catch(() => undefined);
    }
    await log?.close().catch(() => undefined);
    this.#parts.database.close();
    // Its keys end with it, before another process may open it; a worker that was started anew has none of them.
    if (!this.#isWorkerLost) await this.#parts.worker.call("vault.lock", {}).catch(() => undefined);
    await this.#parts.lock.release().catch(() => undefined);
  }
}
