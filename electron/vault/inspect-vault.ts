import { join } from "node:path";
import { AppError, type KeyringRecord } from "#protocol";
import { fileErrorCode } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { damagedKeyring, decodeKeyring, slotFacts } from "./keyring.ts";
import { keyringName, sortNames, type DirectoryContents } from "./names.ts";
import { nodeFiles } from "./node-files.ts";
import type { VaultInspection } from "./types.ts";

/** What lies in the directory; nothing when there is no directory. */
export async function listVault(files: VaultFiles, directory: string): Promise<DirectoryContents> {
  try {
    return sortNames(await files.list(directory));
  } catch (error) {
    if (fileErrorCode(error) === "ENOENT") return sortNames([]);
    throw error;
  }
}

/** Whether nothing was ever kept here: no vault, or one whose creation a crash cut short before anything could go into it. */
export function isVacant(contents: DirectoryContents): boolean {
  if (contents.hasKeyring || contents.isBeingErased) return false;
  const generations = [...contents.logs, ...contents.snapshots];
  const isFirst = generations.every((generation) => generation === 1);
  return generations.length === 0 || (contents.isBeingCreated && isFirst);
}

/** @throws AppError `vault-missing`, `vault-erased`, `vault-damaged`, `vault-older-format` or `vault-newer-format` */
export async function readKeyring(files: VaultFiles, directory: string): Promise<KeyringRecord> {
  const contents = await listVault(files, directory);
  if (contents.isBeingErased) throw new AppError("vault-erased");
  if (isVacant(contents)) throw new AppError("vault-missing");
  let bytes: Uint8Array;
  try {
    bytes = await files.read(join(directory, keyringName));
  } catch (cause) {
    throw damagedKeyring(cause);
  }
  return decodeKeyring(bytes);
}

/**
 * Looks at a vault's directory without a key and without touching anything. What can't be read is `unreadable`, never `none`.
 */
export async function inspectVault(
  directory: string,
  files: VaultFiles = nodeFiles,
): Promise<VaultInspection> {
  try {
    const { vaultId, revision, slots } = await readKeyring(files, directory);
    return {
      kind: "present",
      vaultId,
      revision,
      slots: slots.map(({ kind }) => kind),
      slotFacts: slots.map(slotFacts),
    };
  } catch (error) {
    const code = error instanceof AppError ? error.code : "vault-damaged";
    return code === "vault-missing" ? { kind: "none" } : { kind: "unreadable", code };
  }
}
