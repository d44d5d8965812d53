/** An open file of a vault. */
export interface VaultFile {
  sizeBytes(): Promise<number>;
  /** Reads into `target` what lies at `position`, as far as there is any. @returns how many bytes that was */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes` at `position`, or throws. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** As {@link write} and {@link sync} together, for a file that was opened with `modify`. */
  writeDurably(bytes: Uint8Array, position: number): Promise<void>;
  /** Until the file's data and size are on the disk. */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

/** How {@link VaultFiles.open} opens: `create` makes it empty, `create-new` refuses one that is there, `modify` needs one. */
export type OpenMode = "create" | "create-new" | "modify";

/**
 * The file system as a vault uses it; a port, so that every fault can be injected. Failures are Node's errors with `code`
 * (`ENOENT`, `ENOSPC`, …).
 */
export interface VaultFiles {
  /** Names in a directory; throws `ENOENT` when there is none. */
  list(directory: string): Promise<readonly string[]>;
  /** Makes a directory and its parents, open to this user alone. */
  makeDirectory(directory: string): Promise<void>;
  read(path: string): Promise<Uint8Array>;
  open(path: string, mode: OpenMode): Promise<VaultFile>;
  /** Replaces `to` atomically. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; one that is not there is no failure. */
  remove(path: string): Promise<void>;
  /** Until the directory's names are on the disk. Does nothing where the system can't (Windows): there {@link rename} itself waits for the new name. */
  syncDirectory(directory: string): Promise<void>;
}
