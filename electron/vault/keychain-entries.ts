import { AppError, equalBytes, type KeychainEntries, type KeychainKeys } from "#protocol";
import type { Keychain } from "../keychain/index.ts";

/** What the keychain holds for one vault. */
export interface EntriesReading {
  /** Secret: who reads them wipes them, see {@link wipeEntries}. */
  readonly entries: KeychainEntries;
  /** Whether something lies under our name that is no key at all; it counts as no entry. */
  readonly isForeign: boolean;
}

function entryName(account: string, index: number): string {
  return `${account}/${index}`;
}

/** @throws AppError `keychain-*` */
export async function readEntries(keychain: Keychain, account: string): Promise<EntriesReading> {
  let isForeign = false;
  const read = async (index: number) => {
    try {
      return await keychain.get(entryName(account, index));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "vault-key-wrong") throw error;
      isForeign = true;
      return null;
    }
  };
  const first = await read(0);
  try {
    return { entries: [first, await read(1)], isForeign };
  } catch (error) {
    first?.fill(0);
    throw error;
  }
}

/** Whose entries they are. */
export interface EntriesPlace {
  readonly keychain: Keychain;
  readonly account: string;
  readonly revision: number;
}

/**
 * Writes the entries that are not as they should be. That of the present keyring comes first: until it is there, nothing else is given up.
 *
 * @param signal - no entry is begun once it was aborted
 * @throws AppError `keychain-*`, or the signal's reason
 */
export async function writeEntries(
  place: EntriesPlace,
  keys: KeychainKeys,
  signal?: AbortSignal,
): Promise<void> {
  const { keychain, account, revision } = place;
  const { entries } = await readEntries(keychain, account);
  const present = revision % 2 === 0 ? (0 as const) : (1 as const);
  const other = present === 0 ? (1 as const) : (0 as const);
  try {
    for (const index of [present, other]) {
      const entry = entries[index];
      // Not in constant time: both are this vault's keys, and who measures here could ask the keychain for them.
      if (entry !== null && equalBytes(entry, keys[index])) continue;
      signal?.throwIfAborted();
      await keychain.set(entryName(account, index), keys[index]);
    }
  } finally {
    wipeEntries(entries);
  }
}

/** Deletes both entries, even when one of them can't be. @throws AppError `keychain-*` */
export async function deleteEntries(keychain: Keychain, account: string): Promise<void> {
  const outcomes = [];
  for (const index of [0, 1]) {
    outcomes.push(...(await Promise.allSettled([keychain.delete(entryName(account, index))])));
  }
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

export function wipeEntries(entries: KeychainEntries): void {
  for (const entry of entries) entry?.fill(0);
}

export function wipeReading({ entries }: EntriesReading): void {
  wipeEntries(entries);
}
