import { AppError, type BlobId, type ErrorCode, type VaultId } from "#protocol";
import { clientCatalogue } from "../../electron/client/index.ts";
import { bindEntry, checkCatalogue } from "../../electron/vault/catalogue.ts";
import {
  openDatabase,
  type MemoryDatabase,
  type SqlEngine,
} from "../../electron/vault/database.ts";
import { MemoryFile } from "../../electron/vault/memory-file.ts";
import type {
  KeyDestruction,
  Row,
  SqlValue,
  Statement,
  Vault,
  VaultFacts,
} from "../../electron/vault/index.ts";

/** A vault as it was at one moment. */
export interface VaultCopy {
  /** The database's file. */
  readonly bytes: Uint8Array;
  readonly sequence: number;
}

function fileOf(bytes: Uint8Array): MemoryFile {
  const file = new MemoryFile();
  file.write(bytes, 0, bytes.length, 0);
  return file;
}

const catalogue = checkCatalogue(clientCatalogue);

/** An empty vault's file: making the tables takes longer than reading them. */
let empty: Uint8Array | null = null;

function contentOf(database: MemoryDatabase): Uint8Array {
  const image = database.image();
  const bytes = new Uint8Array(image.sizeBytes);
  image.read(0, bytes);
  image.release();
  return bytes;
}

/** The client's tables in the real database, without a disk, keys or frames. Destructions are noted, and failures made to order. */
export class MemoryVault implements Vault {
  readonly vaultId = "memory" as VaultId;
  readonly damage = null;
  readonly rolledBack = false;
  readonly keychainState = "in-step";
  readonly keychainProblem = null;
  /** What was to be destroyed, in order. */
  readonly destroyed: KeyDestruction[] = [];
  /** What the next transactions and destructions fail with, in order; null: they don't. */
  failures: (ErrorCode | null)[] = [];
  /** The attachments that were to be removed, in order. */
  readonly removedBlobs: BlobId[] = [];
  readonly blobs: Vault["blobs"] = {
    create: () => Promise.reject(new AppError("not-ready")),
    open: () => Promise.reject(new AppError("not-ready")),
    remove: async (blobIds) => {
      await Promise.resolve();
      this.#failToOrder();
      this.removedBlobs.push(...blobIds);
    },
  };
  readOnly: ErrorCode | null = null;
  sequence = 0;
  readonly #database: MemoryDatabase;

  private constructor(database: MemoryDatabase) {
    this.#database = database;
  }

  /**
   * @param sqlEngine - one that is loaded already; left out: one of its own
   * @param copy - what {@link copy} gave; left out: an empty one
   */
  static async open(sqlEngine?: SqlEngine, copy?: VaultCopy): Promise<MemoryVault> {
    const bytes = copy?.bytes ?? empty;
    const options = sqlEngine === undefined ? {} : { sqlEngine };
    const database = await openDatabase(bytes === null ? null : fileOf(bytes), options);
    database.migrate(clientCatalogue.migrations);
    if (bytes === null) empty = contentOf(database);
    const vault = new MemoryVault(database);
    vault.sequence = copy?.sequence ?? 0;
    return vault;
  }

  /** What a backup program takes along. */
  copy(): VaultCopy {
    return { bytes: contentOf(this.#database), sequence: this.sequence };
  }

  onReadOnly(): () => void {
    return () => undefined;
  }
  onKeysChanged(): () => void {
    return () => undefined;
  }

  read(query: string, params: readonly SqlValue[] = []): readonly Row[] {
    const { sql, params: bound } = bindEntry(catalogue.queries, query, params);
    return this.#database.query(sql, bound);
  }

  /** Any SQL, for a look behind the catalogue. */
  look(sql: string): readonly Row[] {
    return this.#database.query(sql, []);
  }

  async transact(statements: readonly Statement[]): Promise<void> {
    await Promise.resolve();
    this.#failToOrder();
    const bound = statements.map(({ name, params }) =>
      bindEntry(catalogue.statements, name, params),
    );
    this.#database.begin();
    const failure = this.#database.atomically(() => {
      for (const each of bound) this.#database.run(each);
    });
    if (failure !== null) {
      this.#database.rollBack();
      throw new AppError("internal", { cause: failure.error });
    }
    this.#database.commit();
    this.sequence += 1;
  }

  async destroyKeys(request: KeyDestruction): Promise<void> {
    await Promise.resolve();
    this.#failToOrder();
    this.destroyed.push(request);
  }

  #failToOrder(): void {
    const code = this.failures.shift() ?? null;
    if (code !== null) throw new AppError(code);
  }

  compact(): Promise<void> {
    return Promise.resolve();
  }
  setSlot(): Promise<{ readonly recoveryCode: null }> {
    return Promise.resolve({ recoveryCode: null });
  }
  removeSlot(): Promise<void> {
    return Promise.resolve();
  }
  renewKeychain(): Promise<void> {
    return Promise.resolve();
  }
  facts(): Promise<VaultFacts> {
    return Promise.reject(new AppError("not-ready"));
  }
  forget(): void {
    throw new Error("nobody locks this one");
  }
  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }
}
