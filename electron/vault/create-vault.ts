import { join } from "node:path";
import { AppError, idFromBytes, type CryptoWorker, type VaultId } from "#protocol";
import { checkCatalogue } from "./catalogue.ts";
import { openDatabase } from "./database.ts";
import { mapWriteError } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { writeGeneration } from "./generation.ts";
import { isVacant, listVault } from "./inspect-vault.ts";
import { createKeychainSlot, createPassphraseSlot, unlock } from "./key-slots.ts";
import { encodeKeyring, type KeySlot, type Keyring } from "./keyring.ts";
import { createLiveVault, type LiveVaultParts } from "./live-vault.ts";
import { acquireLock, type VaultLock } from "./lock.ts";
import type { LogWriter } from "./log-writer.ts";
import { creatingName, keyringName, logName, snapshotName, temporarySuffix } from "./names.ts";
import { nodeFiles } from "./node-files.ts";
import { defaultLimits } from "./open-vault.ts";
import { systemProcesses } from "./process-identity.ts";
import type { Vault, VaultOptions } from "./types.ts";

const vaultIdBytes = 16;
const firstGeneration = 1;

/**
 * Creates a vault where none is, with a slot for the keychain, for a passphrase, or for both.
 *
 * The keyring comes last: until it is there, there is no vault, and a creation that was cut short begins anew.
 *
 * @throws AppError `vault-exists`, `vault-in-use`, `keychain-*`, `passphrase-weak`, `disk-full`, `vault-write-failed`; whatever it is,
 * nothing is left behind
 */
export async function createVault(options: VaultOptions): Promise<Vault> {
  const { clock, directory, files = nodeFiles, worker } = options;
  if (options.keychain === null && options.passphrase === null) {
    throw new AppError("argument-invalid", { data: { reason: "no key slot" } });
  }
  const creation = { ...options, files };
  let lock: VaultLock | null = null;
  try {
    await files.makeDirectory(directory);
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

type Creation = VaultOptions & { readonly files: VaultFiles };

async function createLocked(creation: Creation, lock: VaultLock): Promise<Vault> {
  const { directory, files, keychain } = creation;
  const keyringPath = join(directory, keyringName);
  await removeRemains(creation);
  await writeFile(files, join(directory, creatingName), new Uint8Array());
  await files.syncDirectory(directory);
  let keyring: Keyring | null = null;
  let parts: FirstGeneration | null = null;
  try {
    keyring = await createKeyring(creation);
    await unlock(keyring, {
      ...creation,
      passphrase: keychain === null ? creation.passphrase : null,
    });
    parts = await createFirstGeneration(creation, keyring.vaultId);
    await writeFile(files, keyringPath + temporarySuffix, encodeKeyring(keyring));
    await files.rename(keyringPath + temporarySuffix, keyringPath);
    await files.syncDirectory(directory);
    // Only now, and for good, or a later loss of the keyring would look like a creation cut short.
    await files.remove(join(directory, creatingName));
    await files.syncDirectory(directory);
    return createLiveVault({ ...creation, ...parts, lock });
  } catch (error) {
    parts?.database.close();
    await parts?.log.close().catch(() => undefined);
    // The keyring first, and the rest only when it is gone: what is left behind must never look like a vault that lost its key.
    const isGone = await files.remove(keyringPath).then(
      () => true,
      () => false,
    );
    if (isGone) {
      for (const slot of keyring?.slots ?? []) {
        if (slot.kind === "keychain") await keychain?.delete(slot.account).catch(() => undefined);
      }
      await removeRemains(creation).catch(() => undefined);
    }
    throw error;
  }
}

async function createKeyring(creation: Creation): Promise<Keyring> {
  const { keychain, passphrase, profile = "default", worker } = creation;
  const vaultId = await createVaultId(worker);
  const { vaultKey } = await worker.call("vault.generateKey", {});
  try {
    const slots: KeySlot[] = [];
    // The passphrase first: a weak one is refused before the keychain is bothered.
    if (passphrase !== null) {
      slots.push(await createPassphraseSlot(worker, { vaultId, vaultKey, passphrase }));
    }
    const { sealedKeyring } = await worker.call("vault.createKeyring", { vaultId, vaultKey });
    if (keychain !== null) {
      const account = `${profile}/${vaultId}`;
      slots.push(await createKeychainSlot({ keychain, worker }, { vaultId, vaultKey, account }));
    }
    return { vaultId, slots, sealedKeyring };
  } finally {
    vaultKey.fill(0);
  }
}

/** Sixteen of the worker's random bytes: this process has no generator of its own. */
async function createVaultId(worker: CryptoWorker): Promise<VaultId> {
  const { vaultKey: random } = await worker.call("vault.generateKey", {});
  return idFromBytes<VaultId>(random.subarray(0, vaultIdBytes));
}

type FirstGeneration = Omit<LiveVaultParts, "directory" | "files" | "worker" | "clock" | "lock"> & {
  readonly log: LogWriter;
};

async function createFirstGeneration(
  creation: Creation,
  vaultId: VaultId,
): Promise<FirstGeneration> {
  const catalogue = checkCatalogue(creation.catalogue);
  const database = await openDatabase(null, creation.sqlWasmPath);
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

/** Removes what a creation that didn't come to its end has left. */
async function removeRemains({ directory, files }: Creation): Promise<void> {
  const names = [snapshotName(firstGeneration), logName(firstGeneration), keyringName];
  for (const name of names) {
    await files.remove(join(directory, name + temporarySuffix));
    if (name !== keyringName) await files.remove(join(directory, name));
  }
  await files.remove(join(directory, creatingName));
}

async function writeFile(files: VaultFiles, path: string, bytes: Uint8Array): Promise<void> {
  const file = await files.open(path, "create");
  try {
    await file.write(bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}
