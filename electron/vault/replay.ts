import { equalBytes } from "#protocol";
import { decodeBatch, type StoredTransaction } from "./batch.ts";
import type { BoundSql, MemoryDatabase } from "./database.ts";

/** Brings a snapshot's database up to the end of its log. */
export interface Replay {
  /** Takes the content of the next frame. @returns false, and does nothing, when it doesn't follow from what came before */
  take(plain: Uint8Array): boolean;
  /** Transactions of the vault's whole life so far. */
  readonly sequence: number;
  /** The texts that the log has named. */
  readonly texts: readonly string[];
  /** Whether the last frame says that the vault was closed in good order. */
  readonly endsInOrder: boolean;
}

/** @param snapshot - what `database` holds now */
export function createReplay(
  database: MemoryDatabase,
  snapshot: { readonly sequence: number; readonly tag: Uint8Array },
): Replay {
  const texts: string[] = [];
  let { sequence } = snapshot;
  let isFirst = true;
  let endsInOrder = false;

  const run = (transactions: readonly StoredTransaction[], known: readonly string[]) => {
    database.begin();
    try {
      for (const statement of transactions.flat()) database.run(bind(statement, known));
      database.commit();
    } catch (error) {
      database.rollBack();
      throw error;
    }
  };

  return {
    take(plain) {
      try {
        const batch = decodeBatch(plain);
        const follows =
          batch.sequence === sequence &&
          (isFirst
            ? batch.snapshotTag !== null && equalBytes(batch.snapshotTag, snapshot.tag)
            : batch.snapshotTag === null);
        if (!follows) return false;
        run(batch.transactions, [...texts, ...batch.newTexts]);
        texts.push(...batch.newTexts);
        sequence += batch.transactions.length;
        isFirst = false;
        endsInOrder = batch.transactions.length === 0;
        return true;
      } catch {
        return false;
      }
    },
    get sequence() {
      return sequence;
    },
    get texts() {
      return texts;
    },
    get endsInOrder() {
      return endsInOrder;
    },
  };
}

/** @throws RangeError for a text that no frame has named */
function bind([index, ...params]: StoredTransaction[number], texts: readonly string[]): BoundSql {
  const sql = texts[index];
  if (sql === undefined) throw new RangeError("unknown text");
  return { sql, params };
}
