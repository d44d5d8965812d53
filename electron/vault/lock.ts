import { join } from "node:path";
import * as v from "valibot";
import { AppError, type ErrorCode } from "#protocol";
import type { Clock } from "../link/index.ts";
import { fileErrorCode, isWriteProtected, mapWriteError } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { lockName } from "./names.ts";
import type { ProcessIdentity, ProcessTable } from "./process-identity.ts";

/** The right to use a vault's directory. */
export interface VaultLock {
  /** Why the lock could not be written: nobody has it, and the vault can be read; null: it is ours. */
  readonly unwritable: ErrorCode | null;
  release(): Promise<void>;
}

/** What {@link acquireLock} needs. */
export interface LockPorts {
  readonly files: VaultFiles;
  readonly processes: ProcessTable;
  readonly clock: Clock;
}

const ownerSchema = v.object({
  pid: v.number(),
  boot: v.string(),
  namespace: v.string(),
  started: v.string(),
});

const attempts = 5;
/** How long a lock may stand without its owner's name in it, milliseconds. */
const namelessMs = 250;

/**
 * Takes the lock of a vault: a file that names the process which has it. One left by a process that is gone is taken over.
 *
 * @throws AppError `vault-in-use`
 */
export async function acquireLock(ports: LockPorts, directory: string): Promise<VaultLock> {
  const { files, processes } = ports;
  const path = join(directory, lockName);
  const self = await processes.self();
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      if (await createLock(files, path, self)) {
        return {
          unwritable: null,
          release: async () => {
            // One that can't be read is still ours; only what clearly names another stays.
            const owner = await readOwner(files, path).catch(() => self);
            if (isSameOwner(owner, self)) await files.remove(path);
          },
        };
      }
      const owner = await readNamedOwner(ports, path);
      if (owner !== null && (await processes.mayRun(owner))) break;
      await removeStale(ports, path, self);
    } catch (error) {
      if (error instanceof AppError) throw error;
      const unwritable = isWriteProtected(error) ? "vault-read-only" : mapWriteError(error).code;
      return { unwritable, release: () => Promise.resolve() };
    }
  }
  throw new AppError("vault-in-use");
}

/** @returns false when somebody's lock is there */
async function createLock(
  files: VaultFiles,
  path: string,
  self: ProcessIdentity,
): Promise<boolean> {
  let file;
  try {
    file = await files.open(path, "create-new");
  } catch (error) {
    if (fileErrorCode(error) === "EEXIST") return false;
    throw error;
  }
  try {
    try {
      await file.write(new TextEncoder().encode(JSON.stringify(self)), 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    await files.remove(path);
    throw error;
  }
  return true;
}

/** @returns null when there is no lock or it names nobody */
async function readOwner(files: VaultFiles, path: string): Promise<ProcessIdentity | null> {
  try {
    const text = new TextDecoder().decode(await files.read(path));
    return v.parse(ownerSchema, JSON.parse(text));
  } catch (error) {
    const isContentAtFault = error instanceof SyntaxError || v.isValiError(error);
    if (isContentAtFault || fileErrorCode(error) === "ENOENT") return null;
    throw error;
  }
}

/** As {@link readOwner}, but gives one that was made just now the time to get its owner's name. */
async function readNamedOwner(ports: LockPorts, path: string): Promise<ProcessIdentity | null> {
  const owner = await readOwner(ports.files, path);
  if (owner !== null) return owner;
  await new Promise<void>((resolve) => void ports.clock.setTimeout(resolve, namelessMs));
  return readOwner(ports.files, path);
}

/**
 * Takes a dead owner's lock away. One process at a time may do so, so that what was looked at is what is removed: a lock that is there
 * belongs to that owner until it is, and then to whoever makes the next one.
 *
 * @throws AppError `vault-in-use` when another process is about it
 */
async function removeStale(ports: LockPorts, path: string, self: ProcessIdentity): Promise<void> {
  const { files, processes } = ports;
  const taking = `${path}.taking`;
  if (!(await createLock(files, taking, self))) {
    const other = await readNamedOwner(ports, taking);
    if (other !== null && (await processes.mayRun(other))) throw new AppError("vault-in-use");
    await files.remove(taking);
    return;
  }
  try {
    if (!(await isThere(files, path))) return;
    const owner = await readNamedOwner(ports, path);
    if (owner === null || !(await processes.mayRun(owner))) await files.remove(path);
  } finally {
    await files.remove(taking);
  }
}

async function isThere(files: VaultFiles, path: string): Promise<boolean> {
  try {
    await files.read(path);
    return true;
  } catch (error) {
    if (fileErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}

function isSameOwner(left: ProcessIdentity | null, right: ProcessIdentity | null): boolean {
  return (
    left !== null &&
    right !== null &&
    left.pid === right.pid &&
    left.boot === right.boot &&
    left.namespace === right.namespace &&
    left.started === right.started
  );
}
