import type { BoundSql, MemoryDatabase } from "./database.ts";
import type { Row, SqlValue } from "./types.ts";

/** A database that is tried out ahead of the disk, but read only as the disk has it. */
export interface DurableView {
  /** As the disk has it. @throws Error of SQLite */
  read(sql: string, params: readonly SqlValue[]): readonly Row[];
  /**
   * Runs transactions ahead of the disk, each alone: one that fails leaves no trace.
   *
   * @returns for each what it failed with, or null
   */
  tryOut(transactions: readonly (readonly BoundSql[])[]): readonly (Error | null)[];
  /** What was tried out is on the disk: reads see it from now on. */
  settle(): void;
  /** What was tried out is not on the disk and never happened. */
  discard(): void;
  /** Closes the database, at any moment. Nothing can be read or tried out from now on; what was tried out stands or falls with the disk alone. */
  close(): void;
}

/**
 * Between trial and settlement the changes stand in an open transaction. A read in that time takes them back first, and settling makes
 * them again: the same statements on the same state. So reads are never wrong, and only those that come at that moment cost something.
 */
export function createDurableView(database: MemoryDatabase): DurableView {
  /** What was tried out and worked. */
  let ahead: readonly (readonly BoundSql[])[] = [];
  let isApplied = false;
  let isClosed = false;

  const runAll = (transaction: readonly BoundSql[]) => {
    for (const bound of transaction) database.run(bound);
  };
  const takeBack = () => {
    if (!isApplied) return;
    database.rollBack();
    isApplied = false;
  };

  /**
   * Without savepoints, which cost about as much as the statements between them: failures are rare.
   *
   * @returns false, and leaves nothing, when something failed
   */
  const runTogether = (transactions: readonly (readonly BoundSql[])[]) => {
    database.begin();
    try {
      for (const transaction of transactions) runAll(transaction);
    } catch {
      try {
        database.rollBack();
      } catch {
        // SQLite has done it by itself, as it does when memory runs out.
      }
      return false;
    }
    isApplied = true;
    ahead = transactions;
    return true;
  };
  /** With savepoints. @returns what each failed with */
  const runApart = (transactions: readonly (readonly BoundSql[])[]) => {
    database.begin();
    isApplied = true;
    const failures: (Error | null)[] = [];
    for (const transaction of transactions) {
      const failure = database.atomically(() => {
        runAll(transaction);
      });
      if (failure?.isEverythingLost === true) {
        isApplied = false;
        ahead = [];
        return transactions.map(() => failure.error);
      }
      failures.push(failure?.error ?? null);
    }
    ahead = transactions.filter((_, index) => failures[index] === null);
    return failures;
  };

  return {
    read(sql, params) {
      takeBack();
      return database.query(sql, params);
    },
    tryOut: (transactions) =>
      runTogether(transactions) ? transactions.map(() => null) : runApart(transactions),
    settle() {
      if (isClosed) return;
      if (!isApplied) {
        database.begin();
        isApplied = true;
        for (const transaction of ahead) runAll(transaction);
      }
      database.commit();
      isApplied = false;
      ahead = [];
    },
    discard() {
      takeBack();
      ahead = [];
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      isApplied = false;
      ahead = [];
      database.close();
    },
  };
}
