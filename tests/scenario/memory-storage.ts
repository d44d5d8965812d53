import type { Change, RelayStorage, StorageKey, StoredValue } from "../../relay/storage/port.ts";
import { createTopics } from "../../relay/storage/topics.ts";

/** A relay's storage without a disk: what was committed is there. */
export function createMemoryStorage(): RelayStorage {
  const values = new Map<StorageKey, StoredValue>();
  /** In order. */
  const keys: StorageKey[] = [];
  let revision = 0;

  /** The place of the first key that isn't before `key`. */
  const placeOf = (key: string): number => {
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const write = ({ key, value }: Change["writes"][number]): void => {
    const known = values.has(key);
    if (value === null) {
      if (known) keys.splice(placeOf(key), 1);
      values.delete(key);
      return;
    }
    if (!known) keys.splice(placeOf(key), 0, key);
    values.set(key, { bytes: value.slice(), revision });
  };

  return {
    ...createTopics(),
    read: (wanted) => Promise.resolve(wanted.map((key) => values.get(key))),
    list({ prefix, after, limit }) {
      const found = [];
      const from = after === null || after < prefix ? prefix : after;
      for (let index = placeOf(from); index < keys.length && found.length < limit; index += 1) {
        const key = keys[index]!;
        if (!key.startsWith(prefix)) break;
        if (key === after) continue;
        found.push({ key, bytes: values.get(key)!.bytes });
      }
      return Promise.resolve(found);
    },
    commit({ checks, writes }) {
      if (checks.some((check) => (values.get(check.key)?.revision ?? null) !== check.revision)) {
        return Promise.resolve("conflict");
      }
      revision += 1;
      for (const each of writes) write(each);
      return Promise.resolve("committed");
    },
    close: () => Promise.resolve(),
  };
}
