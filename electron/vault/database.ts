import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import initSqlJs, { type Database, type SqlJsStatic, type Statement as SqlStatement } from "sql.js";
import { MemoryFile, MemoryFileHandle, type FileImage } from "./memory-file.ts";
import type { Row, SqlValue } from "./types.ts";

/** A text with its parameters. */
export interface BoundSql {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

interface Prepared {
  readonly statement: SqlStatement;
  /** Asked of SQLite once: it is slow to tell. */
  columns: readonly string[] | null;
}

/** Why a task inside a transaction failed. */
export interface TaskFailure {
  readonly error: Error;
  /** SQLite has given up the whole transaction, as it does when memory runs out. */
  readonly isEverythingLost: boolean;
}

/** SQLite in memory: it writes no file, no journal and nothing temporary. */
export interface MemoryDatabase {
  /** @throws Error of SQLite */
  query(sql: string, params: readonly SqlValue[]): readonly Row[];
  /** Runs one statement inside a transaction that {@link begin} began. @throws Error of SQLite */
  run(bound: BoundSql): void;
  begin(): void;
  commit(): void;
  rollBack(): void;
  /** Runs `task` inside a transaction so that, when it throws, nothing it did stays. @returns what it threw, or null */
  atomically(task: () => void): TaskFailure | null;
  /** The schema's version as stored. */
  schemaVersion(): number;
  /** Brings the schema to the version that all `migrations` make. @throws Error of SQLite */
  migrate(migrations: readonly string[]): void;
  /** The whole database as a file, as it is now. Not inside a transaction. */
  image(): FileImage;
  /** Overwrites what it held, and lets go of SQLite's memory. */
  close(): void;
}

/*
 * Everything here must stay as it is for ever: a log is replayed under the settings it was written with. Nothing is ever read back from
 * a disk, so nothing needs to be synced to one; a rollback journal in memory is what savepoints need.
 */
const settings = `
  PRAGMA journal_mode = MEMORY;
  PRAGMA synchronous = OFF;
  PRAGMA temp_store = MEMORY;
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA secure_delete = ON;
  PRAGMA foreign_keys = OFF;
  PRAGMA trusted_schema = OFF;
`;

/** SQLite as a program with its memory. */
export type SqlEngine = SqlJsStatic;

/** @param wasmPath - `sql-wasm.wasm` of sql.js; left out: the one in `node_modules` */
export async function loadSqlEngine(wasmPath?: string): Promise<SqlEngine> {
  const path = wasmPath ?? createRequire(import.meta.url).resolve("sql.js/dist/sql-wasm.wasm");
  const wasmBinary = new Uint8Array(await readFile(path)).buffer;
  return initSqlJs({ wasmBinary });
}

/** Where a database takes its engine from. */
export interface SqlOptions {
  /** See {@link loadSqlEngine}. */
  readonly sqlWasmPath?: string;
  /** One that is loaded already, for those who open many vaults; left out: one of the database's own, whose memory goes with it. */
  readonly sqlEngine?: SqlEngine;
}

/** @param file - with the content of an image that {@link MemoryDatabase.image} gave, and the database's own from now on; null: an empty one */
export async function openDatabase(
  file: MemoryFile | null,
  { sqlEngine, sqlWasmPath }: SqlOptions,
): Promise<MemoryDatabase> {
  const { Database } = sqlEngine ?? (await loadSqlEngine(sqlWasmPath));
  const ownFile = file ?? new MemoryFile();
  return new SqlJsDatabase(new Database(new MemoryFileHandle(ownFile)), ownFile);
}

class SqlJsDatabase implements MemoryDatabase {
  /** null: closed. */
  #database: Database | null;
  readonly #file: MemoryFile;
  readonly #prepared = new Map<string, Prepared>();

  constructor(database: Database, file: MemoryFile) {
    this.#database = database;
    this.#file = file;
    database.exec(settings);
  }

  query(sql: string, params: readonly SqlValue[]): readonly Row[] {
    const prepared = this.#prepare(sql);
    const { statement } = prepared;
    try {
      statement.bind([...params]);
      const rows: Row[] = [];
      while (statement.step()) {
        const columns = (prepared.columns ??= statement.getColumnNames());
        const values = statement.get();
        rows.push(
          Object.fromEntries(columns.map((column, index) => [column, values[index] ?? null])),
        );
      }
      return rows;
    } finally {
      statement.reset();
    }
  }

  run({ sql, params }: BoundSql): void {
    const { statement } = this.#prepare(sql);
    try {
      statement.bind([...params]);
      // A RETURNING clause gives rows, and all of them must be fetched for all changes to be made.
      while (statement.step());
    } finally {
      statement.reset();
    }
  }

  begin(): void {
    this.run({ sql: "BEGIN", params: [] });
  }

  commit(): void {
    this.run({ sql: "COMMIT", params: [] });
  }

  rollBack(): void {
    this.run({ sql: "ROLLBACK", params: [] });
  }

  atomically(task: () => void): TaskFailure | null {
    this.run({ sql: "SAVEPOINT vault", params: [] });
    try {
      task();
      this.run({ sql: "RELEASE vault", params: [] });
      return null;
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      try {
        this.run({ sql: "ROLLBACK TO vault", params: [] });
        this.run({ sql: "RELEASE vault", params: [] });
        return { error, isEverythingLost: false };
      } catch {
        return { error, isEverythingLost: true };
      }
    }
  }

  schemaVersion(): number {
    return Number(this.query("PRAGMA user_version", [])[0]?.["user_version"] ?? 0);
  }

  migrate(migrations: readonly string[]): void {
    const from = this.schemaVersion();
    if (from >= migrations.length) return;
    this.#forget();
    this.begin();
    try {
      for (const migration of migrations.slice(from)) this.#open.exec(migration);
      this.#open.exec(`PRAGMA user_version = ${migrations.length}`);
      this.commit();
    } catch (error) {
      this.rollBack();
      throw error;
    }
    this.#open.exec(settings);
    // The widths of `SELECT *` have changed.
    this.#forget();
  }

  image(): FileImage {
    return this.#file.image();
  }

  close(): void {
    this.#prepared.clear();
    this.#database?.close();
    this.#database = null;
    this.#file.wipe();
  }

  get #open(): Database {
    if (this.#database === null) throw new Error("the database is closed");
    return this.#database;
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const prepared = { statement: this.#open.prepare(sql), columns: null };
    this.#prepared.set(sql, prepared);
    return prepared;
  }

  #forget(): void {
    for (const { statement } of this.#prepared.values()) statement.free();
    this.#prepared.clear();
  }
}
