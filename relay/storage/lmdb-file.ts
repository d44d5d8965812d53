import { closeSync, fstatSync, fsyncSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "#protocol";

// lmdb 3.5.6 ends the whole process (SIGSEGV, SIGBUS) when its file is none, so it is looked at first. This is no check of the
// contents: it keeps what was overwritten, emptied or cut off from being opened.

/** The first two pages describe the file. Source: LMDB's mdb.c, struct MDB_meta behind a page header of 24 bytes. */
const metaPages = 2;
const headerBytes = 24;
const magic = 0xbeefc0de;
const at = {
  magic: headerBytes,
  /** Of the free-list tree, its first field. */
  pageSize: headerBytes + 24,
  freeRoot: headerBytes + 24 + 40,
  mainRoot: headerBytes + 24 + 48 + 40,
  transactionId: headerBytes + 24 + 96 + 8,
} as const;
const describedBytes = at.transactionId + 8;
/** The root of an empty tree. */
const noPage = 0xffff_ffff_ffff_ffffn;

/**
 * Looks whether `data.mdb` in `directory` can be opened.
 *
 * @throws AppError `relay-start-failed` with `data.reason` "folder-damaged"
 */
export function checkLmdbFile(directory: string): void {
  let file: number;
  try {
    file = openSync(join(directory, "data.mdb"), "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  try {
    if (!isWhole(file, fstatSync(file).size)) {
      throw new AppError("relay-start-failed", { data: { reason: "folder-damaged" } });
    }
  } finally {
    closeSync(file);
  }
}

/** Makes the names in a folder durable. Windows keeps them with the files and opens no folder. */
export function syncFolder(directory: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(directory, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function isWhole(file: number, sizeBytes: number): boolean {
  const first = readMeta(file, 0);
  const pageSize = first?.pageSize ?? 0;
  const second = readMeta(file, pageSize);
  if (first === null || second?.pageSize !== pageSize) return false;
  const newest = second.transactionId > first.transactionId ? second : first;
  const pages = BigInt(Math.floor(sizeBytes / pageSize));
  return pages >= metaPages && newest.roots.every((root) => root === noPage || root < pages);
}

function readMeta(file: number, position: number) {
  const page = Buffer.alloc(describedBytes);
  if (readSync(file, page, 0, describedBytes, position) < describedBytes) return null;
  if (page.readUInt32LE(at.magic) !== magic) return null;
  const pageSize = page.readUInt32LE(at.pageSize);
  // A power of two, 256 bytes to 64 KiB.
  if (pageSize < 256 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return null;
  return {
    pageSize,
    transactionId: page.readBigUInt64LE(at.transactionId),
    roots: [page.readBigUInt64LE(at.freeRoot), page.readBigUInt64LE(at.mainRoot)],
  };
}
