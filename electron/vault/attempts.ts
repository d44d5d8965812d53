import { join } from "node:path";
import { crc32 } from "node:zlib";
import * as v from "valibot";
import { AppError, concatBytes, countSchema, decodeCbor, encodeCbor, parse } from "#protocol";
import { fileErrorCode, mapWriteError } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { uint32At, uint32Bytes } from "./headers.ts";

const fileName = "attempts";
const temporaryName = "attempts.new";
const maxFileBytes = 1024;
const checksumBytes = 4;

const second = 1000;
const minute = 60 * second;
/** What is waited after so many wrong tries in a row; the last one repeats. */
const waitsMs: readonly number[] = [
  0,
  0,
  0,
  0,
  0,
  30 * second,
  minute,
  5 * minute,
  15 * minute,
  60 * minute,
];

/** The content of the file. */
interface Stored {
  /** How many tries were begun since the last right one. */
  readonly tries: number;
  /** When the last one was begun, as {@link AttemptsOptions.uptimeMs} told it. */
  readonly atUptimeMs: number;
  /** After so many tries the vault is destroyed; null: never. Of the network's policy, which can't be read while the vault is locked. */
  readonly limit: number | null;
}

const storedSchema: v.GenericSchema<unknown, Stored> = v.strictObject({
  tries: countSchema,
  atUptimeMs: countSchema,
  limit: v.nullable(countSchema),
});

/** What {@link openAttempts} needs. */
export interface AttemptsOptions {
  /** The vault's. */
  readonly directory: string;
  readonly files: VaultFiles;
  /**
   * Milliseconds since the machine was started. Nobody can set this clock, and a restart of Sotto doesn't begin it anew. A restart of the
   * machine does, and then a wait goes on from there: it may get longer, never shorter.
   */
  readonly uptimeMs: () => number;
}

/** How often somebody has tried in vain to unlock a vault, and what follows from it (docs/adr/0017). */
export interface Attempts {
  /** How long no try is taken, milliseconds; 0: one is taken at once. */
  readonly waitMs: number;
  /** Tries that are left before the vault is to be destroyed; null: there is no limit, or nothing can be destroyed where nothing can be written. */
  readonly left: number | null;
  /**
   * Counts a try, on disk, before it is made: whoever ends the process in the middle of it has used it up all the same. Where nothing can be
   * written it is counted in memory, until this process ends: the vault is opened for reading at most.
   *
   * @throws AppError `unlock-delayed`
   */
  begin(): Promise<void>;
  /** The try that was begun came to nothing for another reason than a wrong secret. @throws AppError `disk-full` or `vault-write-failed` */
  takeBack(): Promise<void>;
  /** It was right. @throws AppError as {@link takeBack} */
  clear(): Promise<void>;
  /** @throws AppError as {@link takeBack} */
  setLimit(limit: number | null): Promise<void>;
}

/**
 * Reads what is known of earlier tries. No file: there were none. A file that can't be read or believed: as many as the longest wait
 * stands for, from now on; that destroys nothing, because a bit that has flipped is no attempt.
 */
export async function openAttempts(options: AttemptsOptions): Promise<Attempts> {
  const { directory, files, uptimeMs } = options;
  const now = (): number => Math.floor(uptimeMs());
  let stored: Stored = { tries: 0, atUptimeMs: 0, limit: null };
  /** The state before the try that is under way. */
  let before: Stored | null = null;
  /** The last state could not be written: it is in memory alone. */
  let isUnwritten = false;

  const write = async (next: Stored): Promise<void> => {
    await writeStored(files, directory, next);
    isUnwritten = false;
    stored = next;
  };
  /** As {@link write}, for the end of a try: in memory alone where it was begun so. */
  const settle = async (next: Stored): Promise<void> => {
    await write(next).catch((error: unknown) => {
      if (!isUnwritten) throw error;
      stored = next;
    });
  };
  // Another process may have written meanwhile, or somebody by hand.
  const refresh = async (): Promise<void> => {
    // What the disk would say is older than what is known.
    if (isUnwritten) return;
    const read = await readStored(files, directory);
    if (read !== "damaged") {
      stored = read ?? { tries: 0, atUptimeMs: 0, limit: null };
      return;
    }
    stored = { tries: waitsMs.length - 1, atUptimeMs: now(), limit: null };
    // So that the wait doesn't begin anew at each look.
    await writeStored(files, directory, stored).catch(() => {
      isUnwritten = true;
    });
  };
  const waitMs = (): number =>
    Math.max(0, waitAfter(stored.tries) - elapsedMs(stored.atUptimeMs, now()));

  let last: Promise<unknown> = Promise.resolve();
  /** One after another: tries that are begun at the same moment are as many tries. */
  const inTurn = <Result>(task: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(task);
    last = turn.catch(() => undefined);
    return turn;
  };

  await refresh();
  return {
    get waitMs() {
      return waitMs();
    },
    get left() {
      return stored.limit === null || isUnwritten ? null : Math.max(0, stored.limit - stored.tries);
    },
    begin: () =>
      inTurn(async () => {
        await refresh();
        if (waitMs() > 0) throw new AppError("unlock-delayed", { data: { waitMs: waitMs() } });
        const previous = stored;
        const next = { ...stored, tries: stored.tries + 1, atUptimeMs: now() };
        await write(next).catch(() => {
          isUnwritten = true;
          stored = next;
        });
        before = previous;
      }),
    takeBack: () =>
      inTurn(async () => {
        if (before !== null) await settle(before);
        before = null;
      }),
    clear: () =>
      inTurn(async () => {
        before = null;
        await settle({ ...stored, tries: 0 });
      }),
    setLimit: (limit) =>
      inTurn(async () => {
        if (limit !== stored.limit) await write({ ...stored, limit });
      }),
  };
}

function waitAfter(tries: number): number {
  return waitsMs[Math.min(tries, waitsMs.length - 1)] ?? 0;
}

/**
 * How much time has surely passed. The machine was restarted in between when its clock is behind now, and perhaps also when it is not; what it
 * has counted since is less than what has passed then, never more.
 */
function elapsedMs(fromUptimeMs: number, toUptimeMs: number): number {
  return toUptimeMs >= fromUptimeMs ? toUptimeMs - fromUptimeMs : toUptimeMs;
}

/** @returns null when there is no file */
async function readStored(
  files: VaultFiles,
  directory: string,
): Promise<Stored | "damaged" | null> {
  let file: Uint8Array;
  try {
    file = await files.read(join(directory, fileName));
  } catch (error) {
    return fileErrorCode(error) === "ENOENT" ? null : "damaged";
  }
  const body = file.subarray(checksumBytes);
  if (file.length < checksumBytes || uint32At(file, 0) !== crc32(body)) return "damaged";
  try {
    return parse(storedSchema, decodeCbor(body, maxFileBytes));
  } catch {
    return "damaged";
  }
}

/** CRC-32 of the body, body: canonical CBOR. Replaced whole. */
async function writeStored(files: VaultFiles, directory: string, stored: Stored): Promise<void> {
  const body = encodeCbor(stored);
  const temporary = join(directory, temporaryName);
  try {
    const file = await files.open(temporary, "create");
    try {
      await file.write(concatBytes(uint32Bytes(crc32(body)), body), 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, join(directory, fileName));
    await files.syncDirectory(directory);
  } catch (cause) {
    throw mapWriteError(cause);
  }
}
