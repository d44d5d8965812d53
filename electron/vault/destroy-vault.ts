import { join } from "node:path";
import { AppError } from "#protocol";
import type { Keychain } from "../keychain/index.ts";
import type { Clock } from "../link/index.ts";
import { fileErrorCode, mapWriteError } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { deleteEntries } from "./keychain-entries.ts";
import { decodeKeyring, slotOf } from "./keyring.ts";
import { writeWhole } from "./keyring-file.ts";
import { acquireLock } from "./lock.ts";
import { erasingName, keyringName, lockName, temporarySuffix } from "./names.ts";
import { nodeFiles } from "./node-files.ts";
import { systemProcesses } from "./process-identity.ts";

/** What {@link destroyVault} needs. */
export interface DestroyOptions {
  readonly directory: string;
  readonly keychain: Keychain | null;
  readonly clock: Clock;
  /** Left out: the disk. */
  readonly files?: VaultFiles;
}

/**
 * Destroys a vault for good, without any key: first its slots (the keychain's entries, and the keyring, which is overwritten), which makes all
 * else unreadable, then the other files. Cut short, it is gone on with by calling it again; until then there is a vault that is `vault-erased`.
 * Everything in the directory goes, but not the directory.
 *
 * @throws AppError `vault-in-use`; `disk-full`, `vault-write-failed` or `vault-read-only` when something is left; `keychain-*` when nothing is
 * left but the keychain's entries
 */
export async function destroyVault(options: DestroyOptions): Promise<void> {
  const { clock, directory, files = nodeFiles } = options;
  const lock = await acquireLock({ files, clock, processes: systemProcesses }, directory);
  if (lock.unwritable !== null) throw new AppError(lock.unwritable);
  try {
    await writeWhole(files, join(directory, erasingName), new Uint8Array());
    await files.syncDirectory(directory);
    const keychainFailure = await destroySlots(files, options);
    await removeFiles(files, directory);
    if (keychainFailure !== null) throw keychainFailure;
  } catch (error) {
    throw mapWriteError(error);
  } finally {
    await lock.release().catch(() => undefined);
  }
}

/** @returns why the keychain's entries are still there, if they are */
async function destroySlots(
  files: VaultFiles,
  { directory, keychain }: DestroyOptions,
): Promise<Error | null> {
  let failure: Error | null = null;
  // One that wasn't taken has the same slots, and the passphrase opens it as well.
  for (const name of [keyringName, keyringName + temporarySuffix]) {
    const path = join(directory, name);
    const file = await readIfThere(files, path);
    if (file === null) continue;
    const account = name === keyringName ? accountIn(file) : null;
    if (account !== null) failure = await forget(keychain, account);
    await overwrite(files, path, file.length);
    await files.remove(path);
    await files.syncDirectory(directory);
  }
  return failure;
}

async function forget(keychain: Keychain | null, account: string): Promise<Error | null> {
  if (keychain === null) return new AppError("keychain-absent");
  try {
    await deleteEntries(keychain, account);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new AppError("internal", { cause: error });
  }
}

/** @returns null when it can't be told, or there is none */
function accountIn(file: Uint8Array): string | null {
  try {
    return slotOf(decodeKeyring(file), "keychain")?.account ?? null;
  } catch {
    return null;
  }
}

/** In place, so that the disk's own blocks are written over where it does such a thing. */
async function overwrite(files: VaultFiles, path: string, sizeBytes: number): Promise<void> {
  const file = await files.open(path, "modify");
  try {
    await file.write(new Uint8Array(sizeBytes), 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function removeFiles(files: VaultFiles, directory: string): Promise<void> {
  const last = [erasingName, lockName];
  for (const name of await files.list(directory)) {
    if (!last.includes(name)) await files.remove(join(directory, name));
  }
  await files.syncDirectory(directory);
  await files.remove(join(directory, erasingName));
  await files.syncDirectory(directory);
}

async function readIfThere(files: VaultFiles, path: string): Promise<Uint8Array | null> {
  try {
    return await files.read(path);
  } catch (error) {
    if (fileErrorCode(error) === "ENOENT") return null;
    throw error;
  }
}
