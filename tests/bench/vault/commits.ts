import { close, fdatasync, fsyncSync, open, write, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import Database from "better-sqlite3-multiple-ciphers";
import { catalogue, message } from "./example.ts";
import { openLoggedVault, type LoggedVault } from "./logged-vault.ts";
import { median, round, timed } from "./measure.ts";

/*
 * Commits of the vault beside a bare write + fdatasync of the same bytes (appended, and over zeros as in the vault's log), and beside SQLCipher with the same statements (WAL,
 * synchronous=FULL), in turns and in the same directory, so that a disk whose mood changes is the same for all. The vault: real crypto
 * worker in its thread, SQL, sealing, log. SQLCipher works on this thread, which waits for the disk meanwhile.
 */

const blocks = 24;
const single = 60;
const together = 32;
const rounds = 20;

/** Something that commits, once or for {@link together} messages at a time. */
interface Contender {
  readonly one: () => Promise<unknown>;
  readonly group: () => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

async function startVault(root: string): Promise<Contender & Pick<LoggedVault, "logBytes">> {
  const { vault, ...log } = await openLoggedVault(root, catalogue);
  return {
    ...log,
    one: () => vault.transact(message()),
    group: () => Promise.all(Array.from({ length: together }, () => vault.transact(message()))),
  };
}

function startCipher(root: string): Contender {
  const database = new Database(join(root, "cipher.db"));
  database.pragma("cipher = 'sqlcipher'");
  // A raw key: nothing of this measures how a passphrase is stretched.
  database.pragma(`key = "x'${"07".repeat(32)}'"`);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  for (const migration of catalogue.migrations) database.exec(migration);
  const statements = new Map(
    Object.entries(catalogue.statements).map(([name, sql]) => [name, database.prepare(sql)]),
  );
  const commit = database.transaction((messages: number) => {
    for (let count = 0; count < messages; count++) {
      for (const { name, params } of message()) {
        // Numbered parameters go by their numbers.
        const byNumber = params.map((value, index) => [String(index + 1), value] as const);
        statements.get(name)?.run(Object.fromEntries<unknown>(byNumber));
      }
    }
  });
  const commitNow = (messages: number) => () => {
    commit(messages);
    return Promise.resolve();
  };
  return {
    one: commitNow(1),
    group: commitNow(together),
    close: () => Promise.resolve(database.close()),
  };
}

/**
 * Bare writes that are on the disk when they resolve, with as little around them as Node allows.
 *
 * @param reservedBytes - zeros that lie there before, as in the vault's log: a sync need not store a new size then
 */
async function startBare(
  path: string,
  bytes: { readonly one: number; readonly group: number },
  reservedBytes: number,
): Promise<Contender> {
  const descriptor = await promisify(open)(path, "w");
  writeSync(descriptor, new Uint8Array(reservedBytes), 0, reservedBytes, 0);
  fsyncSync(descriptor);
  let position = 0;
  const append = (sizeBytes: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const content = new Uint8Array(sizeBytes).fill(position);
      write(descriptor, content, 0, sizeBytes, position, (writeError) => {
        if (writeError !== null) {
          reject(writeError);
          return;
        }
        fdatasync(descriptor, (syncError) => {
          if (syncError === null) resolve();
          else reject(syncError);
        });
      });
      position += sizeBytes;
    });
  return {
    one: () => append(bytes.one),
    group: () => append(bytes.group),
    close: () => promisify(close)(descriptor),
  };
}

/** @param root - a directory on the disk that is measured */
export async function measureCommits(root: string): Promise<void> {
  const vault = await startVault(root);
  const repeat = async (work: () => Promise<unknown>, times: number) => {
    for (let count = 0; count < times; count++) await work();
  };
  // Warm, and learn how long the frames are.
  await repeat(vault.one, 8 * single);
  await repeat(vault.group, 4 * rounds);
  const bytesOf = async (work: () => Promise<unknown>, times: number) => {
    const before = vault.logBytes();
    await repeat(work, times);
    return Math.round((vault.logBytes() - before) / times);
  };
  const bytes = {
    one: await bytesOf(vault.one, single),
    group: await bytesOf(vault.group, rounds),
  };
  const allBytes = blocks * (single * bytes.one + rounds * bytes.group);
  const contenders = {
    vault,
    bare: await startBare(join(root, "bare"), bytes, 0),
    "bare, reserved": await startBare(join(root, "reserved"), bytes, allBytes),
    SQLCipher: startCipher(root),
  };
  const names = ["vault", "bare", "bare, reserved", "SQLCipher"] as const;
  const noTimes = () => ({
    vault: [] as number[],
    bare: [] as number[],
    "bare, reserved": [] as number[],
    SQLCipher: [] as number[],
  });
  const [one, group] = [noTimes(), noTimes()];
  for (let block = 0; block < blocks; block++) {
    for (const name of names) {
      const { one: once, group: at } = contenders[name];
      one[name].push((await timed(() => repeat(once, single))) / single);
      group[name].push((await timed(() => repeat(at, rounds))) / (rounds * together));
    }
  }
  for (const name of names) await contenders[name].close();

  /** Median of the blocks' own ratios: the sides of a block ran next to each other. */
  const ratio = (ours: readonly number[], theirs: readonly number[]) =>
    round(median(ours.map((value, index) => (theirs[index] ?? Number.NaN) / value)), 2);
  const row = (times: typeof one) => ({
    ...Object.fromEntries(
      names.map((name) => [`${name} /s`, Math.round(1000 / median(times[name]))]),
    ),
    "vault ÷ bare": ratio(times.vault, times.bare),
    "vault ÷ bare, reserved": ratio(times.vault, times["bare, reserved"]),
    "vault ÷ SQLCipher": ratio(times.vault, times.SQLCipher),
  });
  console.log(
    `Commits: ${String(bytes.one)} bytes each; ${String(blocks)} blocks in turns, medians; target ≥ 0.80 of bare appends, ≥ 1 of SQLCipher. The vault's log is reserved ahead, too.`,
  );
  console.table({
    "one at a time": row(one),
    [`${String(together)} at once, one sync for all`]: row(group),
  });
}
