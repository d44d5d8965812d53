import { AppError, type CryptoWorker, type KeySlotKind } from "#protocol";
import {
  createVault,
  inspectVault,
  openVault,
  type Vault,
  type VaultUnlock,
} from "../../../electron/vault/index.ts";
import { loadSqlEngine } from "../../../electron/vault/database.ts";
import type { Clock } from "../../../electron/link/index.ts";
import { itemsOf, testCatalogue } from "../vault-fixture.ts";
import type { DiskImage } from "./operations.ts";
import { createRecordingDisk, type RecordingDisk } from "./recording-disk.ts";
import { expectationAfter, itemsAfter, type Expectation, type FoundVault } from "./vault-ledger.ts";

/** Where the vaults of simulated disks lie. */
export const vaultDirectory = "/disk/vault";
const lockPaths = [`${vaultDirectory}/lock`, `${vaultDirectory}/lock.taking`];

/** Short waits are over at once, and long ones never. */
const impatientClock: Clock = {
  now: () => 1_800_000_000_000,
  setTimeout(run, delayMs) {
    if (delayMs > 300) return () => undefined;
    const pending = setImmediate(run);
    return () => {
      clearImmediate(pending);
    };
  },
};

/** One for all of them: they come and go by the thousand. */
const sqlEngine = await loadSqlEngine();

/** Options that open the vault of a simulated disk. */
export function optionsFor(
  disk: Pick<RecordingDisk<never>, "files" | "keychain">,
  worker: CryptoWorker,
) {
  return {
    directory: vaultDirectory,
    worker,
    files: disk.files,
    keychain: disk.keychain,
    catalogue: testCatalogue,
    clock: impatientClock,
    sqlEngine,
    unlockWith: { kind: "keychain" } as const,
    passphrase: null,
  };
}

/**
 * Opens a disk image after a power cut, and compares what is found with what may be.
 *
 * @param how - `isThorough`: tries each slot as well, and what the disk holds once the vault was closed again
 * @throws Error that says what is wrong
 */
export async function checkImage(
  image: DiskImage,
  expectation: Expectation,
  how: { readonly worker: CryptoWorker; readonly isThorough: boolean },
): Promise<FoundVault> {
  const { worker } = how;
  const disk = createRecordingDisk<never>(afterRestart(image));
  let vault: Vault;
  try {
    vault = await openVault(optionsFor(disk, worker));
  } catch (error) {
    const isMissing = error instanceof AppError && error.code === "vault-missing";
    if (!isMissing || expectation.creation === "done") throw error;
    // What a creation that was cut short has left doesn't hinder the next one.
    await (await createVault(optionsFor(disk, worker))).close();
    return { kind: "none" };
  }
  const found = await checkVault(vault, expectation, worker);
  await vault.close();
  if (how.isThorough) {
    const settled = expectationAfter(expectation, found);
    await checkSlots(disk.image(), settled, worker);
    const again = await openVault(optionsFor(disk, worker));
    await checkVault(again, settled, worker);
    await again.close();
  }
  return found;
}

async function checkVault(
  vault: Vault,
  expectation: Expectation,
  worker: CryptoWorker,
): Promise<FoundVault> {
  const { acknowledged, transactions } = expectation;
  const { damage, readOnly, sequence } = vault;
  if (readOnly !== null) throw new Error(`read-only: ${readOnly} ${JSON.stringify(damage)}`);
  if (sequence < acknowledged || sequence > transactions.length) {
    throw new Error(`${sequence} is not from ${acknowledged} to ${transactions.length}`);
  }
  const found = itemsOf(vault);
  const expected = itemsAfter(transactions, sequence);
  if (found.size !== expected.size) {
    throw new Error(`${found.size} items instead of ${expected.size} after ${sequence}`);
  }
  for (const [id, value] of expected) {
    if (!isSame(found.get(id), value)) throw new Error(`wrong value of ${id} after ${sequence}`);
  }
  return { kind: "vault", sequence, openBodies: await checkBodies(expectation, worker) };
}

async function checkBodies(
  { bodies }: Expectation,
  worker: CryptoWorker,
): Promise<readonly boolean[]> {
  if (bodies.length === 0) return [];
  const items = bodies.map(({ body: { item, sealed } }) => ({ ...item, sealed }));
  const { plains } = await worker.call("body.open", { items });
  for (const [index, { body, state }] of bodies.entries()) {
    const plain = plains[index] ?? null;
    const text = plain === null ? null : new TextDecoder().decode(plain);
    const isRight =
      (text === null && state !== "kept") || (text === body.plain && state !== "ended");
    if (!isRight) throw new Error(`${body.plain} is ${state}, and opens as ${String(text)}`);
  }
  return bodies.map((_, index) => (plains[index] ?? null) !== null);
}

/** Each slot is opened by one of what may open it, unless there may be none. */
async function checkSlots(
  image: DiskImage,
  expectation: Expectation,
  worker: CryptoWorker,
): Promise<void> {
  for (const [kind, secrets] of expectation.slots) {
    const isThere = await hasSlot(image, kind);
    if (!isThere) {
      if (!secrets.includes(null)) throw new Error(`no slot of the kind ${kind}`);
      continue;
    }
    if (secrets.includes("unknown")) continue;
    const outcomes = ["nothing was tried"];
    for (const secret of secrets) {
      if (secret === null || secret === "unknown") continue;
      outcomes.push(await tryToOpen(image, secret, expectation, worker));
    }
    if (!outcomes.includes("open")) throw new Error(`${kind}: ${outcomes.join(", ")}`);
  }
}

async function hasSlot(image: DiskImage, kind: KeySlotKind): Promise<boolean> {
  const inspection = await inspectVault(vaultDirectory, createRecordingDisk<never>(image).files);
  return inspection.kind === "present" && inspection.slots.includes(kind);
}

async function tryToOpen(
  image: DiskImage,
  unlockWith: VaultUnlock,
  expectation: Expectation,
  worker: CryptoWorker,
): Promise<string> {
  const options = optionsFor(createRecordingDisk<never>(image), worker);
  let vault: Vault;
  try {
    vault = await openVault({ ...options, unlockWith });
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  await checkVault(vault, expectation, worker);
  await vault.close();
  return "open";
}

/** A lock that names this process names one of another start of the machine. */
export function afterRestart(image: DiskImage): DiskImage {
  const files = new Map(image.files);
  for (const path of lockPaths) {
    const lock = files.get(path);
    if (lock === undefined) continue;
    const text = new TextDecoder().decode(lock).replace(/"boot":"[^"]*"/u, `"boot":"before"`);
    files.set(path, new TextEncoder().encode(text));
  }
  return { ...image, files };
}

function isSame(left: unknown, right: unknown): boolean {
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return Buffer.compare(left, right) === 0;
  }
  return left === right;
}
