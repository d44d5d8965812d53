import { AppError, type BlobId, type ErrorCode, type VaultId } from "#protocol";
import { clientCatalogue } from "../../electron/client/index.ts";
import { bindEntry, checkCatalogue } from "../../electron/vault/catalogue.ts";
import { openDatabase, type MemoryDatabase } from "../../electron/vault/database.ts";
import type {
  KeyDestruction,
  Row,
  SqlValue,
  Statement,
  Vault,
  VaultFacts,
} from "../../electron/vault/index.ts";

const catalogue = checkCatalogue(clientCatalogue);

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

  static async open(): Promise<MemoryVault> {
    const database = await openDatabase(null, {});
    database.migrate(clientCatalogue.migrations);
    return new MemoryVault(database);
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
