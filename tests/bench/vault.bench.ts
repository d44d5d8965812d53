import { close, fdatasync, mkdtempSync, open, readFileSync, rmSync, write } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { unsafeMemoryKeychain } from "../../electron/keychain/index.ts";
import { frameAt, frameEnd } from "../../electron/vault/frames.ts";
import { generationHeaderBytes } from "../../electron/vault/headers.ts";
import { createVault, type Statement, type VaultCatalogue } from "../../electron/vault/index.ts";
import { createCryptoWorker, threadSpawner } from "../../electron/worker/index.ts";
import { systemClock } from "../support/fake-clock.ts";

/*
 * Commits of the vault beside a bare write + fdatasync of the same bytes, in turns and in the same directory, so that a
 * disk whose mood changes is the same for both. The vault: real crypto worker in its thread, SQL, sealing, log. Bare: the same number of
 * bytes appended to a file.
 *
 * SOTTO_BENCH_DIRECTORY chooses the disk (default: the system's temporary directory).
 */

const blocks = 24;
const single = 60;
const together = 32;
const rounds = 20;

/** What taking a message writes: its row with a sealed body, a piece of group state, the cursor. */
const catalogue: VaultCatalogue = {
  schemaVersion: 1,
  migrations: [
    `CREATE TABLE messages (id TEXT PRIMARY KEY, conversation TEXT, ord INTEGER, sent_ms INTEGER, body BLOB) STRICT, WITHOUT ROWID;
     CREATE UNIQUE INDEX messages_by_order ON messages (conversation, ord);
     CREATE TABLE pieces (conversation TEXT, name TEXT, sealed BLOB, PRIMARY KEY (conversation, name)) STRICT, WITHOUT ROWID;
     CREATE TABLE cursors (conversation TEXT PRIMARY KEY, cursor INTEGER) STRICT, WITHOUT ROWID;`,
  ],
  statements: {
    message: `INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5)`,
    piece: `INSERT INTO pieces VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET sealed = ?3`,
    cursor: `INSERT INTO cursors VALUES (?1, ?2) ON CONFLICT DO UPDATE SET cursor = ?2`,
  },
  queries: {},
};

let number = 0;
function message(): Statement[] {
  number += 1;
  const conversation = "c2l4dGVlbiBieXRlcyBv";
  return [
    {
      name: "message",
      params: [
        `${"m".repeat(35)}${String(number).padStart(8, "0")}`,
        conversation,
        number,
        1_750_000_000_000 + number,
        new Uint8Array(300).fill(number),
      ],
    },
    { name: "piece", params: [conversation, "ratchet", new Uint8Array(400).fill(number)] },
    { name: "cursor", params: [conversation, number] },
  ];
}

const openFile = promisify(open);
const closeFile = promisify(close);

/** A bare append that is on the disk when it resolves, with as little around it as Node allows. */
function appendTo(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, 0, bytes.length, position, (writeError) => {
      if (writeError !== null) {
        reject(writeError);
        return;
      }
      fdatasync(descriptor, (syncError) => {
        if (syncError === null) resolve();
        else reject(syncError);
      });
    });
  });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function median(values: readonly number[]): number {
  return (
    [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN
  );
}

const root = mkdtempSync(join(process.env["SOTTO_BENCH_DIRECTORY"] ?? tmpdir(), "sotto-bench-"));
const directory = join(root, "vault");
const worker = createCryptoWorker({
  clock: systemClock,
  spawn: threadSpawner(new URL("../../crypto/worker.ts", import.meta.url)),
});
await worker.call("start", {});
const vault = await createVault({
  directory,
  worker,
  keychain: unsafeMemoryKeychain(),
  passphrase: null,
  catalogue,
  clock: systemClock,
  // No compaction in between: it is another measurement.
  compaction: { logBytes: Infinity, minimumLogBytes: Infinity, snapshotRatio: Infinity },
});
/** Where the log's last frame ends: the file itself grows in larger steps. */
const logBytes = () => {
  const log = readFileSync(join(directory, "log.1"));
  let end = generationHeaderBytes;
  for (let frame = frameAt(log, end); frame !== null; frame = frameAt(log, end)) {
    end = frameEnd(frame);
  }
  return end;
};
const bare = await openFile(join(root, "bare"), "w");
let position = 0;
const bareAppend = async (sizeBytes: number) => {
  await appendTo(bare, new Uint8Array(sizeBytes).fill(position), position);
  position += sizeBytes;
};

async function vaultOneByOne(): Promise<void> {
  for (let count = 0; count < single; count++) await vault.transact(message());
}
async function vaultTogether(): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await Promise.all(Array.from({ length: together }, () => vault.transact(message())));
  }
}

// Warm up, and learn how long the frames are.
await vaultOneByOne();
await vaultTogether();
let before = logBytes();
await vaultOneByOne();
const frameBytes = Math.round((logBytes() - before) / single);
before = logBytes();
await vaultTogether();
const groupBytes = Math.round((logBytes() - before) / rounds);

const results = {
  single: { vault: [] as number[], bare: [] as number[] },
  group: { vault: [] as number[], bare: [] as number[], bareEach: [] as number[] },
};
for (let block = 0; block < blocks; block++) {
  results.single.vault.push((await timed(vaultOneByOne)) / single);
  results.single.bare.push(
    (await timed(async () => {
      for (let count = 0; count < single; count++) await bareAppend(frameBytes);
    })) / single,
  );
  results.group.vault.push((await timed(vaultTogether)) / (rounds * together));
  results.group.bare.push(
    (await timed(async () => {
      for (let round = 0; round < rounds; round++) await bareAppend(groupBytes);
    })) /
      (rounds * together),
  );
  results.group.bareEach.push(
    (await timed(async () => {
      for (let count = 0; count < together; count++) await bareAppend(frameBytes);
    })) / together,
  );
}
await vault.close();
await worker.dispose();
await closeFile(bare);
rmSync(root, { recursive: true });

const perSecond = (milliseconds: readonly number[]) => Math.round(1000 / median(milliseconds));
/** Median of the blocks' own ratios: the two sides of a block ran next to each other. */
const ratio = (ours: readonly number[], theirs: readonly number[]) =>
  median(ours.map((value, index) => (theirs[index] ?? Number.NaN) / value)).toFixed(2);

console.log(
  `${String(frameBytes)} bytes per commit; ${String(blocks)} blocks in turns, medians; target ≥ 0.80 of bare`,
);
console.table({
  "one at a time": {
    "vault commits/s": perSecond(results.single.vault),
    "bare commits/s": perSecond(results.single.bare),
    "vault ÷ bare": ratio(results.single.vault, results.single.bare),
  },
  "32 at once, bare syncs each": {
    "vault commits/s": perSecond(results.group.vault),
    "bare commits/s": perSecond(results.group.bareEach),
    "vault ÷ bare": ratio(results.group.vault, results.group.bareEach),
  },
  "32 at once, bare syncs once for all": {
    "vault commits/s": perSecond(results.group.vault),
    "bare commits/s": perSecond(results.group.bare),
    "vault ÷ bare": ratio(results.group.vault, results.group.bare),
  },
});
