import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CryptoWorker } from "#protocol";
import { unsafeMemoryKeychain, type Keychain } from "../../electron/keychain/index.ts";
import {
  createVault,
  openVault,
  type NewVaultOptions,
  type OpenVaultOptions,
  type Row,
  type Statement,
  type SqlValue,
  type Vault,
  type VaultCatalogue,
} from "../../electron/vault/index.ts";
import { systemClock } from "./fake-clock.ts";

/** A small catalogue that can put, delete, fail and fill. */
export const testCatalogue: VaultCatalogue = {
  schemaVersion: 1,
  migrations: [
    `CREATE TABLE items (id TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
     CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, body BLOB);`,
  ],
  statements: {
    put: `INSERT INTO items (id, value) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET value = ?2`,
    insert: `INSERT INTO items (id, value) VALUES (?1, ?2)`,
    delete: `DELETE FROM items WHERE id = ?1`,
    clear: `DELETE FROM items`,
    note: `INSERT INTO notes (text, body) VALUES (?1, ?2)`,
  },
  queries: {
    all: `SELECT id, value FROM items ORDER BY id`,
    get: `SELECT value FROM items WHERE id = ?1`,
    count: `SELECT count(*) AS count FROM items`,
    "last-note": `SELECT max(id) AS id FROM notes`,
    notes: `SELECT id, text, body FROM notes ORDER BY id`,
  },
};

export function put(id: string, value: SqlValue): Statement {
  return { name: "put", params: [id, value] };
}

/** What `all` gives, as a map. */
export function itemsOf(vault: Vault): ReadonlyMap<string, SqlValue> {
  return new Map(vault.read("all").map((row: Row) => [String(row["id"]), row["value"] ?? null]));
}

/** A directory for one vault, its keychain, and the options that open it. */
export interface VaultFixture {
  readonly root: string;
  readonly directory: string;
  readonly keychain: Keychain;
  readonly entries: Map<string, Uint8Array>;
  readonly options: NewVaultOptions & OpenVaultOptions;
  create(changes?: Partial<NewVaultOptions>): Promise<Vault>;
  open(changes?: Partial<OpenVaultOptions>): Promise<Vault>;
  /** A copy of the directory as it is now, lock included or not. */
  copy(name: string): string;
  names(): readonly string[];
  bytes(name: string): Uint8Array;
  remove(): void;
}

export function createVaultFixture(worker: CryptoWorker): VaultFixture {
  const root = mkdtempSync(join(tmpdir(), "sotto-vault-"));
  const directory = join(root, "vault");
  const entries = new Map<string, Uint8Array>();
  const keychain = unsafeMemoryKeychain(entries);
  const options: NewVaultOptions & OpenVaultOptions = {
    directory,
    worker,
    keychain,
    passphrase: null,
    unlockWith: { kind: "keychain" },
    catalogue: testCatalogue,
    clock: systemClock,
  };
  return {
    root,
    directory,
    keychain,
    entries,
    options,
    create: (changes) => createVault({ ...options, ...changes }),
    open: (changes) => openVault({ ...options, ...changes }),
    copy(name) {
      const to = join(root, name);
      cpSync(directory, to, { recursive: true, filter: (path) => !path.endsWith("/lock") });
      return to;
    },
    names: () => readdirSync(directory).sort(),
    bytes: (name) => new Uint8Array(readFileSync(join(directory, name))),
    remove() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}
