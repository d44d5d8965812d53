import { dirname } from "node:path";
import type { DiskEvent, DiskHistory, DiskImage, DiskOperation } from "./operations.ts";

/** An operation that may have reached the disk or not. */
export interface PendingOperation {
  readonly operation: Exclude<DiskOperation, { kind: "sync" | "sync-directory" }>;
  /** Of a write: what a later, durable one has written over for good, as pairs of first byte and end. */
  readonly overwritten: readonly (readonly [from: number, to: number])[];
}

/** What is on a disk for good, and what else may be. */
export interface UncertainDisk {
  readonly inodes: ReadonlyMap<number, Uint8Array>;
  readonly names: ReadonlyMap<string, number>;
  readonly directories: ReadonlySet<string>;
  readonly entries: ReadonlyMap<string, Uint8Array>;
  /** In the order in which they were begun. */
  readonly pending: readonly PendingOperation[];
}

interface Waiting {
  operation: PendingOperation["operation"];
  readonly overwritten: (readonly [number, number])[];
  isDone: boolean;
  /** A sync of it has failed: the system won't try again. */
  isGivenUp: boolean;
}

/** Follows a history, and knows at each point what a power cut leaves to chance. */
export interface DiskTracker<Mark> {
  take(event: DiskEvent<Mark>): void;
  readonly disk: UncertainDisk;
}

/**
 * POSIX promises this and no more: what was written before fsync began is on the disk when it returns; so are the names of a directory
 * when it was synced. Everything else may have been stored or not, in any order.
 */
export function trackDisk<Mark>({ start }: DiskHistory<Mark>): DiskTracker<Mark> {
  const inodes = new Map<number, Uint8Array>();
  const names = new Map<string, number>();
  const directories = new Set(start.directories);
  const entries = new Map(start.entries);
  let waiting: Waiting[] = [];
  const begun = new Map<
    number,
    { readonly operation: DiskOperation; readonly covers: Waiting[] }
  >();
  for (const [path, bytes] of start.files) {
    names.set(path, inodes.size);
    inodes.set(inodes.size, bytes);
  }

  const settle = (item: Waiting) => {
    const { operation } = item;
    if (operation.kind === "write") {
      const { inode, at, bytes } = operation;
      const earlier = waiting.slice(0, waiting.indexOf(item)).filter((other) => isOf(other, inode));
      for (const other of earlier) {
        // A size that the write was made on is stored with it.
        if (other.operation.kind === "truncate") settle(other);
        else other.overwritten.push([at, at + bytes.length]);
      }
    }
    if (operation.kind === "truncate") {
      // What lay behind the new end will not come any more.
      const { inode, sizeBytes } = operation;
      const earlier = waiting.slice(0, waiting.indexOf(item)).filter((other) => isOf(other, inode));
      const gone = earlier.filter((other) => !shorten(other, sizeBytes));
      waiting = waiting.filter((other) => !gone.includes(other));
    }
    const disk = { inodes, names, directories, entries };
    applyWhole(disk, operation, item.overwritten);
    waiting = waiting.filter((other) => other !== item);
  };

  return {
    take(event) {
      if (event.kind === "begun") {
        const { number, operation } = event;
        if (operation.kind === "sync" || operation.kind === "sync-directory") {
          const covers = waiting.filter(
            (item) => item.isDone && !item.isGivenUp && isCovered(item, operation),
          );
          begun.set(number, { operation, covers });
        } else {
          const item = { operation, overwritten: [], isDone: false, isGivenUp: false };
          waiting.push(item);
          begun.set(number, { operation, covers: [item] });
        }
      } else if (event.kind === "done") {
        const { operation, covers } = begun.get(event.number) ?? fail();
        begun.delete(event.number);
        for (const item of covers) item.isDone = true;
        if (operation.kind === "sync" && operation.fails) {
          for (const item of covers) item.isGivenUp = true;
          return;
        }
        const lasts =
          operation.kind === "sync" ||
          operation.kind === "sync-directory" ||
          operation.kind === "set-entry" ||
          (operation.kind === "write" && operation.isDurable);
        if (lasts) for (const item of covers) if (waiting.includes(item)) settle(item);
      }
    },
    get disk() {
      return { inodes, names, directories, entries, pending: waiting };
    },
  };
}

function isOf({ operation }: Waiting, inode: number): boolean {
  return (operation.kind === "write" || operation.kind === "truncate") && operation.inode === inode;
}

/** Leaves of a write what lies in a file that was cut off since. @returns false when that is nothing */
function shorten(item: Waiting, sizeBytes: number): boolean {
  const { operation } = item;
  if (operation.kind !== "write") return false;
  const bytes = operation.bytes.subarray(0, Math.max(0, sizeBytes - operation.at));
  item.operation = { ...operation, bytes };
  return bytes.length > 0;
}

function isCovered(
  item: Waiting,
  sync: Extract<DiskOperation, { kind: "sync" | "sync-directory" }>,
): boolean {
  if (sync.kind === "sync") return isOf(item, sync.inode);
  const { operation } = item;
  switch (operation.kind) {
    case "link":
    case "unlink":
    case "make-directory":
      return dirname(operation.path) === sync.path;
    case "rename":
      return dirname(operation.to) === sync.path;
    default:
      return false;
  }
}

/** A disk that can be changed. */
export interface OpenDisk {
  readonly inodes: Map<number, Uint8Array>;
  readonly names: Map<string, number>;
  readonly directories: Set<string>;
  readonly entries: Map<string, Uint8Array>;
}

/** Carries an operation out to its end, but for what was written over since. */
export function applyWhole(
  disk: OpenDisk,
  operation: PendingOperation["operation"],
  overwritten: PendingOperation["overwritten"] = [],
): void {
  const { inodes, names, directories, entries } = disk;
  switch (operation.kind) {
    case "write": {
      const { at, bytes, inode } = operation;
      writeRange(disk, { inode, at, bytes, overwritten });
      return;
    }
    case "truncate":
      inodes.set(operation.inode, resized(contentOf(disk, operation.inode), operation.sizeBytes));
      return;
    case "link":
      names.set(operation.path, operation.inode);
      return;
    case "unlink":
      names.delete(operation.path);
      return;
    case "rename":
      if (names.get(operation.from) === operation.inode) names.delete(operation.from);
      names.set(operation.to, operation.inode);
      return;
    case "make-directory":
      directories.add(operation.path);
      return;
    case "set-entry":
      if (operation.value === null) entries.delete(operation.account);
      else entries.set(operation.account, operation.value);
  }
}

/** Bytes for a place in a file, which grows if it must. */
export function writeRange(
  disk: OpenDisk,
  write: {
    readonly inode: number;
    readonly at: number;
    readonly bytes: Uint8Array;
    readonly overwritten: PendingOperation["overwritten"];
  },
): void {
  const { inode, at, bytes, overwritten } = write;
  const before = contentOf(disk, inode);
  const after = resized(before, Math.max(before.length, at + bytes.length));
  after.set(bytes, at);
  for (const [from, to] of overwritten) {
    // What was written over later is on the disk already.
    const first = Math.max(from, at);
    const end = Math.min(to, at + bytes.length);
    if (first < end) after.set(before.subarray(first, end), first);
  }
  disk.inodes.set(inode, after);
}

/** A file's content with another length; what is new is zeros. */
export function resized(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const copy = new Uint8Array(sizeBytes);
  copy.set(bytes.subarray(0, sizeBytes));
  return copy;
}

/** What a file holds; nothing, when nothing has reached the disk. */
export function contentOf(
  { inodes }: { readonly inodes: ReadonlyMap<number, Uint8Array> },
  inode: number,
): Uint8Array {
  return inodes.get(inode) ?? new Uint8Array();
}

/** Whether a file can be found under its name, and as what. */
export function imageOf(disk: OpenDisk): DiskImage {
  const isThere = (path: string): boolean => disk.directories.has(dirname(path));
  return {
    files: new Map(
      [...disk.names]
        .filter(([path]) => isThere(path))
        .map(([path, inode]) => [path, contentOf(disk, inode)]),
    ),
    directories: disk.directories,
    entries: disk.entries,
  };
}

function fail(): never {
  throw new Error("done before it was begun");
}
