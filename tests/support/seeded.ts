/** Repeatable randomness for schedules: the same seed gives the same numbers. Never for keys. */
export interface SeededRandom {
  /** A whole number from 0 to `below` - 1. */
  readonly below: (below: number) => number;
  readonly bytes: (sizeBytes: number) => Uint8Array;
  readonly pick: <Item>(items: readonly Item[]) => Item;
}

/** Mulberry32. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (bound: number): number => next() % bound;
  return {
    below,
    bytes: (sizeBytes) => Uint8Array.from({ length: sizeBytes }, () => below(256)),
    pick(items) {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
  };
}
