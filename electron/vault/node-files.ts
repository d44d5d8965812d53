import { close, constants, fdatasync, fstat, fsync, ftruncate, open, read, write } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import type { OpenMode, VaultFile, VaultFiles } from "./files.ts";
import { insist } from "./insist.ts";

/**
 * On Linux a file can be opened so that each write is on the disk when it returns, as if fdatasync followed (O_DSYNC, open(2)): one turn
 * through the thread pool per commit instead of two. On macOS the flag leaves the data in the drive's cache, and Windows has none.
 */
const hasDurableWrites = process.platform === "linux";
const isWindows = process.platform === "win32";

const flags: Readonly<Record<OpenMode, string | number>> = {
  create: "w+",
  "create-new": "wx",
  modify: hasDurableWrites ? constants.O_RDWR | constants.O_DSYNC : "r+",
};

/** Readable and writable by this user alone. */
const fileMode = 0o600;
const directoryMode = 0o700;

type Done = (error: NodeJS.ErrnoException | null) => void;

/** Callbacks, not `node:fs/promises`: a file handle costs a commit twice as many turns of the event loop. */
function settled(begin: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    begin((error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

function openDescriptor(path: string, how: string | number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, how, fileMode, (error, descriptor) => {
      if (error === null) resolve(descriptor);
      else reject(error);
    });
  });
}

function writeOnce(descriptor: number, bytes: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, 0, bytes.length, position, (error, writtenBytes) => {
      if (error === null) resolve(writtenBytes);
      else reject(error);
    });
  });
}

function readOnce(descriptor: number, target: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, target, 0, target.length, position, (error, readBytes) => {
      if (error === null) resolve(readBytes);
      else reject(error);
    });
  });
}

class NodeFile implements VaultFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  sizeBytes(): Promise<number> {
    return new Promise((resolve, reject) => {
      fstat(this.#descriptor, (error, facts) => {
        if (error === null) resolve(facts.size);
        else reject(error);
      });
    });
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const more = await readOnce(this.#descriptor, target.subarray(filled), position + filled);
      if (more === 0) break;
      filled += more;
    }
    return filled;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      // A disk that fills up takes a part first; the rest then fails with its reason.
      written += await writeOnce(this.#descriptor, bytes.subarray(written), position + written);
    }
  }

  async writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    await this.write(bytes, position);
    if (!hasDurableWrites) await this.sync();
  }

  sync(): Promise<void> {
    return settled((done) => {
      fdatasync(this.#descriptor, done);
    });
  }

  truncate(sizeBytes: number): Promise<void> {
    return settled((done) => {
      ftruncate(this.#descriptor, sizeBytes, done);
    });
  }

  close(): Promise<void> {
    return settled((done) => {
      close(this.#descriptor, done);
    });
  }
}

async function syncFile(path: string): Promise<void> {
  const file = new NodeFile(await openDescriptor(path, flags.modify));
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The disk. */
export const nodeFiles: VaultFiles = {
  list: (directory) => readdir(directory),
  async makeDirectory(directory) {
    await mkdir(directory, { recursive: true, mode: directoryMode });
  },
  read: (path) => readFile(path),
  async open(path, mode) {
    return new NodeFile(await openDescriptor(path, flags[mode]));
  },
  async rename(from, to) {
    if (!isWindows) return rename(from, to);
    await insist(() => rename(from, to));
    // Windows opens no directories to sync them. What a file's own sync writes is NTFS's journal up to here, the new name in it.
    await insist(() => syncFile(to));
  },
  remove: (path) => {
    const removing = () => rm(path, { force: true });
    return isWindows ? insist(removing) : removing();
  },
  async syncDirectory(directory) {
    if (isWindows) return;
    const descriptor = await openDescriptor(directory, "r");
    try {
      await settled((done) => {
        fsync(descriptor, done);
      });
    } finally {
      await settled((done) => {
        close(descriptor, done);
      });
    }
  },
};
