import { join } from "node:path";
import * as v from "valibot";
import { AppError, ensureAppError } from "#protocol";
import type { Keychain } from "../keychain/index.ts";
import type { Clock } from "../link/index.ts";
import { fileErrorCode, mapWriteError } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { deleteEntries } from "./keychain-entries.ts";
import { decodeKeyring, slotOf } from "./keyring.ts";
import { writeWhole } from "./keyring-file.ts";
import { acquireLock } from "./lock.ts";
import { erasedName, erasingName, keyringName, lockName, temporarySuffix } from "./names.ts";
import { nodeFiles } from "./node-files.ts";
import { systemProcesses } from "./process-identity.ts";

/** One that wasn't taken has the same slots, and the passphrase opens it as well. */
const keyringNames = [keyringName, keyringName + temporarySuffix];
const accountsSchema = v.array(v.string());

/** What {@link destroyVault} needs. */
export interface DestroyOptions {
  readonly directory: string;
  readonly keychain: Keychain | null;
  readonly clock: Clock;
  /** Left out: the disk. */
  readonly files?: VaultFiles;
}

/**
 * Destroys a vault for good, without any key: first its keyring, which is overwritten, and with it every slot; then the other files, and at
 * last the keychain's entries, so that a keychain that hangs delays nothing. Cut short, it is gone on with by calling it again; until then
 * there is a vault that is `vault-erased`. Everything in the directory goes, but not the directory.
 *
 * @throws AppError `vault-in-use`; `disk-full`, `vault-write-failed` or `vault-read-only` when something is left; `keychain-*` when nothing is
 * left but the keychain's entries, see {@link forgetErased}
 */
export async function destroyVault(options: DestroyOptions): Promise<void> {
  const { clock, directory, files = nodeFiles, keychain } = options;
  const lock = await acquireLock({ files, clock, processes: systemProcesses }, directory);
  if (lock.unwritable !== null) throw new AppError(lock.unwritable);
  try {
    const accounts = await mark(files, directory);
    await destroySlots(files, directory);
    await removeFiles(files, directory);
    const erasing = join(directory, erasingName);
    try {
      await forget(keychain, accounts);
    } catch (error) {
      await files.rename(erasing, join(directory, erasedName));
      await files.syncDirectory(directory);
      throw error;
    }
    await files.remove(erasing);
    await files.syncDirectory(directory);
  } catch (error) {
    throw mapWriteError(error);
  } finally {
    await lock.release().catch(() => undefined);
  }
}

/**
 * Deletes the keychain's entries of a vault that was destroyed, where the keychain would not let them go then. Does nothing where none are left.
 *
 * @throws AppError `keychain-*`; `vault-write-failed`
 */
export async function forgetErased(options: Omit<DestroyOptions, "clock">): Promise<void> {
  const { directory, files = nodeFiles, keychain } = options;
  const path = join(directory, erasedName);
  const accounts = await accountsNoted(files, path);
  if (accounts.length === 0) return;
  await forget(keychain, accounts);
  // While the keychain was asked, another vault may have been destroyed.
  const noted = await accountsNoted(files, path);
  if (noted.some((account) => !accounts.includes(account))) return;
  await files.remove(path).catch((cause: unknown) => {
    throw mapWriteError(cause);
  });
}

/** From here on the vault is being erased. @returns the accounts of its keychain entries, which are noted for whoever goes on with it */
async function mark(files: VaultFiles, directory: string): Promise<readonly string[]> {
  const accounts = new Set<string>();
  for (const name of [erasedName, erasingName]) {
    for (const account of await accountsNoted(files, join(directory, name))) accounts.add(account);
  }
  for (const name of keyringNames) {
    const file = await readIfThere(files, join(directory, name));
    const account = file === null ? null : accountIn(file);
    if (account !== null) accounts.add(account);
  }
  // One that is there is replaced whole: it may be all that still names them.
  const path = join(directory, erasingName);
  const content = new TextEncoder().encode(JSON.stringify([...accounts]));
  await writeWhole(files, path + temporarySuffix, content);
  await files.rename(path + temporarySuffix, path);
  await files.syncDirectory(directory);
  return [...accounts];
}

async function destroySlots(files: VaultFiles, directory: string): Promise<void> {
  for (const name of keyringNames) {
    const path = join(directory, name);
    const file = await readIfThere(files, path);
    if (file === null) continue;
    await overwrite(files, path, file.length);
    await files.remove(path);
    await files.syncDirectory(directory);
  }
}

/** @throws AppError `keychain-*`, after all that can be deleted was */
async function forget(keychain: Keychain | null, accounts: readonly string[]): Promise<void> {
  if (accounts.length === 0) return;
  if (keychain === null) throw new AppError("keychain-absent");
  const failures: AppError[] = [];
  for (const account of accounts) {
    await deleteEntries(keychain, account).catch((cause: unknown) => {
      failures.push(ensureAppError(cause));
    });
  }
  for (const failure of failures) throw failure;
}

/** @returns none when there is no such file, or it names none */
async function accountsNoted(files: VaultFiles, path: string): Promise<readonly string[]> {
  const file = await readIfThere(files, path);
  if (file === null) return [];
  try {
    return v.parse(accountsSchema, JSON.parse(new TextDecoder().decode(file)));
  } catch {
    return [];
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
  const kept = [erasingName, lockName];
  for (const name of await files.list(directory)) {
    if (!kept.includes(name)) await files.remove(join(directory, name));
  }
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
