import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  idFromBytes,
  type BodyItem,
  type CryptoWorker,
  type KeychainEntries,
  type KeyringRecord,
  type MessageId,
} from "#protocol";
import { openKeys, type VaultKeys } from "../../electron/vault/exchange.ts";
import type { VaultUnlock } from "../../electron/vault/index.ts";
import { readKeyring } from "../../electron/vault/inspect-vault.ts";
import { placeOf, unlock } from "../../electron/vault/key-slots.ts";
import { encodeKeyring, slotOf } from "../../electron/vault/keyring.ts";
import { writeWhole } from "../../electron/vault/keyring-file.ts";
import { nodeFiles } from "../../electron/vault/node-files.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createFaultyFiles, type FaultyFiles } from "./faulty-files.ts";
import { createFaultyKeychain, type FaultyKeychain } from "./faulty-keychain.ts";
import { createSealingWorker } from "./sealing-worker.ts";

/** The keys of a vault that has nothing else: a directory with a keyring, and a keychain. */
export interface KeysFixture {
  readonly directory: string;
  readonly entries: Map<string, Uint8Array>;
  readonly clock: FakeClock;
  /** Of the next {@link open}. */
  readonly files: FaultyFiles;
  readonly keychain: FaultyKeychain;
  /** Both ports work again, and have forgotten what was asked of them. */
  heal(): void;
  create(passphrase?: string): Promise<void>;
  open(unlockWith?: VaultUnlock, from?: string): Promise<OpenedKeys>;
  /** The keyring file as it is now, in a directory of its own. */
  copy(name: string): string;
  /** What the keychain holds for the vault. */
  held(): KeychainEntries;
  remove(): void;
}

/** Keys that are open, and the worker that has them. */
export interface OpenedKeys {
  readonly keys: VaultKeys;
  readonly worker: CryptoWorker;
  readonly record: KeyringRecord;
}

const account = "test";

export function createKeysFixture(): KeysFixture {
  const root = mkdtempSync(join(tmpdir(), "sotto-keys-"));
  const directory = join(root, "vault");
  mkdirSync(directory);
  const entries = new Map<string, Uint8Array>();
  const clock = createFakeClock();
  const ports = { files: createFaultyFiles(), keychain: createFaultyKeychain(entries) };

  const optionsFor = (worker: CryptoWorker, from: string) => ({
    directory: from,
    worker,
    clock,
    ...ports,
    user: "somebody",
    catalogue: { schemaVersion: 0, migrations: [], statements: {}, queries: {} },
  });

  return {
    directory,
    entries,
    clock,
    get files() {
      return ports.files;
    },
    get keychain() {
      return ports.keychain;
    },
    heal() {
      ports.files = createFaultyFiles();
      ports.keychain = createFaultyKeychain(entries);
    },
    async create(passphrase) {
      const worker = createSealingWorker();
      const keychain = placeOf(optionsFor(worker, directory), account);
      const made = await worker.call("vault.create", { keychain, passphrase: passphrase ?? null });
      const slot = slotOf(made.record, "keychain");
      for (const [index, key] of (made.keychainKeys ?? []).entries()) {
        entries.set(`${slot?.account ?? ""}/${index}`, key);
      }
      await writeWhole(nodeFiles, join(directory, "keyring"), encodeKeyring(made.record));
    },
    async open(unlockWith = { kind: "keychain" }, from = directory) {
      const worker = createSealingWorker();
      const options = optionsFor(worker, from);
      const record = await readKeyring(ports.files, from);
      const place = placeOf(options, slotOf(record, "keychain")?.account ?? account);
      const unlocked = await unlock(record, { ...options, place, unlockWith });
      const hasRemnant = (await nodeFiles.list(from)).includes("keyring.new");
      const keys = await openKeys({ ...options, place, record, unlocked, hasRemnant });
      return { keys, worker, record };
    },
    copy(name) {
      const to = join(root, name);
      cpSync(directory, to, { recursive: true });
      return to;
    },
    held() {
      const find = (index: number) =>
        [...entries].find(([name]) => name.endsWith(`/${index}`))?.[1] ?? null;
      return [find(0), find(1)];
    },
    remove() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const messageId = idFromBytes<MessageId>(new Uint8Array(32).fill(7));
const hour = 480_000;

/** The body that is sealed under a leaf. */
function itemAt(leaf: number): BodyItem {
  return { messageId, expiresAtMs: hour * 3_600_000, leaf };
}

/** To destroy it. */
export function destructionOf(...leaves: readonly number[]) {
  return { leaves: leaves.map((leaf) => ({ hour, leaf })), hoursBefore: null };
}

/** Seals one body for each leaf. */
export async function sealBodies(
  worker: CryptoWorker,
  leaves: readonly number[],
): Promise<readonly Uint8Array[]> {
  const items = leaves.map((leaf) => ({ ...itemAt(leaf), plain: Uint8Array.of(leaf) }));
  return (await worker.call("body.seal", { items })).sealed;
}

/** Which of the bodies 0, 1, 2 … can be opened. */
export async function openable(
  worker: CryptoWorker,
  bodies: readonly Uint8Array[],
): Promise<readonly number[]> {
  const items = bodies.map((sealed, leaf) => ({ ...itemAt(leaf), sealed }));
  const { plains } = await worker.call("body.open", { items });
  return plains.flatMap((plain, leaf) => (plain === null ? [] : [leaf]));
}
