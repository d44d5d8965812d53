/** A disk as it is found: the content of each file by path, directories by path, and the keychain's entries by account. */
export interface DiskImage {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly directories: ReadonlySet<string>;
  readonly entries: ReadonlyMap<string, Uint8Array>;
}

/** What a disk, or the keychain beside it, was asked to change or to keep. */
export type DiskOperation =
  | {
      readonly kind: "write";
      readonly inode: number;
      readonly at: number;
      readonly bytes: Uint8Array;
      /** On the disk when it is done, with what makes it readable; the file's other writes are not. */
      readonly isDurable: boolean;
    }
  | { readonly kind: "truncate"; readonly inode: number; readonly sizeBytes: number }
  /** After one that fails the system believes written what may not be: no later one brings it to the disk. */
  | { readonly kind: "sync"; readonly inode: number; readonly fails: boolean }
  | { readonly kind: "link"; readonly path: string; readonly inode: number }
  | { readonly kind: "unlink"; readonly path: string }
  | {
      readonly kind: "rename";
      readonly from: string;
      readonly to: string;
      readonly inode: number;
    }
  | { readonly kind: "make-directory"; readonly path: string }
  | { readonly kind: "sync-directory"; readonly path: string }
  /** null: removed. Lasts when it is done; until then it is there or not. */
  | { readonly kind: "set-entry"; readonly account: string; readonly value: Uint8Array | null };

/** What happened, in order. Power may fail at any point between two of these. */
export type DiskEvent<Mark> =
  | { readonly kind: "begun"; readonly operation: DiskOperation; readonly number: number }
  | { readonly kind: "done"; readonly number: number }
  /** Something that the one who uses the disk has begun, or has said to be done. */
  | { readonly kind: "mark"; readonly mark: Mark };

/** All that happened to a disk since it was found as `start`. */
export interface DiskHistory<Mark> {
  readonly start: DiskImage;
  readonly events: readonly DiskEvent<Mark>[];
}

/** An empty disk with one directory. */
export function emptyDisk(directory: string): DiskImage {
  return { files: new Map(), directories: new Set([directory]), entries: new Map() };
}
