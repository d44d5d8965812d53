import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CryptoWorker } from "#protocol";
import {
  createVault,
  inspectVault,
  openVault,
  type Vault,
  type VaultUnlock,
} from "../../electron/vault/index.ts";
import { systemClock } from "../support/fake-clock.ts";
import { createSealingWorker } from "../support/sealing-worker.ts";
import { seededRandom } from "../support/seeded.ts";
import { unsafeFileKeychain } from "../support/unsafe-file-keychain.ts";
import { itemsOf, testCatalogue } from "../support/vault-fixture.ts";
import { createKillLedger, type KillLedger } from "./kill-ledger.ts";
import { itemOf, plainOf } from "./notes.ts";

/** What came of killing a process again and again. */
export interface KillResult {
  readonly kills: number;
  /** Of them, how many had a vault open. */
  readonly lives: number;
  /** Transactions in the vaults at the end. */
  readonly transactions: number;
  /** How long the vaults took to open after a kill, milliseconds. */
  readonly reopenedMs: readonly number[];
}

const child = join(import.meta.dirname, "../support/vault-crash-child.ts");

/** When a child dies: so long after its start, or after it has said so many lines. */
interface Death {
  readonly afterLines: number | null;
  readonly afterMs: number;
}

/** Kills the user of a vault as often, each time at another moment. @throws Error that says what was lost */
export async function killAtRandom(kills: number): Promise<KillResult> {
  // Each lane is a vault of its own, and the lanes run side by side.
  const perLane = [Math.ceil(kills / 2), Math.floor(kills / 2)];
  const lanes = await Promise.all(perLane.map((count, index) => killInLane(count, index)));
  return {
    kills,
    lives: lanes.reduce((sum, { lives }) => sum + lives, 0),
    transactions: lanes.reduce((sum, { transactions }) => sum + transactions, 0),
    reopenedMs: lanes.flatMap(({ reopenedMs }) => reopenedMs),
  };
}

async function killInLane(kills: number, lane: number): Promise<KillResult> {
  const root = mkdtempSync(join(tmpdir(), "sotto-kills-"));
  const worker = createSealingWorker();
  const ledger = createKillLedger();
  const random = seededRandom(lane);
  const reopenedMs: number[] = [];
  let lives = 0;
  await compile(root);
  for (let kill = 0; kill < kills; kill++) {
    // Most die at work, every fifth one while it starts or opens its vault.
    const death: Death =
      kill % 5 === 4
        ? { afterLines: null, afterMs: 100 + random.below(400) }
        : { afterLines: 1 + random.below(80), afterMs: random.below(20) };
    const seed = lane * 1_000_000 + kill;
    const before = ledger.acknowledged;
    const [openedAt] = ledger.take(await liveAndDie(root, seed, death));
    if (openedAt !== undefined) {
      lives += 1;
      if (openedAt < before) throw new Error(`lost: ${openedAt} of ${before}`);
    }
    // Sometimes the next life finds what the kill has left, sometimes this process looks first.
    const isLast = kill === kills - 1;
    if (lives === 0 || (kill % 3 !== 0 && !isLast)) continue;
    reopenedMs.push(await inspect(root, { worker, ledger, isWhole: kill % 30 === 0 || isLast }));
  }
  rmSync(root, { recursive: true, force: true });
  return { kills, lives, transactions: ledger.acknowledged, reopenedMs };
}

/** Where the child's programs are kept compiled: it is started often. */
function environmentOf(root: string): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: join(root, "compiled") };
}

function compile(root: string): Promise<void> {
  return new Promise((resolve) => {
    spawn(process.execPath, [child], { env: environmentOf(root) }).on("close", () => {
      resolve();
    });
  });
}

/** @returns all that the child said until it was killed */
function liveAndDie(root: string, seed: number, death: Death): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    let errors = "";
    let lines = 0;
    let isDying = false;
    const running = spawn(process.execPath, [child, root, String(seed)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: environmentOf(root),
    });
    const die = () => {
      isDying = true;
      setTimeout(() => void running.kill("SIGKILL"), death.afterMs);
    };
    if (death.afterLines === null) die();
    running.stdout.on("data", (chunk: Buffer) => {
      const text = chunk.toString();
      output += text;
      lines += text.split("\n").length - 1;
      if (!isDying && death.afterLines !== null && lines >= death.afterLines) die();
    });
    running.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    running.on("close", (_code, signal) => {
      if (signal === "SIGKILL") resolve(output);
      else reject(new Error(`the child ended by itself: ${output.slice(-300)} ${errors}`));
    });
  });
}

interface Inspection {
  readonly worker: CryptoWorker;
  readonly ledger: KillLedger;
  /** Looks into every note; otherwise into some, and the last ones. */
  readonly isWhole: boolean;
}

/** Opens what a kill has left, and compares it with the ledger. @returns how long opening took, milliseconds */
async function inspect(root: string, inspection: Inspection): Promise<number> {
  const { ledger, worker } = inspection;
  const startedAt = performance.now();
  const vault = await openVault({ ...optionsOf(root, worker), unlockWith: { kind: "keychain" } });
  const tookMs = performance.now() - startedAt;
  const { sequence } = vault;
  if (vault.readOnly !== null) throw new Error(`read-only: ${vault.readOnly}`);
  if (sequence < ledger.acknowledged) {
    throw new Error(`lost: ${sequence} of ${ledger.acknowledged}`);
  }
  checkItems(vault);
  ledger.settle({ sequence, ended: await checkNotes(vault, inspection) });
  await vault.close();
  await checkPassphrase(root, inspection);
  return tookMs;
}

function optionsOf(root: string, worker: CryptoWorker) {
  return {
    directory: join(root, "vault"),
    worker,
    keychain: unsafeFileKeychain(join(root, "keychain")),
    catalogue: testCatalogue,
    clock: systemClock,
  };
}

function checkItems(vault: Vault): void {
  const { sequence } = vault;
  const items = itemsOf(vault);
  if (items.size !== 2 * Math.min(50, sequence)) throw new Error(`${items.size} items`);
  for (let n = Math.max(1, sequence - 49); n <= sequence; n++) {
    const isWhole = items.get(`k${n % 50}`) === n && items.get(`l${n % 50}`) === n;
    if (!isWhole) throw new Error(`half of transaction ${n}`);
  }
}

/** @returns the notes whose keys are gone, of those that were looked into */
async function checkNotes(
  vault: Vault,
  { ledger, worker, isWhole }: Inspection,
): Promise<ReadonlySet<number>> {
  const rows = vault.read("notes");
  if (rows.length !== vault.sequence) throw new Error(`${rows.length} notes`);
  const items = [];
  for (const [index, { text, body }] of rows.entries()) {
    const n = index + 1;
    if (text !== `note ${n}`) throw new Error(`${String(text)} in the place of note ${n}`);
    if (!isWhole && n < rows.length - 300 && n % 37 !== 0) continue;
    if (!(body instanceof Uint8Array)) throw new Error(`note ${n} has no body`);
    items.push({ n, ...itemOf(n), sealed: body });
  }
  const { plains } = await worker.call("body.open", {
    items: items.map(({ messageId, expiresAtMs, leaf, sealed }) => ({
      messageId,
      expiresAtMs,
      leaf,
      sealed,
    })),
  });
  const ended = new Set<number>();
  for (const [index, { n }] of items.entries()) {
    const plain = plains[index] ?? null;
    const state = ledger.stateOf(n);
    if (plain === null) ended.add(n);
    const isRight =
      plain === null ? state !== "kept" : state !== "ended" && isEqual(plain, plainOf(n));
    if (!isRight) throw new Error(`note ${n} is ${state}, and ${plain === null ? "gone" : "open"}`);
  }
  return ended;
}

/** The passphrase's slot, if there is one, opens with what was set last or being set. */
async function checkPassphrase(root: string, { ledger, worker }: Inspection): Promise<void> {
  const inspection = await inspectVault(join(root, "vault"));
  if (inspection.kind !== "present") throw new Error("the vault is gone");
  const { passphrases } = ledger;
  if (!inspection.slots.includes("passphrase")) {
    if (!passphrases.includes(null)) throw new Error("the passphrase's slot is gone");
    return;
  }
  for (const passphrase of passphrases) {
    if (passphrase === null) continue;
    const unlockWith: VaultUnlock = { kind: "passphrase", passphrase };
    const vault = await openVault({ ...optionsOf(root, worker), unlockWith }).catch(() => null);
    await vault?.close();
    if (vault !== null) return;
  }
  throw new Error("no passphrase opens its slot");
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

/** How long a large vault takes to open after its user was killed in the middle of its work. */
export async function reopenLarge(notes: number, kills: number): Promise<readonly number[]> {
  const root = mkdtempSync(join(tmpdir(), "sotto-kills-large-"));
  const worker = createSealingWorker();
  const vault = await createVault({ ...optionsOf(root, worker), passphrase: null });
  const perTransaction = 500;
  for (let first = 1; first <= notes; first += perTransaction) {
    const numbers = Array.from({ length: perTransaction }, (_, index) => first + index);
    const { sealed } = await worker.call("body.seal", {
      items: numbers.map((n) => ({ ...itemOf(n), plain: plainOf(n) })),
    });
    await vault.transact(
      numbers.map((n, index) => ({ name: "note", params: [`note ${n}`, sealed[index] ?? null] })),
    );
  }
  await vault.close();
  const reopenedMs: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    await liveAndDie(root, kill, { afterLines: 10 + 20 * kill, afterMs: 5 * kill });
    const startedAt = performance.now();
    const again = await openVault({ ...optionsOf(root, worker), unlockWith: { kind: "keychain" } });
    reopenedMs.push(performance.now() - startedAt);
    const rows = again.read("last-note");
    if (again.readOnly !== null || Number(rows[0]?.["id"]) < notes) throw new Error("lost");
    await again.close();
  }
  rmSync(root, { recursive: true, force: true });
  return reopenedMs;
}
