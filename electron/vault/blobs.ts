import { join } from "node:path";
import type { AppError, BlobId } from "#protocol";
import { mapWriteError } from "./file-errors.ts";
import type { VaultFile, VaultFiles } from "./files.ts";
import { blobName } from "./names.ts";

/**
 * Encrypted attachments, as files beside the log: too large for it. They come here as ciphertext, whose key stands in their message's body, so
 * that destroying the message's leaf makes them unreadable wherever copies of them lie. Their names tell nothing.
 */
export interface VaultBlobs {
  /**
   * Begins a new one. It is on the disk after {@link VaultFile.sync}.
   *
   * @throws AppError `disk-full` or `vault-write-failed`, also when there is one of this id; `vault-read-only`
   */
  create(blobId: BlobId): Promise<VaultFile>;
  /** @throws the file system's error, `ENOENT` when it isn't there */
  open(blobId: BlobId): Promise<VaultFile>;
  /**
   * Removes them; what isn't there is no failure. When it resolves, the names are gone from the disk.
   *
   * @throws AppError `vault-write-failed` or `vault-read-only`; each that could be removed is
   */
  remove(blobIds: readonly BlobId[]): Promise<void>;
}

/** @param refusal - why nothing can be written now */
export function createBlobs(
  files: VaultFiles,
  directory: string,
  refusal: () => AppError | null,
): VaultBlobs {
  const pathOf = (blobId: BlobId): string => join(directory, blobName(blobId));

  async function write<Result>(work: () => Promise<Result>): Promise<Result> {
    const refused = refusal();
    if (refused !== null) throw refused;
    try {
      return await work();
    } catch (cause) {
      throw mapWriteError(cause);
    }
  }

  return {
    create: (blobId) => write(() => files.open(pathOf(blobId), "create-new")),
    open: (blobId) => files.open(pathOf(blobId), "modify"),
    remove: (blobIds) =>
      write(async () => {
        const results = await Promise.allSettled(blobIds.map((id) => files.remove(pathOf(id))));
        await files.syncDirectory(directory);
        for (const result of results) if (result.status === "rejected") throw result.reason;
      }),
  };
}
