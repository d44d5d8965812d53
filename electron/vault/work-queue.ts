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
 * @param step - does some of the work; false: there was none. Never throws.
 */
export function createWorkQueue(step: () => Promise<boolean>): WorkQueue {
  let work: Promise<void> | null = null;

  const workOff = async () => {
    await Promise.resolve();
    while (await step());
    // In the same turn as the last look, so that nothing is asked for in between and missed.
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
