import { join } from "node:path";
import { AppError, equalBytes, type CryptoWorker, type VaultId } from "#protocol";
import { mapWriteError } from "./file-errors.ts";
import type { VaultFile, VaultFiles } from "./files.ts";
import { tagBytes } from "./frames.ts";
import { checkGenerationHeader, encodeGenerationHeader, generationHeaderBytes } from "./headers.ts";
import { createLogWriter, type LogWriter } from "./log-writer.ts";
import { logName, snapshotName, temporarySuffix } from "./names.ts";
import { writeSnapshot, type Snapshot, type SnapshotFacts } from "./snapshot.ts";

/** Where generations are written. */
export interface GenerationPlace {
  readonly files: VaultFiles;
  readonly directory: string;
  readonly vaultId: VaultId;
  readonly worker: CryptoWorker;
}

/** A new generation: its snapshot, and its log, empty and open. */
export interface NewGeneration {
  readonly snapshot: SnapshotFacts;
  readonly log: LogWriter;
}

/** How {@link writeGeneration} ended. */
export type GenerationOutcome =
  | ({ readonly kind: "written" } & NewGeneration)
  /** Nothing has changed: the generation before is the vault. */
  | { readonly kind: "undone"; readonly error: AppError }
  /** Which of the two generations a later start finds is open; both hold the same. Neither may be written any more. */
  | { readonly kind: "unknown"; readonly error: AppError };

/**
 * Writes a snapshot and an empty log beside those of the generation before.
 *
 * A vault's generation is the highest one that has a log, so the log gets its name last, when its snapshot is on the disk
 * and was read back: whatever the moment of a crash, one pair is whole.
 */
export async function writeGeneration(
  place: GenerationPlace,
  generation: number,
  content: Snapshot,
): Promise<GenerationOutcome> {
  const { files, directory } = place;
  const paths = {
    snapshot: join(directory, snapshotName(generation)),
    log: join(directory, logName(generation)),
  };
  try {
    const snapshot = await prepare(place, generation, content);
    await files.rename(paths.log + temporarySuffix, paths.log);
    try {
      await files.syncDirectory(directory);
      const header = { endBytes: generationHeaderBytes, frames: 0, lastTag: new Uint8Array() };
      const log = createLogWriter(await files.open(paths.log, "modify"), header);
      return { kind: "written", snapshot, log };
    } catch (cause) {
      return { kind: "unknown", error: mapWriteError(cause) };
    }
  } catch (cause) {
    const error = mapWriteError(cause);
    // A rename that is said to have failed may have happened all the same.
    const names = await files.list(directory).catch(() => [logName(generation)]);
    if (names.includes(logName(generation))) return { kind: "unknown", error };
    for (const path of [
      paths.snapshot,
      paths.snapshot + temporarySuffix,
      paths.log + temporarySuffix,
    ]) {
      // What stays is removed at the next start.
      await files.remove(path).catch(() => undefined);
    }
    return { kind: "undone", error };
  }
}

/** Everything but the log's name. */
async function prepare(
  place: GenerationPlace,
  generation: number,
  content: Snapshot,
): Promise<SnapshotFacts> {
  const { files, directory, vaultId } = place;
  const snapshotPath = join(directory, snapshotName(generation));
  const logPath = join(directory, logName(generation)) + temporarySuffix;
  const facts = await writeWhole(files, snapshotPath + temporarySuffix, (file) =>
    writeSnapshot(file, { ...place, generation }, content),
  );
  await writeWhole(files, logPath, (file) =>
    file.write(encodeGenerationHeader("log", vaultId, generation), 0),
  );
  await files.rename(snapshotPath + temporarySuffix, snapshotPath);
  await files.syncDirectory(directory);
  await verify(place, generation, facts);
  return facts;
}

async function writeWhole<Result>(
  files: VaultFiles,
  path: string,
  write: (file: VaultFile) => Promise<Result>,
): Promise<Result> {
  const file = await files.open(path, "create");
  try {
    const result = await write(file);
    await file.sync();
    return result;
  } finally {
    await file.close();
  }
}

/** Reads back what was written, before anything that still holds the same is given up. */
async function verify(
  place: GenerationPlace,
  generation: number,
  { tag, sizeBytes }: SnapshotFacts,
): Promise<void> {
  const { files, directory, vaultId } = place;
  const snapshot = await files.read(join(directory, snapshotName(generation)));
  const log = await files.read(join(directory, logName(generation)) + temporarySuffix);
  const isWhole =
    checkGenerationHeader(snapshot, { kind: "snapshot", vaultId, generation }) &&
    snapshot.length === sizeBytes &&
    equalBytes(snapshot.subarray(-tagBytes), tag) &&
    checkGenerationHeader(log, { kind: "log", vaultId, generation }) &&
    log.length === generationHeaderBytes;
  if (!isWhole) throw new AppError("vault-write-failed", { data: { reason: "not read back" } });
}
