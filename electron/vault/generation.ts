import { join } from "node:path";
import { crc32 } from "node:zlib";
import { AppError, type CryptoWorker, type VaultId } from "#protocol";
import type { BoundSql } from "./database.ts";
import { mapWriteError } from "./file-errors.ts";
import type { VaultFile, VaultFiles } from "./files.ts";
import { FrameKeys } from "./frame-keys.ts";
import { encodeFrame, tagOf } from "./frames.ts";
import { checkGenerationHeader, encodeGenerationHeader } from "./headers.ts";
import { createLogWriter, type LogEnd, type LogWriter } from "./log-writer.ts";
import { logName, snapshotName, temporarySuffix } from "./names.ts";
import { sealBatch } from "./seal-batch.ts";
import { writeSnapshot, type Snapshot, type SnapshotFacts } from "./snapshot.ts";
import { createTextTable, type TextTable } from "./text-table.ts";

/** Where generations are written. */
export interface GenerationPlace {
  readonly files: VaultFiles;
  readonly directory: string;
  readonly vaultId: VaultId;
  readonly worker: CryptoWorker;
}

/** A new generation: its snapshot, and its log, open. */
export interface NewGeneration {
  readonly snapshot: SnapshotFacts;
  readonly log: LogWriter;
  /** What the log has named. */
  readonly texts: TextTable;
}

/** How {@link GenerationDraft.finish} ended. */
export type GenerationOutcome =
  | ({ readonly kind: "written" } & NewGeneration)
  /** Nothing has changed: the generation before is the vault. */
  | { readonly kind: "undone"; readonly error: AppError }
  /** Which of the two generations a later start finds is open; both hold the same. Neither may be written any more. */
  | { readonly kind: "unknown"; readonly error: AppError };

/**
 * A generation that is being written beside the present one.
 *
 * A vault's generation is the highest one that has a log, so the log gets its name last, when everything is on the disk and was read back:
 * whatever the moment of a crash, one pair is whole.
 */
export interface GenerationDraft {
  /** Writes the snapshot. To be called first, once. @param checkpoint - see {@link writeSnapshot} */
  begin(content: Snapshot, checkpoint?: () => void): Promise<void>;
  /** Writes what was committed since, in order; on the disk when it resolves. */
  follow(transactions: readonly (readonly BoundSql[])[]): Promise<void>;
  /** Makes it the vault's generation. Nothing may be committed to the present one meanwhile, nor later unless it says `undone`. */
  finish(): Promise<GenerationOutcome>;
  /** Gives it up, after a failure of {@link begin} or {@link follow} too. */
  undo(cause: unknown): Promise<GenerationOutcome & { readonly kind: "undone" | "unknown" }>;
}

/** Writes a snapshot and an empty log. */
export async function writeGeneration(
  place: GenerationPlace,
  generation: number,
  content: Snapshot,
): Promise<GenerationOutcome> {
  const draft = draftGeneration(place, generation);
  try {
    await draft.begin(content);
  } catch (cause) {
    return await draft.undo(cause);
  } finally {
    content.image.release();
  }
  return draft.finish();
}

export function draftGeneration(place: GenerationPlace, generation: number): GenerationDraft {
  return new Draft(place, generation);
}

/** A delta is sealed in frames of about this size, so that whatever else has to be done need not wait long. */
const frameTransactions = 256;
/** What is read back at once. */
const checkedAtOnceBytes = 256 * 1024;

class Draft implements GenerationDraft {
  readonly #place: GenerationPlace;
  readonly #generation: number;
  readonly #paths: { readonly snapshot: string; readonly log: string };
  readonly #keys: FrameKeys;
  readonly #texts = createTextTable([]);
  #snapshot: SnapshotFacts = { tag: new Uint8Array(), sizeBytes: 0 };
  #sequence = 0;
  #log: VaultFile | null = null;
  #end: LogEnd = { endBytes: 0, frames: 0, lastTag: new Uint8Array() };
  #checksum = 0;
  /** Whether the log may have its name. */
  #isNamed = false;

  constructor(place: GenerationPlace, generation: number) {
    this.#place = place;
    this.#generation = generation;
    this.#keys = new FrameKeys(place.worker, generation);
    this.#paths = {
      snapshot: join(place.directory, snapshotName(generation)),
      log: join(place.directory, logName(generation)),
    };
  }

  async begin(content: Snapshot, checkpoint?: () => void): Promise<void> {
    const { directory, files, vaultId } = this.#place;
    const place = { ...this.#place, generation: this.#generation };
    const path = this.#paths.snapshot;
    const file = await files.open(path + temporarySuffix, "create");
    let written;
    try {
      written = await writeSnapshot(file, place, content, checkpoint);
      await file.sync();
    } finally {
      await file.close();
    }
    this.#snapshot = written;
    this.#sequence = content.sequence;
    this.#log = await files.open(this.#paths.log + temporarySuffix, "create");
    await this.#write(encodeGenerationHeader("log", vaultId, this.#generation));
    await this.#log.sync();
    await files.rename(path + temporarySuffix, path);
    await files.syncDirectory(directory);
    await this.#readBack(path, "snapshot", written, checkpoint);
  }

  async follow(transactions: readonly (readonly BoundSql[])[]): Promise<void> {
    if (transactions.length === 0) return;
    for (let at = 0; at < transactions.length; at += frameTransactions) {
      await this.#writeFrame(transactions.slice(at, at + frameTransactions));
    }
    await this.#log?.sync();
  }

  async finish(): Promise<GenerationOutcome> {
    const { directory, files } = this.#place;
    const path = this.#paths.log;
    try {
      await this.#closeLog();
      const whole = { sizeBytes: this.#end.endBytes, checksum: this.#checksum };
      await this.#readBack(path + temporarySuffix, "log", whole);
      this.#isNamed = true;
      await files.rename(path + temporarySuffix, path);
    } catch (cause) {
      return this.undo(cause);
    }
    try {
      await files.syncDirectory(directory);
      const log = createLogWriter(await files.open(path, "modify"), this.#end);
      return { kind: "written", snapshot: this.#snapshot, log, texts: this.#texts };
    } catch (cause) {
      return { kind: "unknown", error: mapWriteError(cause) };
    }
  }

  async undo(cause: unknown): Promise<GenerationOutcome & { readonly kind: "undone" | "unknown" }> {
    const { directory, files } = this.#place;
    const error = mapWriteError(cause);
    await this.#closeLog().catch(() => undefined);
    if (this.#isNamed) {
      // A rename that is said to have failed may have happened all the same.
      const names = await files.list(directory).catch(() => [logName(this.#generation)]);
      if (names.includes(logName(this.#generation))) return { kind: "unknown", error };
    }
    const { log, snapshot } = this.#paths;
    for (const path of [snapshot, snapshot + temporarySuffix, log + temporarySuffix]) {
      // What stays is removed at the next start.
      await files.remove(path).catch(() => undefined);
    }
    return { kind: "undone", error };
  }

  async #writeFrame(transactions: readonly (readonly BoundSql[])[]): Promise<void> {
    const sealed = await sealBatch(
      {
        keys: this.#keys,
        log: this.#end,
        snapshotTag: this.#snapshot.tag,
        sequence: this.#sequence,
        texts: this.#texts,
      },
      transactions,
    );
    const frames = this.#end.frames + 1;
    await this.#write(encodeFrame(frames, sealed));
    this.#end = { endBytes: this.#end.endBytes, frames, lastTag: tagOf(sealed) };
    this.#texts.settle();
    this.#sequence += transactions.length;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const endBytes = this.#end.endBytes;
    await this.#log?.write(bytes, endBytes);
    this.#end = { ...this.#end, endBytes: endBytes + bytes.length };
    this.#checksum = crc32(bytes, this.#checksum);
  }

  async #closeLog(): Promise<void> {
    const log = this.#log;
    this.#log = null;
    this.#keys.wipe();
    await log?.close();
  }

  /** Reads back what was written, before anything that still holds the same is given up. */
  async #readBack(
    path: string,
    kind: "snapshot" | "log",
    written: { readonly sizeBytes: number; readonly checksum: number },
    checkpoint: () => void = () => undefined,
  ): Promise<void> {
    const { files, vaultId } = this.#place;
    const expected = { kind, vaultId, generation: this.#generation };
    const file = await files.open(path, "modify");
    try {
      const room = new Uint8Array(checkedAtOnceBytes);
      let isWhole = (await file.sizeBytes()) === written.sizeBytes;
      let checksum = 0;
      for (let at = 0; isWhole && at < written.sizeBytes; at += room.length) {
        checkpoint();
        const part = room.subarray(0, await file.read(room, at));
        if (at === 0) isWhole = checkGenerationHeader(part, expected);
        checksum = crc32(part, checksum);
      }
      if (isWhole && checksum === written.checksum) return;
    } finally {
      await file.close();
    }
    throw new AppError("vault-write-failed", { data: { reason: "not read back" } });
  }
}
