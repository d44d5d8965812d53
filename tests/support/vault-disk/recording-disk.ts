import { dirname } from "node:path";
import { AppError } from "#protocol";
import type { Keychain } from "../../../electron/keychain/index.ts";
import type { OpenMode, VaultFile, VaultFiles } from "../../../electron/vault/index.ts";
import type { DiskEvent, DiskHistory, DiskImage, DiskOperation } from "./operations.ts";

/** A disk and a keychain in memory that write down all that is done to them. */
export interface RecordingDisk<Mark> {
  readonly files: VaultFiles;
  readonly keychain: Keychain;
  /** Writes down something of the user's own between the disk's events. */
  mark(mark: Mark): void;
  readonly history: DiskHistory<Mark>;
  /** As the running system sees it. */
  image(): DiskImage;
  /** The system has failed to sync a file. */
  failSync(path: string): void;
  /** Whether the keychain refuses. */
  isKeychainDenied: boolean;
}

/** What {@link createRecordingDisk} is made with. */
export interface RecordingDiskOptions {
  /** How many turns of the event loop an operation takes. Left out: none. */
  readonly turns?: () => number;
}

interface Inode {
  readonly number: number;
  /** Replaced at each change: images and readers share it. */
  bytes: Uint8Array;
}

/** @param start - what is on the disk, for good, when it is found */
export function createRecordingDisk<Mark>(
  start: DiskImage,
  { turns = () => 0 }: RecordingDiskOptions = {},
): RecordingDisk<Mark> {
  const events: DiskEvent<Mark>[] = [];
  const names = new Map<string, Inode>();
  const directories = new Set(start.directories);
  const entries = new Map(start.entries);
  let inodes = 0;
  let operations = 0;
  for (const [path, bytes] of start.files) {
    names.set(path, { number: inodes++, bytes });
  }

  /** The system's memory has it at once; the disk, when it has had its time. */
  const perform = async (operation: DiskOperation): Promise<void> => {
    const number = operations++;
    events.push({ kind: "begun", operation, number });
    for (let turn = turns(); turn > 0; turn--) await new Promise(setImmediate);
    events.push({ kind: "done", number });
  };

  const find = (path: string): Inode => {
    const inode = names.get(path);
    if (inode === undefined) throw failure("ENOENT", path);
    return inode;
  };

  const open = (inode: Inode): VaultFile => {
    const write = (bytes: Uint8Array, at: number, isDurable: boolean) => {
      inode.bytes = resized(inode.bytes, Math.max(inode.bytes.length, at + bytes.length));
      inode.bytes.set(bytes, at);
      const copy = Uint8Array.from(bytes);
      return perform({ kind: "write", inode: inode.number, at, bytes: copy, isDurable });
    };
    return {
      sizeBytes: () => Promise.resolve(inode.bytes.length),
      read: async (target, at) => {
        await Promise.resolve();
        const found = inode.bytes.subarray(at, at + target.length);
        target.set(found);
        return found.length;
      },
      write: (bytes, at) => write(bytes, at, false),
      writeDurably: (bytes, at) => write(bytes, at, true),
      sync: () => perform({ kind: "sync", inode: inode.number, fails: false }),
      truncate: (sizeBytes) => {
        inode.bytes = resized(inode.bytes, sizeBytes);
        return perform({ kind: "truncate", inode: inode.number, sizeBytes });
      },
      close: () => Promise.resolve(),
    };
  };

  const makeDirectory = async (path: string): Promise<void> => {
    if (directories.has(path)) return;
    await makeDirectory(dirname(path));
    directories.add(path);
    await perform({ kind: "make-directory", path });
  };

  const openFor: Readonly<Record<OpenMode, (path: string) => Promise<Inode>>> = {
    async create(path) {
      const there = names.get(path);
      if (there === undefined) return openFor["create-new"](path);
      there.bytes = new Uint8Array();
      await perform({ kind: "truncate", inode: there.number, sizeBytes: 0 });
      return there;
    },
    async "create-new"(path) {
      if (names.has(path)) throw failure("EEXIST", path);
      if (!directories.has(dirname(path))) throw failure("ENOENT", path);
      const inode = { number: inodes++, bytes: new Uint8Array() };
      names.set(path, inode);
      await perform({ kind: "link", path, inode: inode.number });
      return inode;
    },
    modify: (path) => Promise.resolve(find(path)),
  };

  const disk: RecordingDisk<Mark> = {
    files: {
      async list(directory) {
        await Promise.resolve();
        if (!directories.has(directory)) throw failure("ENOENT", directory);
        const inside = [...names.keys(), ...directories].filter(
          (path) => dirname(path) === directory && path !== directory,
        );
        return inside.map((path) => path.slice(directory.length + 1));
      },
      makeDirectory,
      async read(path) {
        await Promise.resolve();
        return find(path).bytes;
      },
      open: async (path, mode) => open(await openFor[mode](path)),
      async rename(from, to) {
        await Promise.resolve();
        const inode = find(from);
        names.delete(from);
        names.set(to, inode);
        await perform({ kind: "rename", from, to, inode: inode.number });
      },
      async remove(path) {
        if (!names.delete(path)) return;
        await perform({ kind: "unlink", path });
      },
      syncDirectory: (path) => perform({ kind: "sync-directory", path }),
    },
    keychain: {
      backend: "memory (unsafe)",
      get(account) {
        if (disk.isKeychainDenied) return Promise.reject(new AppError("keychain-denied"));
        const value = entries.get(account);
        return Promise.resolve(value === undefined ? null : Uint8Array.from(value));
      },
      async set(account, value) {
        if (disk.isKeychainDenied) throw new AppError("keychain-denied");
        const copy = Uint8Array.from(value);
        entries.set(account, copy);
        await perform({ kind: "set-entry", account, value: copy });
      },
      async delete(account) {
        if (disk.isKeychainDenied) throw new AppError("keychain-denied");
        entries.delete(account);
        await perform({ kind: "set-entry", account, value: null });
      },
    },
    isKeychainDenied: false,
    failSync(path) {
      const inode = names.get(path);
      if (inode !== undefined) void perform({ kind: "sync", inode: inode.number, fails: true });
    },
    mark(mark) {
      events.push({ kind: "mark", mark });
    },
    history: { start, events },
    image: () => ({
      files: new Map(Array.from(names, ([path, { bytes }]) => [path, bytes])),
      directories: new Set(directories),
      entries: new Map(entries),
    }),
  };
  return disk;
}

function resized(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const copy = new Uint8Array(sizeBytes);
  copy.set(bytes.subarray(0, sizeBytes));
  return copy;
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
