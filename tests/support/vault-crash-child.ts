/*
 * Writes to a vault until it is killed: `<root> <first>`. Every transaction n puts `k<n % 50>` and `l<n % 50>` to n and a note of some size;
 * some compact. Says `open <sequence>` once, and then `done <n>` for each transaction that was acknowledged.
 */
import { join } from "node:path";
import { createVault, inspectVault, openVault } from "../../electron/vault/index.ts";
import { systemClock } from "./fake-clock.ts";
import { createSealingWorker } from "./sealing-worker.ts";
import { unsafeFileKeychain } from "./unsafe-file-keychain.ts";
import { put, testCatalogue } from "./vault-fixture.ts";

const [root = "", seed = "0"] = process.argv.slice(2);
const directory = join(root, "vault");
const say = (words: string) => void process.stdout.write(`${words}\n`);

// Numbers that look random, and are the same each time.
let state = Number(seed) + 1;
const next = (below: number) => {
  state = (state * 48271) % 2147483647;
  return state % below;
};

const worker = createSealingWorker();
const options = {
  directory,
  worker,
  keychain: unsafeFileKeychain(join(root, "keychain")),
  passphrase: null,
  catalogue: testCatalogue,
  clock: systemClock,
  compaction: { logBytes: 150_000, minimumLogBytes: 150_000, snapshotRatio: 4 },
};
const isNew = (await inspectVault(directory)).kind === "none";
const vault = isNew ? await createVault(options) : await openVault(options);
let n = vault.sequence;
say(`open ${n}`);

const writeOne = async () => {
  const number = (n += 1);
  await vault.transact([
    put(`k${number % 50}`, number),
    { name: "note", params: [`note ${number}`, new Uint8Array(next(4_000)).fill(number)] },
    put(`l${number % 50}`, number),
  ]);
  say(`done ${number}`);
};
while (vault.readOnly === null) {
  const together = 1 + next(4);
  const work = Array.from({ length: together }, writeOne);
  if (next(12) === 0) work.push(vault.compact());
  await Promise.all(work);
}
say(`read-only ${vault.readOnly}`);
