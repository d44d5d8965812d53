import { AppError, ensureAppError, type CryptoWorker, type ErrorCode } from "#protocol";
import type { BoundSql } from "./database.ts";
import type { DurableView } from "./durable-view.ts";
import { mapWriteError } from "./file-errors.ts";
import { FrameKeys } from "./frame-keys.ts";
import type { NewGeneration } from "./generation.ts";
import type { LogWriter } from "./log-writer.ts";
import { sealBatch } from "./seal-batch.ts";
import type { SnapshotFacts } from "./snapshot.ts";
import { createTextTable, type TextTable } from "./text-table.ts";
import type { Waiting } from "./work-queue.ts";

/** All or nothing. */
export type Transaction = readonly BoundSql[];

/** Where a vault stands. */
export interface JournalState {
  readonly generation: number;
  /** Transactions of the vault's whole life so far. */
  readonly sequence: number;
  /** The snapshot that the log continues. */
  readonly snapshot: SnapshotFacts;
  /** What the log has named so far. */
  readonly texts: readonly string[];
  /** Whether the log's last frame says so. */
  readonly endsInOrder: boolean;
  /** null: there is none to be written. */
  readonly log: LogWriter | null;
}

/** What a {@link Journal} works with. */
export interface JournalParts {
  readonly worker: CryptoWorker;
  readonly view: DurableView;
  /** Why nothing can be written now. */
  readonly refusal: () => AppError | null;
  /** It isn't known any more what the disk holds: nothing may be written from now on. */
  readonly stopWriting: (code: ErrorCode) => void;
}

/** Puts transactions onto the disk, and then into view. One call at a time. */
export class Journal {
  readonly #parts: JournalParts;
  #log: LogWriter | null;
  #keys: FrameKeys;
  #snapshot: SnapshotFacts;
  #texts: TextTable;
  #generation: number;
  #sequence: number;
  #endsInOrder: boolean;
  /** Gets what has become durable, while somebody copies it. */
  #follower: Transaction[] | null = null;

  constructor(parts: JournalParts, state: JournalState) {
    this.#parts = parts;
    this.#log = state.log;
    this.#keys = new FrameKeys(parts.worker, state.generation);
    this.#snapshot = state.snapshot;
    this.#texts = createTextTable(state.texts);
    this.#generation = state.generation;
    this.#sequence = state.sequence;
    this.#endsInOrder = state.endsInOrder;
  }

  get generation(): number {
    return this.#generation;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get snapshotBytes(): number {
    return this.#snapshot.sizeBytes;
  }

  get log(): LogWriter | null {
    return this.#log;
  }

  /** From now on `transactions` gets everything that becomes durable; null: nobody does. */
  follow(transactions: Transaction[] | null): void {
    this.#follower = transactions;
  }

  /** Commits what waits together with one sync; each transaction fails alone. */
  async commit(batch: readonly Waiting<Transaction>[]): Promise<void> {
    const { refusal, view } = this.#parts;
    const refused = refusal();
    const log = this.#log;
    if (refused !== null || log === null) {
      for (const { reject } of batch) reject(refused ?? new AppError("vault-read-only"));
      return;
    }
    const failures = this.#tryOut(batch.map(({ item }) => item));
    const working = batch.filter(({ reject }, index) => {
      const cause = failures[index];
      if (cause !== null) reject(new AppError("internal", { cause }));
      return cause === null;
    });
    const transactions = working.map(({ item }) => item);
    try {
      if (working.length > 0) await this.#append(log, await this.#seal(log, transactions));
    } catch (error) {
      view.discard();
      this.#texts.discard();
      for (const { reject } of working) reject(ensureAppError(error));
      return;
    }
    this.#texts.settle();
    this.#sequence += working.length;
    this.#follower?.push(...transactions);
    try {
      if (working.length > 0) view.settle();
      else view.discard();
      for (const { resolve } of working) resolve();
    } catch (cause) {
      // The disk is now ahead of memory, and only a new start brings them together.
      this.#parts.stopWriting("vault-write-failed");
      for (const { reject } of working) reject(new AppError("internal", { cause }));
    }
  }

  /** Goes on with the next generation's log, which holds all that this one does. @returns the log before */
  moveTo({ log, snapshot, texts }: NewGeneration): LogWriter | null {
    const before = this.#log;
    this.#generation += 1;
    this.#keys.wipe();
    this.#keys = new FrameKeys(this.#parts.worker, this.#generation);
    this.#snapshot = snapshot;
    this.#log = log;
    this.#texts = texts;
    this.#endsInOrder = false;
    return before;
  }

  /** Forgets the keys of frames that are yet to be written: none is any more, but for one that has its key. */
  forget(): void {
    this.#keys.wipe();
  }

  /** Writes, if it still can, the mark that proves the last transaction whole, and closes the log. */
  async close(): Promise<void> {
    const log = this.#log;
    const hasNews = log !== null && log.frames > 0 && !this.#endsInOrder;
    if (hasNews && this.#parts.refusal() === null) {
      // Without it the next start just can't tell a damaged last frame from a torn one.
      await this.#seal(log, [])
        .then((sealed) => this.#append(log, sealed))
        .catch(() => undefined);
    }
    this.#keys.wipe();
    await log?.close().catch(() => undefined);
  }

  /** As {@link DurableView.tryOut}, for a database that may not even begin. */
  #tryOut(transactions: readonly Transaction[]): readonly (Error | null)[] {
    try {
      return this.#parts.view.tryOut(transactions);
    } catch (cause) {
      return transactions.map(() => new AppError("internal", { cause }));
    }
  }

  #seal(log: LogWriter, transactions: readonly Transaction[]): Promise<Uint8Array> {
    const target = {
      keys: this.#keys,
      log,
      snapshotTag: this.#snapshot.tag,
      sequence: this.#sequence,
      texts: this.#texts,
    };
    return sealBatch(target, transactions);
  }

  /** Puts a frame on the disk. @throws AppError, after the vault was made read-only */
  async #append(log: LogWriter, sealed: Uint8Array): Promise<void> {
    try {
      await log.append(sealed);
    } catch (cause) {
      const error = mapWriteError(cause);
      this.#parts.stopWriting(error.code);
      throw error;
    }
    this.#endsInOrder = false;
  }
}
