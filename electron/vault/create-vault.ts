import { dirname, join } from "node:path";
import { AppError, type VaultId, type WorkerResult } from "#protocol";
import { checkCatalogue } from "./catalogue.ts";
import { openDatabase } from "./database.ts";
import { openKeys } from "./exchange.ts";
import { mapWriteError } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { writeGeneration } from "./generation.ts";
import { isVacant, listVault } from "./inspect-vault.ts";
import { deleteEntries, wipeEntries, writeEntries } from "./keychain-entries.ts";
import { accountStem, newAccount, placeOf, unlock, type Unlocked } from "./key-slots.ts";
import { encodeKeyring, slotOf } from "./keyring.ts";
import { replaceKeyring, writeWhole } from "./keyring-file.ts";
import { createLiveVault, type LiveVaultParts } from "./live-vault.ts";
import { acquireLock, type VaultLock } from "./lock.ts";
import type { LogWriter } from "./log-writer.ts";
import { creatingName, keyringName, logName, snapshotName, temporarySuffix } from "./names.ts";
import { nodeFiles } from "./node-files.ts";
import { defaultLimits } from "./open-vault.ts";
import { systemProcesses } from "./process-identity.ts";
import type { NewVaultOptions, Vault } from "./types.ts";

const firstGeneration = 1;

/**
 * Creates a vault where none is, with a slot for the keychain, for a passphrase, or for both.
 *
 * The keyring comes last: until it is there, there is no vault, and a creation that was cut short begins anew.
 *
 * @throws AppError `vault-exists`, `vault-in-use`, `keychain-*`, `passphrase-weak`, `disk-full`, `vault-write-failed`; whatever it is,
 * nothing is left behind
 */
export async function createVault(options: NewVaultOptions): Promise<Vault> {
  const { clock, directory, files = nodeFiles, worker } = options;
  if (options.keychain === null && options.passphrase === null) {
    throw new AppError("argument-invalid", { data: { reason: "no key slot" } });
  }
  const creation = { ...options, files };
  let lock: VaultLock | null = null;
  try {
    await files.makeDirectory(directory);
    // A directory whose own name is lost takes along what was synced inside it.
    await files.syncDirectory(dirname(directory));
    lock = await acquireLock({ files, clock, processes: systemProcesses }, directory);
    if (lock.unwritable !== null) throw new AppError(lock.unwritable);
    if (!isVacant(await listVault(files, directory))) throw new AppError("vault-exists");
    return await createLocked(creation, lock);
  } catch (error) {
    await worker.call("vault.lock", {}).catch(() => undefined);
    await lock?.release().catch(() => undefined);
    throw mapWriteError(error);
  }
}

type Creation = NewVaultOptions & { readonly files: VaultFiles };

async function createLocked(creation: Creation, lock: VaultLock): Promise<Vault> {
  const { directory, files, keychain, worker } = creation;
  await removeRemains(creation);
  await markCreation(files, directory);
  let account: string | null = null;
  let parts: FirstGeneration | null = null;
  try {
    const place = keychain === null ? null : placeOf(creation, accountStem(creation));
    // A weak passphrase is refused here, before the keychain is bothered.
    const made = await worker.call("vault.create", {
      keychain: place,
      passphrase: creation.passphrase,
    });
    const { record } = made;
    account = slotOf(record, "keychain")?.account ?? null;
    const unlocked = await unlockNew(creation, made);
    parts = await createFirstGeneration(creation, record.vaultId);
    const outcome = await replaceKeyring(creation, encodeKeyring(record), null);
    if (outcome.kind !== "written") throw outcome.error;
    // Only now, and for good, or a later loss of the keyring would look like a creation cut short.
    await files.remove(join(directory, creatingName));
    await files.syncDirectory(directory);
    const keys = await openKeys({
      ...creation,
      record,
      unlocked,
      hasRemnant: false,
      place: placeOf(creation, account ?? newAccount(creation, record.vaultId)),
    });
    return createLiveVault({ ...creation, ...parts, lock, keys });
  } catch (error) {
    parts?.database.close();
    await parts?.log.close().catch(() => undefined);
    if (await removeKeyring(creation)) {
      if (keychain !== null && account !== null) {
        await deleteEntries(keychain, account).catch(() => undefined);
      }
      await removeRemains(creation).catch(() => undefined);
    }
    throw error;
  }
}

/**
 * Gives the new vault's keys to the keychain, and unlocks it with what can be had back from there; without a keychain, with the passphrase.
 *
 * @throws AppError `keychain-*`
 */
async function unlockNew(
  creation: Creation,
  { record, keychainKeys }: WorkerResult<"vault.create">,
): Promise<Unlocked> {
  const { keychain, passphrase } = creation;
  const slot = slotOf(record, "keychain");
  const place = placeOf(creation, slot?.account ?? "");
  if (keychain === null || keychainKeys === null || slot === undefined) {
    if (passphrase === null) throw new AppError("internal");
    return unlock(record, { ...creation, place, unlockWith: { kind: "passphrase", passphrase } });
  }
  try {
    await writeEntries(
      { keychain, account: slot.account, revision: record.revision },
      keychainKeys,
    );
    return await unlock(record, { ...creation, place, unlockWith: { kind: "keychain" } });
  } catch (error) {
    const isLost = error instanceof AppError && error.code.startsWith("vault-");
    throw isLost
      ? new AppError("keychain-denied", { cause: error, data: { reason: "not read back" } })
      : error;
  } finally {
    wipeEntries(keychainKeys);
  }
}

type FirstGeneration = Omit<
  LiveVaultParts,
  "directory" | "files" | "worker" | "clock" | "lock" | "keys"
> & { readonly log: LogWriter };

async function createFirstGeneration(
  creation: Creation,
  vaultId: VaultId,
): Promise<FirstGeneration> {
  const catalogue = checkCatalogue(creation.catalogue);
  const database = await openDatabase(null, creation);
  try {
    database.migrate(catalogue.migrations);
    const content = { sequence: 0, image: database.image() };
    const outcome = await writeGeneration({ ...creation, vaultId }, firstGeneration, content);
    if (outcome.kind !== "written") throw outcome.error;
    return {
      vaultId,
      catalogue,
      database,
      generation: firstGeneration,
      sequence: 0,
      snapshot: outcome.snapshot,
      log: outcome.log,
      limits: creation.compaction ?? defaultLimits,
      texts: [],
      endsInOrder: false,
      readOnly: null,
      damage: null,
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Takes a creation back. The keyring goes first, and the rest only when it is gone for good: at no moment may what is left look like a vault that
 * lost its key.
 *
 * @returns false when it may still be there
 */
async function removeKeyring({ directory, files }: Creation): Promise<boolean> {
  try {
    await markCreation(files, directory).catch(() => undefined);
    await files.remove(join(directory, keyringName));
    await files.syncDirectory(directory);
    return true;
  } catch {
    return false;
  }
}

/** Says, for as long as it takes, that what lies in the directory is no vault yet. */
async function markCreation(files: VaultFiles, directory: string): Promise<void> {
  await writeWhole(files, join(directory, creatingName), new Uint8Array());
  await files.syncDirectory(directory);
}

/** Removes what a creation that didn't come to its end has left; last of all, what says so. */
async function removeRemains({ directory, files }: Creation): Promise<void> {
  const names = [snapshotName(firstGeneration), logName(firstGeneration), keyringName];
  for (const name of names) {
    await files.remove(join(directory, name + temporarySuffix));
    if (name !== keyringName) await files.remove(join(directory, name));
  }
  await files.syncDirectory(directory);
  await files.remove(join(directory, creatingName));
}
