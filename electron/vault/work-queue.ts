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
  /** Until there is none. */
  idle(): Promise<void>;
}

/**
 * @param begin - begins the next step; null: there is none. Must tell so at once: what is asked for while it makes up its mind
 * would be missed. The step never fails.
 */
export function createWorkQueue(begin: () => Promise<void> | null): WorkQueue {
  let work: Promise<void> | null = null;

  const workOff = async () => {
    await Promise.resolve();
    for (let step = begin(); step !== null; step = begin()) await step;
    work = null;
  };

  return {
    wake() {
      work ??= workOff();
    },
    async idle() {
      while (work !== null) await work;
    },
  };
}
