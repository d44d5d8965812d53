import { join } from "node:path";
import { AppError, equalBytes } from "#protocol";
import { mapWriteError } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { keyringName, temporarySuffix } from "./names.ts";

/** How {@link replaceKeyring} ended. */
export type ReplaceOutcome =
  | { readonly kind: "written" }
  /** The keyring before is surely the one on the disk. */
  | { readonly kind: "undone"; readonly error: AppError }
  /** Which of the two a later start finds is open. */
  | { readonly kind: "unknown"; readonly error: AppError };

/** Where a keyring is written. */
export interface KeyringPlace {
  readonly files: VaultFiles;
  readonly directory: string;
}

/**
 * Puts a keyring in the place of the one before: whatever the moment of a crash, one of the two is there, whole. One that wasn't taken is left
 * under its temporary name, where it says that the key it is sealed under has been used, until the next one is written over it.
 *
 * @param before - the file as it is; null: there is none
 */
export async function replaceKeyring(
  place: KeyringPlace,
  file: Uint8Array,
  before: Uint8Array | null,
): Promise<ReplaceOutcome> {
  const { files, directory } = place;
  const path = join(directory, keyringName);
  const temporary = path + temporarySuffix;
  try {
    await writeWhole(files, temporary, file);
    const back = await files.read(temporary);
    if (!equalBytes(back, file)) {
      throw new AppError("vault-write-failed", { data: { reason: "not read back" } });
    }
  } catch (cause) {
    return undone(cause);
  }
  try {
    await files.rename(temporary, path);
  } catch (cause) {
    // A rename that is said to have failed may have happened all the same.
    const now = await files.read(path).catch(() => null);
    const isBefore = now !== null && before !== null && equalBytes(now, before);
    return isBefore ? undone(cause) : unknown(cause);
  }
  try {
    await files.syncDirectory(directory);
    return { kind: "written" };
  } catch (cause) {
    return unknown(cause);
  }
}

/** Makes a file anew, and waits until its content is on the disk. Its name is not, until its directory is synced. */
export async function writeWhole(
  files: VaultFiles,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const file = await files.open(path, "create");
  try {
    await file.write(bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

function undone(cause: unknown): ReplaceOutcome {
  return { kind: "undone", error: mapWriteError(cause) };
}

function unknown(cause: unknown): ReplaceOutcome {
  return { kind: "unknown", error: mapWriteError(cause) };
}
