import { join } from "node:path";
import { AppError, ensureAppError, type ErrorCode } from "#protocol";
import type { Clock } from "../link/index.ts";
import type { MemoryDatabase } from "./database.ts";
import {
  draftGeneration,
  type GenerationDraft,
  type GenerationOutcome,
  type GenerationPlace,
} from "./generation.ts";
import type { Journal, Transaction } from "./journal.ts";
import type { LogWriter } from "./log-writer.ts";
import { logName, snapshotName } from "./names.ts";
import type { CompactionLimits } from "./types.ts";
import type { Waiting, WorkQueue } from "./work-queue.ts";

/** What a {@link Compactor} works with. */
export interface CompactorParts extends GenerationPlace {
  readonly clock: Clock;
  readonly limits: CompactionLimits;
  readonly database: MemoryDatabase;
  readonly journal: Journal;
  /** Commits are its steps; what must not run beside one is another. */
  readonly work: WorkQueue;
  /** Brings the keyring to a generation, so that it has the key of the next one. */
  readonly moveKeys: (generation: number) => Promise<void>;
  /** Why nothing can be written now. */
  readonly refusal: () => AppError | null;
  /** It isn't known which generation the disk holds: nothing may be written from now on. */
  readonly stopWriting: (code: ErrorCode) => void;
}

/** After a compaction that failed by itself the next try waits, milliseconds. */
const retryMs = 10 * 60_000;
/** What was committed meanwhile is carried over in rounds, each shorter than the one before, until so few transactions are left, */
const fewTransactions = 64;
/** or after so many rounds. */
const maxRounds = 8;

/**
 * Writes new generations beside the commits. The image is the database's at one moment and costs nothing to take; while it is sealed and
 * written, commits go to the present log and are then carried over into the next one. Only the last of them, and the change from one log to the
 * other, hold a commit up (docs/adr/0016).
 */
export class Compactor {
  readonly #parts: CompactorParts;
  #waiting: Waiting<null>[] = [];
  #running: Promise<void> | null = null;
  #isClosing = false;
  #notBeforeMs = 0;
  #lastMs: number | null = null;
  /** The log of the generation that was left. */
  #before: LogWriter | null = null;

  constructor(parts: CompactorParts) {
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** When the last one ended well; null: none has. */
  get lastMs(): number | null {
    return this.#lastMs;
  }

  /** One that begins from now on. @throws AppError when it failed; nothing has changed then, or the vault is read-only */
  compact(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item: null, resolve, reject });
      this.#begin();
    });
  }

  /** Begins one if the log is long enough. */
  consider(): void {
    if (this.#isDue()) this.#begin();
  }

  /** Gives up what is under way, unless it is at its end. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#running;
  }

  #isDue(): boolean {
    const { clock, journal, limits, refusal } = this.#parts;
    const { log, snapshotBytes } = journal;
    if (log === null || log.frames === 0 || this.#isClosing || refusal() !== null) return false;
    if (clock.now() < this.#notBeforeMs) return false;
    const { logBytes, minimumLogBytes, snapshotRatio } = limits;
    return (
      log.endBytes > logBytes ||
      (log.endBytes > minimumLogBytes && log.endBytes > snapshotRatio * snapshotBytes)
    );
  }

  #begin(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    do {
      const served: Waiting<null>[] = [];
      const error = await this.#compactOnce(served);
      // Those who came too late for this one fare no better, if it failed before it began.
      const settled = served.length > 0 || error === null ? served : this.#waiting.splice(0);
      for (const { resolve, reject } of settled) {
        if (error === null) resolve();
        else reject(error);
      }
    } while (this.#waiting.length > 0 || this.#isDue());
    this.#running = null;
  }

  /** @param served - gets those who are content with this one */
  async #compactOnce(served: Waiting<null>[]): Promise<AppError | null> {
    const { database, journal, moveKeys, refusal, work } = this.#parts;
    const committed: Transaction[] = [];
    let content;
    try {
      this.#checkpoint();
      await moveKeys(journal.generation);
      content = await work.exclusively(() => {
        this.#checkpoint();
        served.push(...this.#waiting.splice(0));
        journal.follow(committed);
        return { sequence: journal.sequence, image: database.image() };
      });
    } catch (error) {
      this.#putOff();
      return refusal() ?? ensureAppError(error);
    }
    const draft = draftGeneration(this.#parts, journal.generation + 1);
    let outcome: GenerationOutcome;
    try {
      await draft.begin(content, () => {
        this.#checkpoint();
      });
      for (let round = 0; committed.length > fewTransactions && round < maxRounds; round++) {
        await draft.follow(committed.splice(0));
        this.#checkpoint();
      }
      outcome = await work.exclusively(() => this.#change(draft, committed));
    } catch (cause) {
      outcome = await draft.undo(cause);
    } finally {
      journal.follow(null);
      content.image.release();
    }
    return this.#conclude(outcome);
  }

  /** From one log to the next, with no commit beside it. */
  async #change(
    draft: GenerationDraft,
    committed: readonly Transaction[],
  ): Promise<GenerationOutcome> {
    this.#checkpoint();
    await draft.follow(committed);
    const outcome = await draft.finish();
    if (outcome.kind === "written") this.#before = this.#parts.journal.moveTo(outcome);
    if (outcome.kind === "unknown") this.#parts.stopWriting(outcome.error.code);
    return outcome;
  }

  async #conclude(outcome: GenerationOutcome): Promise<AppError | null> {
    switch (outcome.kind) {
      case "written":
        await this.#before?.close().catch(() => undefined);
        this.#before = null;
        await this.#removeBefore(this.#parts.journal.generation);
        // What fails here is made up for by the next exchange, or before the next compaction.
        await this.#parts.moveKeys(this.#parts.journal.generation).catch(() => undefined);
        this.#lastMs = this.#parts.clock.now();
        return null;
      case "undone":
        this.#putOff();
        return outcome.error;
      case "unknown":
        this.#parts.stopWriting(outcome.error.code);
        return outcome.error;
    }
  }

  async #removeBefore(generation: number): Promise<void> {
    const { directory, files } = this.#parts;
    for (const name of [logName(generation - 1), snapshotName(generation - 1)]) {
      // What can't be removed now is removed at the next start.
      await files.remove(join(directory, name)).catch(() => undefined);
    }
    await files.syncDirectory(directory).catch(() => undefined);
  }

  #putOff(): void {
    this.#notBeforeMs = this.#parts.clock.now() + retryMs;
  }

  /** @throws AppError when there is no point in going on */
  #checkpoint(): void {
    const refused = this.#parts.refusal();
    if (refused !== null) throw refused;
    if (this.#isClosing) throw new AppError("not-ready");
  }
}
