/** Something asked for, and who waits for it. */
export interface Waiting<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Runs work when there is some, one step after another. */
export interface WorkQueue {
  /** There may be work. It begins in a later microtask, so that what is asked for in one go is found together. */
  wake(): void;
  /** Runs a task as the next step. */
  exclusively<Result>(task: () => Promise<Result> | Result): Promise<Result>;
  /** Until there is none. */
  idle(): Promise<void>;
}

/**
 * @param begin - begins the next step; null: there is none. Must tell so at once: what is asked for while it makes up its mind
 * would be missed. The step never fails.
 */
export function createWorkQueue(begin: () => Promise<void> | null): WorkQueue {
  const tasks: (() => Promise<void>)[] = [];
  let work: Promise<void> | null = null;

  const next = () => tasks.shift()?.() ?? begin();
  const workOff = async () => {
    await Promise.resolve();
    for (let step = next(); step !== null; step = next()) await step;
    work = null;
  };
  const wake = () => {
    work ??= workOff();
  };

  return {
    wake,
    exclusively: (task) =>
      new Promise((resolve, reject) => {
        tasks.push(async () => {
          try {
            resolve(await task());
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
        wake();
      }),
    async idle() {
      while (work !== null) await work;
    },
  };
}
