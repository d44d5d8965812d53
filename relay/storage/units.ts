import { AppError, ensureAppError } from "#protocol";
import type { RelayStorage } from "./port.ts";
import { Batch, Transaction } from "./transaction.ts";

/** Reads and writes through the transaction alone: it may run again when storage changed under it. */
export type Work<Result> = (transaction: Transaction) => Promise<Result>;

/** Runs units of work against storage, in order within a scope. */
export interface Units {
  /**
   * Runs `work` after everything begun before it in `scope`, and resolves when what it wrote is durable.
   *
   * @param scope - what work shares: a conversation, the directory. Order of calls is order of effects.
   * @throws AppError what `work` threw; `relay-storage-failed`
   */
  run<Result>(scope: string, work: Work<Result>): Promise<Result>;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}

interface Unit {
  readonly work: Work<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: AppError) => void;
}

/** Units that share one commit, hence one sync of the disk: at most this many, or this many bytes. */
const maxUnits = 64;
const maxBatchBytes = 8 * 1024 * 1024;
/** A unit that loses against other scopes or processes this often gives up. */
const maxAttempts = 50;

/** Makes the runner over a storage. */
export function createUnits(storage: RelayStorage): Units {
  const queues = new Map<string, Unit[]>();
  const running = new Set<Promise<void>>();

  const drain = async (scope: string, queue: Unit[]): Promise<void> => {
    // The turn's other requests join the first batch.
    await Promise.resolve();
    while (queue.length > 0) await runTogether(storage, queue);
    queues.delete(scope);
  };

  return {
    run: <Result>(scope: string, work: Work<Result>) =>
      new Promise<Result>((resolve, reject) => {
        const unit: Unit = {
          work,
          // `result` is what this very `work` gave.
          resolve: (result) => {
            resolve(result as Result);
          },
          reject,
        };
        const queue = queues.get(scope);
        if (queue !== undefined) {
          queue.push(unit);
          return;
        }
        const started = [unit];
        queues.set(scope, started);
        const run = drain(scope, started).finally(() => running.delete(run));
        running.add(run);
      }),
    settled: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** Takes units from the front of `queue` and commits them as one change. */
async function runTogether(storage: RelayStorage, queue: Unit[]): Promise<void> {
  const batch = new Batch(storage);
  const ended: { unit: Unit; settle: () => void }[] = [];
  while (queue.length > 0 && ended.length < maxUnits && batch.sizeBytes < maxBatchBytes) {
    const unit = queue.shift();
    if (unit === undefined) break;
    ended.push({ unit, settle: await runOne(batch, unit) });
  }
  try {
    const change = batch.toChange();
    if (change.writes.length === 0 || (await storage.commit(change)) === "committed") {
      for (const { settle } of ended) settle();
      return;
    }
  } catch (error) {
    // What a unit found may rest on what another one wrote, so none of them counts.
    for (const { unit } of ended) unit.reject(ensureAppError(error));
    return;
  }
  // Somebody outside this scope was faster. One by one now, so that each conflict hits only its own.
  for (const { unit } of ended) await runAlone(storage, unit);
}

async function runAlone(storage: RelayStorage, unit: Unit): Promise<void> {
  try {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const batch = new Batch(storage);
      const settle = await runOne(batch, unit);
      const change = batch.toChange();
      if (change.writes.length === 0 || (await storage.commit(change)) === "committed") {
        settle();
        return;
      }
    }
    throw new AppError("relay-storage-failed", { data: { reason: "contention" } });
  } catch (error) {
    unit.reject(ensureAppError(error));
  }
}

/** @returns what tells the unit's caller how it ended, to be called when that is durable */
async function runOne(batch: Batch, unit: Unit): Promise<() => void> {
  const transaction = new Transaction(batch);
  try {
    const result = await unit.work(transaction);
    batch.absorb(transaction);
    return () => {
      for (const effect of transaction.effects) effect();
      unit.resolve(result);
    };
  } catch (error) {
    return () => {
      unit.reject(ensureAppError(error));
    };
  }
}
