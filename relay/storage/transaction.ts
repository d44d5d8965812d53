import type { Change, KeyRange, RelayStorage, StorageKey, StoredValue } from "./port.ts";
import type { Slot } from "./slot.ts";

type Bytes = Uint8Array | undefined;

/** Reads slots. */
export interface Reader {
  load<Value>(slot: Slot<Value>): Promise<Value | undefined>;
  /** Several slots of one moment. */
  loadAll<Value>(slots: readonly Slot<Value>[]): Promise<readonly (Value | undefined)[]>;
  listKeys(range: KeyRange): Promise<readonly StorageKey[]>;
}

/** Reads from storage as it is, for answers that change nothing. */
export function readerOf(storage: RelayStorage): Reader {
  return {
    load: async (slot) => {
      const [value] = await storage.read([slot.key]);
      return value === undefined ? undefined : slot.decode(value.bytes);
    },
    loadAll: async (slots) => {
      const values = await storage.read(slots.map(({ key }) => key));
      return slots.map((slot, index) => {
        const value = values[index];
        return value === undefined ? undefined : slot.decode(value.bytes);
      });
    },
    listKeys: async (range) => (await storage.list(range)).map(({ key }) => key),
  };
}

/** What several units of work change together: it reads through, remembers what it saw, and becomes one {@link Change}. */
export class Batch {
  readonly #storage: RelayStorage;
  readonly #seen = new Map<StorageKey, StoredValue | undefined>();
  readonly #writes = new Map<StorageKey, Uint8Array | null>();
  #sizeBytes = 0;

  constructor(storage: RelayStorage) {
    this.#storage = storage;
  }

  /** Bytes to be written. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async read(keys: readonly StorageKey[]): Promise<readonly Bytes[]> {
    const unseen = keys.filter((key) => !this.#writes.has(key) && !this.#seen.has(key));
    if (unseen.length > 0) {
      const values = await this.#storage.read(unseen);
      unseen.forEach((key, index) => this.#seen.set(key, values[index]));
    }
    return keys.map((key) => {
      const written = this.#writes.get(key);
      return written === undefined ? this.#seen.get(key)?.bytes : (written ?? undefined);
    });
  }

  /** Lists aren't checked at the commit: what rests on one must not go wrong when another process adds a key meanwhile. */
  async list(range: KeyRange, above: Transaction): Promise<readonly StorageKey[]> {
    const overlay = [...this.#writes, ...above.writes].filter(
      ([key]) => key.startsWith(range.prefix) && (range.after === null || key > range.after),
    );
    // As many more as the overlay may have removed.
    const stored = await this.#storage.list({ ...range, limit: range.limit + overlay.length });
    const keys = new Set(stored.map(({ key }) => key));
    for (const [key, value] of overlay) {
      if (value === null) keys.delete(key);
      else keys.add(key);
    }
    return [...keys].sort().slice(0, range.limit);
  }

  /** Takes over what a unit of work wrote. */
  absorb(transaction: Transaction): void {
    for (const [key, value] of transaction.writes) {
      this.#writes.set(key, value);
      this.#sizeBytes += key.length + (value?.length ?? 0);
    }
  }

  toChange(): Change {
    return {
      checks: Array.from(this.#seen, ([key, value]) => ({
        key,
        revision: value?.revision ?? null,
      })),
      writes: Array.from(this.#writes, ([key, value]) => ({ key, value })),
    };
  }
}

/** One unit of work: its writes count only when it ends well, its effects only when they are durable. */
export class Transaction implements Reader {
  readonly #batch: Batch;
  readonly #writes = new Map<StorageKey, Uint8Array | null>();
  readonly #effects: (() => void)[] = [];

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  get writes(): ReadonlyMap<StorageKey, Uint8Array | null> {
    return this.#writes;
  }

  get effects(): readonly (() => void)[] {
    return this.#effects;
  }

  async load<Value>(slot: Slot<Value>): Promise<Value | undefined> {
    const [value] = await this.loadAll([slot]);
    return value;
  }

  async loadAll<Value>(slots: readonly Slot<Value>[]): Promise<readonly (Value | undefined)[]> {
    const below = await this.#batch.read(
      slots.map(({ key }) => key).filter((key) => !this.#writes.has(key)),
    );
    let next = 0;
    return slots.map((slot) => {
      const own = this.#writes.get(slot.key);
      const bytes = own === undefined ? below[next++] : (own ?? undefined);
      return bytes === undefined ? undefined : slot.decode(bytes);
    });
  }

  listKeys(range: KeyRange): Promise<readonly StorageKey[]> {
    return this.#batch.list(range, this);
  }

  store<Value>(slot: Slot<Value>, value: NoInfer<Value>): void {
    this.#writes.set(slot.key, slot.encode(value));
  }

  remove(slot: { readonly key: StorageKey }): void {
    this.#writes.set(slot.key, null);
  }

  /** Done once, after the change is durable: telling others, waking a timer. */
  afterCommit(effect: () => void): void {
    this.#effects.push(effect);
  }
}
