import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { open, type RootDatabase } from "lmdb";
import { AppError } from "#protocol";
import { checkLmdbFile, syncFolder } from "./lmdb-file.ts";
import { createTopics } from "./topics.ts";
import type { Change, RelayStorage, StorageKey } from "./port.ts";

/*
 * Durability. lmdb-js has two ways to commit. With `overlappingSync` (its default off Windows) a transaction becomes visible first
 * and is synced later: another device could read an entry that a power cut then takes back, and its sequence number would be given
 * out a second time. It is off here, so that LMDB's own order holds: pages written, fdatasync, then the meta page through an
 * O_DSYNC descriptor, then visible (seen with strace: one fdatasync per transaction). Its asynchronous transactions run on another
 * thread, but a failed write there leaves their promises pending for ever (lmdb 3.5.6 on a full disk), so commits are synchronous
 * and throw. Commits that wait together share one transaction, hence one sync.
 *
 * What remains of a deleted value. LMDB never overwrites a page that a reader might see: the pages of a deleted value go onto a
 * free list and are overwritten when a later transaction takes them. Until then, and in copies that a file system or flash
 * controller made, the bytes can be found by whoever has the disk. They are MLS ciphertext: without the keys, which members
 * destroy, they say nothing but their size.
 */

interface Waiting {
  readonly change: Change;
  readonly resolve: (outcome: "committed" | "conflict") => void;
  readonly reject: (error: AppError) => void;
}

/**
 * Opens (or makes) the LMDB environment of a relay that is one process on one machine.
 *
 * @param directory - made with access for its owner only
 * @throws AppError `relay-start-failed`: the folder can't be used, or another relay is using it
 */
export function openLmdbStorage(directory: string): RelayStorage {
  const database = openAlone(directory);
  const topics = createTopics();
  let waiting: Waiting[] = [];
  let closed = false;

  const guard = <Result>(work: () => Result): Result => {
    if (closed) throw new AppError("relay-storage-failed", { data: { reason: "closed" } });
    try {
      return work();
    } catch (cause) {
      throw new AppError("relay-storage-failed", { cause });
    }
  };

  const later = <Result>(work: () => Result): Promise<Result> =>
    new Promise((resolve) => {
      resolve(guard(work));
    });

  const holds = ({ checks }: Change): boolean =>
    checks.every(({ key, revision }) =>
      revision === null ? !database.doesExist(key) : database.doesExist(key, revision),
    );

  const flush = (): void => {
    const together = waiting;
    waiting = [];
    try {
      const outcomes = guard(() =>
        database.transactionSync(() => {
          const revision = database.getWriteTxnId();
          return together.map(({ change }) => {
            if (!holds(change)) return "conflict";
            for (const { key, value } of change.writes) {
              if (value === null) database.removeSync(key);
              else void database.put(key, value, revision);
            }
            return "committed";
          });
        }),
      );
      together.forEach(({ resolve }, index) => {
        resolve(outcomes[index] ?? "conflict");
      });
    } catch (error) {
      for (const { reject } of together) reject(error as AppError);
    }
  };

  return {
    read: (keys) =>
      later(() =>
        keys.map((key) => {
          const entry = database.getEntry(key);
          return entry === undefined
            ? undefined
            : { bytes: entry.value, revision: entry.version ?? 0 };
        }),
      ),
    list: ({ prefix, after, limit }) =>
      later(() => {
        const range = database.getRange({
          start: after !== null && after > prefix ? after : prefix,
          end: keyBehind(prefix),
          // One more, because the range begins with `after` itself when that is there.
          limit: limit + 1,
        });
        return Array.from(range, ({ key, value }) => ({ key, bytes: value }))
          .filter(({ key }) => after === null || key > after)
          .slice(0, limit);
      }),
    commit: (change) =>
      new Promise((resolve, reject) => {
        waiting.push({ change, resolve, reject });
        // After the requests of this turn, so that they share a transaction.
        if (waiting.length === 1) setImmediate(flush);
      }),
    announce: topics.announce,
    subscribe: topics.subscribe,
    close: async () => {
      if (closed) return;
      if (waiting.length > 0) flush();
      closed = true;
      await database.close();
    },
  };
}

/** The first key behind all keys that begin with `prefix`. */
function keyBehind(prefix: StorageKey): StorageKey {
  const last = prefix.charCodeAt(prefix.length - 1);
  return (prefix.slice(0, -1) + String.fromCharCode(last + 1)) as StorageKey;
}

function openAlone(directory: string): RootDatabase<Uint8Array, StorageKey> {
  let database: RootDatabase<Uint8Array, StorageKey>;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    checkLmdbFile(directory);
    database = open<Uint8Array, StorageKey>(directory, {
      encoding: "binary",
      overlappingSync: false,
      useVersions: true,
      // Without this a folder with a dot in its name is taken for a file.
      noSubdir: false,
    });
    // A new file is only there for good when the folder that names it is synced too; LMDB leaves that to us.
    syncFolder(directory);
    syncFolder(dirname(directory));
    // Takes a slot in the table of readers, where another process finds us.
    database.get("meta.format" as StorageKey);
    database.readerCheck();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("relay-start-failed", { data: { reason: "folder" }, cause });
  }
  // LMDB serves many processes, but live delivery here stays inside one. The table of readers rests on locks that the system
  // releases when a process ends, so a crashed relay doesn't keep the folder.
  const processes = Array.from(database.readerList().matchAll(/^\s*(\d+) /gmu), ([, id]) => id);
  if (processes.some((id) => id !== String(process.pid))) {
    void database.close();
    throw new AppError("relay-start-failed", { data: { reason: "folder-in-use" } });
  }
  return database;
}
