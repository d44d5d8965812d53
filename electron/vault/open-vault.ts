import { join } from "node:path";
import { AppError, ensureAppError, type ErrorCode, type KeyringRecord } from "#protocol";
import { checkCatalogue, type CheckedCatalogue } from "./catalogue.ts";
import { openDatabase, type MemoryDatabase } from "./database.ts";
import { openKeys, type VaultKeys } from "./exchange.ts";
import { fileErrorCode, isWriteProtected, mapWriteError } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { writeGeneration } from "./generation.ts";
import { checkGenerationHeader } from "./headers.ts";
import { listVault, readKeyring } from "./inspect-vault.ts";
import { keychainPatienceMs, newAccount, placeOf, unlock } from "./key-slots.ts";
import { slotOf } from "./keyring.ts";
import { createLiveVault, type LiveVaultParts } from "./live-vault.ts";
import { acquireLock, type VaultLock } from "./lock.ts";
import { readLog, type LogReading } from "./log-reader.ts";
import { createLogWriter, type LogWriter } from "./log-writer.ts";
import {
  creatingName,
  keyringName,
  logName,
  snapshotName,
  temporarySuffix,
  type DirectoryContents,
} from "./names.ts";
import { nodeFiles } from "./node-files.ts";
import { inTime } from "./patience.ts";
import { systemProcesses } from "./process-identity.ts";
import { createReplay, type Replay } from "./replay.ts";
import { readSnapshot, type SnapshotReading } from "./snapshot.ts";
import type { CompactionLimits, OpenVaultOptions, Vault, VaultDamage } from "./types.ts";

export const defaultLimits: CompactionLimits = {
  logBytes: 8 * 1024 * 1024,
  minimumLogBytes: 512 * 1024,
  snapshotRatio: 4,
};

/**
 * Opens the vault in a directory: unlocks it, reads its snapshot and its log, and cuts off a torn tail. A damaged log opens read-only up
 * to the damage, and nothing is changed.
 *
 * @throws AppError `vault-missing`, `vault-in-use`, `vault-newer-format`, `vault-damaged` (keyring or snapshot, of which nothing can be
 * shown), `vault-older-format`, `vault-erased`, or as {@link unlock}
 */
export async function openVault(options: OpenVaultOptions): Promise<Vault> {
  const { clock, directory, files = nodeFiles, worker } = options;
  const catalogue = checkCatalogue(options.catalogue);
  // Before anything is touched: what can't be opened stays exactly as it is.
  await readKeyring(files, directory);
  const lock = await acquireLock({ files, clock, processes: systemProcesses }, directory);
  let keys: VaultKeys | null = null;
  try {
    // Whoever had the lock until now may have changed it.
    const keyring = await readKeyring(files, directory);
    const account = slotOf(keyring, "keychain")?.account ?? newAccount(options, keyring.vaultId);
    const place = placeOf(options, account);
    const unlocked = await unlock(keyring, { ...options, place });
    const { temporary } = await listVault(files, directory);
    const hasRemnant = temporary.includes(keyringName + temporarySuffix);
    keys = await openKeys({
      ...options,
      files,
      place,
      record: keyring,
      unlocked,
      hasRemnant,
    });
    return await openUnlocked({ ...options, files, catalogue, keyring, lock, keys });
  } catch (error) {
    // Or it would ask the keychain again by itself, with whatever vault the worker has by then.
    await keys?.close();
    await worker.call("vault.lock", {}).catch(() => undefined);
    await lock.release().catch(() => undefined);
    throw error;
  }
}

interface Opening extends Omit<OpenVaultOptions, "catalogue" | "files"> {
  readonly files: VaultFiles;
  readonly catalogue: CheckedCatalogue;
  readonly keyring: KeyringRecord;
  readonly keys: VaultKeys;
  readonly lock: VaultLock;
}

async function openUnlocked(opening: Opening): Promise<Vault> {
  const { directory, files, keyring, worker } = opening;
  const { vaultId } = keyring;
  const contents = await listVault(files, directory);
  const generation = currentGeneration(contents);
  const snapshotFile = await readOrNull(files, directory, snapshotName(generation));
  if (snapshotFile === null) throw damaged({ file: snapshotName(generation), frame: 0 });
  const place = { vaultId, generation, worker };
  const snapshot = await readSnapshot(snapshotFile, snapshotName(generation), place);
  const logFile = await readOrNull(files, directory, logName(generation));
  // Throws for a newer format, before a database is made.
  const isLogHeaderWhole =
    logFile !== null && checkGenerationHeader(logFile, { kind: "log", vaultId, generation });
  const database = await openDatabase(snapshot.image, opening);
  try {
    if (database.schemaVersion() > opening.catalogue.schemaVersion) {
      throw new AppError("vault-newer-format", { data: { schema: database.schemaVersion() } });
    }
    const replay = createReplay(database, snapshot);
    const log = await readLog({ bytes: logFile ?? new Uint8Array(), generation, worker }, (plain) =>
      replay.take(plain),
    );
    const damage = damageOf({ generation, snapshot, log, isLogHeaderWhole });
    const state: ReadState = { contents, generation, snapshot, logFile, log, replay, database };
    return await assemble(opening, state, damage);
  } catch (error) {
    database.close();
    throw error;
  }
}

interface ReadState {
  readonly contents: DirectoryContents;
  readonly generation: number;
  readonly snapshot: SnapshotReading;
  readonly logFile: Uint8Array | null;
  readonly log: LogReading;
  readonly replay: Replay;
  readonly database: MemoryDatabase;
}

/** The highest generation with a log; one that has only a snapshot was not finished, unless its log is all that is missing. */
function currentGeneration({ logs, snapshots }: DirectoryContents): number {
  const generation = logs.at(-1) ?? snapshots.at(-1);
  if (generation === undefined) throw damaged({ file: logName(1), frame: 0 });
  return generation;
}

function damageOf(found: {
  readonly generation: number;
  readonly snapshot: SnapshotReading;
  readonly log: LogReading;
  readonly isLogHeaderWhole: boolean;
}): VaultDamage | null {
  const { generation, snapshot, log, isLogHeaderWhole } = found;
  if (snapshot.isHeaderDamaged) return { file: snapshotName(generation), frame: 0 };
  if (!isLogHeaderWhole) return { file: logName(generation), frame: 0 };
  return log.isDamaged ? { file: logName(generation), frame: log.frames + 1 } : null;
}

async function assemble(
  opening: Opening,
  state: ReadState,
  damage: VaultDamage | null,
): Promise<Vault> {
  const { catalogue, keyring, keys, lock } = opening;
  const { database, generation, replay, snapshot } = state;
  const isOldSchema = database.schemaVersion() < catalogue.schemaVersion;
  const parts: LiveVaultParts = {
    ...opening,
    vaultId: keyring.vaultId,
    limits: opening.compaction ?? defaultLimits,
    database,
    generation,
    sequence: replay.sequence,
    snapshot,
    texts: replay.texts,
    endsInOrder: replay.endsInOrder,
    log: null,
    readOnly: null,
    damage,
  };
  const readOnlyFor = (readOnly: ErrorCode) => {
    keys.stop(readOnly);
    database.migrate(catalogue.migrations);
    return createLiveVault({ ...parts, readOnly });
  };
  if (damage !== null) return readOnlyFor("vault-damaged");
  if (lock.unwritable !== null) return readOnlyFor(lock.unwritable);
  let log: LogWriter | null = null;
  try {
    log = await settleLog(opening, state);
    await removeLeftovers(opening, state);
  } catch (error) {
    await log?.close().catch(() => undefined);
    return readOnlyFor(isWriteProtected(error) ? "vault-read-only" : mapWriteError(error).code);
  }
  const failure = await settleKeys(opening, generation);
  const isFinal = failure !== null && !failure.startsWith("keychain-");
  if (isFinal || (failure !== null && isOldSchema)) {
    await log.close().catch(() => undefined);
    if (isFinal) return readOnlyFor(failure);
    // The next generation, which the new schema needs, has no key yet.
    throw new AppError(failure);
  }
  if (!isOldSchema) return createLiveVault({ ...parts, log });

  // The log's statements belong to the old schema: the new one begins with a generation of its own.
  database.migrate(catalogue.migrations);
  const content = { sequence: replay.sequence, image: database.image() };
  const place = { ...opening, vaultId: keyring.vaultId };
  const outcome = await writeGeneration(place, generation + 1, content);
  await log.close().catch(() => undefined);
  if (outcome.kind !== "written") {
    keys.stop(outcome.error.code);
    return createLiveVault({ ...parts, readOnly: outcome.error.code });
  }
  // What fails here is owed, and taken along by the next exchange.
  await keys.moveTo(generation + 1).catch(() => undefined);
  const fresh = { ...parts, ...outcome, generation: generation + 1, texts: [], endsInOrder: false };
  // What stays is removed at the next start.
  await listVault(opening.files, opening.directory)
    .then((contents) => removeLeftovers(opening, { contents, generation: generation + 1 }))
    .catch(() => undefined);
  return createLiveVault(fresh);
}

/**
 * Ends what a crash may have cut short: the exchange that follows a new generation, and the keychain's part of one.
 *
 * @returns why the keyring is not at this generation, or null when it is
 */
async function settleKeys({ clock, keys }: Opening, generation: number): Promise<ErrorCode | null> {
  try {
    await keys.moveTo(generation);
  } catch (error) {
    return ensureAppError(error).code;
  }
  // An older copy leaves the keychain alone until its owner has noted that it is one.
  if (keys.keychainState === "behind" && !keys.rolledBack) {
    await inTime(clock, keychainPatienceMs, keys.renewKeychain()).catch(() => undefined);
  }
  return null;
}

/**
 * Makes what was read of the log durable and cuts off what was not. A process that was killed leaves frames in the system's memory that
 * are not on the disk yet; and after a failed sync the system believes pages written that are not, until they are written once more.
 */
async function settleLog(
  { directory, files }: Opening,
  { generation, log, logFile }: ReadState,
): Promise<LogWriter> {
  const file = await files.open(join(directory, logName(generation)), "modify");
  try {
    if ((await file.sizeBytes()) > log.endBytes) await file.truncate(log.endBytes);
    if (logFile !== null && log.frames > 0) {
      await file.write(logFile.subarray(log.lastFrameAt, log.endBytes), log.lastFrameAt);
    }
    await file.sync();
    await files.syncDirectory(directory);
    return createLogWriter(file, log);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Removes what a crash has left beside the present generation, as far as it can be removed: nothing of it is ever read.
 *
 * @throws when the directory is not to be written at all
 */
async function removeLeftovers(
  { directory, files }: Opening,
  { contents, generation }: Pick<ReadState, "contents" | "generation">,
): Promise<void> {
  const isOther = (candidate: number) => candidate !== generation;
  const names = [
    ...(contents.isBeingCreated ? [creatingName] : []),
    // The keys need to see that a keyring was not taken, until another one is.
    ...contents.temporary.filter((name) => name !== keyringName + temporarySuffix),
    ...contents.logs.filter(isOther).map(logName),
    ...contents.snapshots.filter(isOther).map(snapshotName),
  ];
  const passOver = (error: unknown) => {
    // Of a single file that is protected, or that somebody has open, the system says something else.
    if (["EROFS", "EACCES"].includes(fileErrorCode(error) ?? "")) throw error;
  };
  for (const name of names) await files.remove(join(directory, name)).catch(passOver);
  if (names.length > 0) await files.syncDirectory(directory).catch(passOver);
}

/** @returns null when there is no such file */
async function readOrNull(
  files: VaultFiles,
  directory: string,
  name: string,
): Promise<Uint8Array | null> {
  try {
    return await files.read(join(directory, name));
  } catch (error) {
    const reason = fileErrorCode(error) ?? "unknown";
    if (reason === "ENOENT") return null;
    throw new AppError("vault-damaged", { cause: error, data: { file: name, reason } });
  }
}

function damaged(damage: VaultDamage): AppError {
  return new AppError("vault-damaged", { data: { ...damage } });
}
