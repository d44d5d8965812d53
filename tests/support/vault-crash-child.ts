/*
 * Uses a vault until it is killed: `<root> <seed>`. Says what it begins and what was acknowledged, a line each; see tests/crash/kill-ledger.ts.
 * Without arguments it ends at once, and has only been compiled.
 */
import { join } from "node:path";
import { createVault, inspectVault, openVault } from "../../electron/vault/index.ts";
import { itemOf, leafOf, plainOf } from "../crash/notes.ts";
import { systemClock } from "./fake-clock.ts";
import { createSealingWorker } from "./sealing-worker.ts";
import { seededRandom } from "./seeded.ts";
import { unsafeFileKeychain } from "./unsafe-file-keychain.ts";
import { put, testCatalogue } from "./vault-fixture.ts";

const [root = "", seed = "0"] = process.argv.slice(2);
if (root === "") process.exit();
const directory = join(root, "vault");
const random = seededRandom(Number(seed));
const say = (...words: readonly (string | number)[]) =>
  void process.stdout.write(`${words.join(" ")}\n`);

const worker = createSealingWorker();
const options = {
  directory,
  worker,
  keychain: unsafeFileKeychain(join(root, "keychain")),
  catalogue: testCatalogue,
  clock: systemClock,
  compaction: { logBytes: 150_000, minimumLogBytes: 150_000, snapshotRatio: 4 },
};
const open = () => openVault({ ...options, unlockWith: { kind: "keychain" } });
const isNew = (await inspectVault(directory)).kind === "none";
let vault = isNew ? await createVault({ ...options, passphrase: null }) : await open();
let n = vault.sequence;
say("open", n);

const write = async () => {
  const number = (n += 1);
  const { sealed } = await worker.call("body.seal", {
    items: [{ ...itemOf(number), plain: plainOf(number) }],
  });
  await vault.transact([
    put(`k${number % 50}`, number),
    { name: "note", params: [`note ${number}`, sealed[0] ?? null] },
    put(`l${number % 50}`, number),
  ]);
  say("done", number);
};

/** Numbers of notes that are surely there. */
const some = () => 1 + random.below(vault.sequence);

const destroy = async () => {
  if (vault.sequence === 0) return;
  const numbers = Array.from({ length: 1 + random.below(20) }, some);
  say("ending", ...numbers);
  await vault.destroyKeys({ leaves: numbers.map(leafOf), hoursBefore: null });
  say("ended", ...numbers);
};
const dropHours = async () => {
  const { hour } = leafOf(Math.max(0, vault.sequence - 2_000));
  say("ending-before", hour);
  await vault.destroyKeys({ leaves: [], hoursBefore: hour });
  say("ended-before", hour);
};
const setPassphrase = async () => {
  const passphrase = `four unrelated words ${random.below(2 ** 31)}`;
  say("setting-passphrase", passphrase);
  await vault.setSlot({ kind: "passphrase", passphrase });
  say("passphrase", passphrase);
};
const removePassphrase = async () => {
  const { slots } = await vault.facts();
  if (!slots.some(({ kind }) => kind === "passphrase")) return;
  say("setting-passphrase");
  await vault.removeSlot("passphrase");
  say("passphrase");
};
const setRecoveryCode = async () => {
  await vault.setSlot({ kind: "recovery-code" });
};

const others: readonly (() => Promise<void>)[] = [
  () => vault.compact(),
  destroy,
  destroy,
  destroy,
  dropHours,
  setPassphrase,
  removePassphrase,
  setRecoveryCode,
  () => vault.renewKeychain(),
];
while (vault.readOnly === null) {
  const work = Array.from({ length: 1 + random.below(4) }, write);
  if (random.below(3) === 0) work.push(random.pick(others)());
  await Promise.all(work);
  if (random.below(25) === 0) {
    await vault.close();
    vault = await open();
    say("open", vault.sequence);
  }
}
say("read-only", vault.readOnly);
