import {
  AppError,
  type KeychainEntries,
  type KeychainKeys,
  type KeyringRecord,
  type KeySlot,
  type VaultId,
  type VaultSecret,
} from "#protocol";
import { equalConstantTime, SecretBytes, wipe, type Primitives } from "../primitives/index.ts";
import { openKeyring, type KeyringKeys } from "./keyring.ts";
import { slotOf, unwrapVaultKey } from "./slots/slots.ts";
import { createVaultKey, matchesKeyCheck, revisionOf } from "./vault-key.ts";

/** A keyring that was opened. Secret: its keys; its owner wipes them. */
export interface UnlockedKeyring {
  readonly vaultId: VaultId;
  readonly revision: number;
  readonly slots: readonly KeySlot[];
  readonly keys: KeyringKeys;
  readonly vaultKey: SecretBytes;
  /** Of the next revision; nothing is sealed under it yet. */
  readonly nextVaultKey: SecretBytes;
  readonly sealedBytes: number;
}

/**
 * Opens a keyring with the secret of a slot.
 *
 * @throws AppError with the codes of `vault.unlock`
 */
export function unlockKeyring(
  primitives: Primitives,
  record: KeyringRecord,
  secret: VaultSecret,
): UnlockedKeyring {
  const { random } = primitives;
  const { vaultId, revision, slots, sealedKeyring } = record;
  const vaultKey = new SecretBytes(
    secret.kind === "keychain"
      ? fromKeychain(record, secret.entries)
      : unwrapVaultKey(primitives, record, secret),
  );
  try {
    const keys = vaultKey.use((key) => openKeyring(record, key, random));
    const stored = secret.kind === "keychain" ? nextIn(secret.entries, revision) : undefined;
    const nextVaultKey = new SecretBytes(stored ?? createVaultKey(revision + 1, random));
    const sealedBytes = sealedKeyring.length;
    return { vaultId, revision, slots, keys, vaultKey, nextVaultKey, sealedBytes };
  } catch (error) {
    vaultKey.wipe();
    throw error;
  }
}

/** What the keychain is to hold for a keyring. Secret: the result. */
export function keychainKeysOf({
  revision,
  vaultKey,
  nextVaultKey,
}: Pick<UnlockedKeyring, "revision" | "vaultKey" | "nextVaultKey">): KeychainKeys {
  const present = vaultKey.use((key) => key.slice());
  const next = nextVaultKey.use((key) => key.slice());
  return revision % 2 === 0 ? [present, next] : [next, present];
}

/** How a keychain stands to a keyring. */
export type KeychainComparison =
  /** It holds the keyring's key and, for the next one, this. */
  | { readonly state: "in-step"; readonly nextVaultKey: SecretBytes }
  | { readonly state: "behind" | "ahead" };

/** @param entries - what the keychain holds */
export function compareEntries(
  { revision, vaultKey }: Pick<UnlockedKeyring, "revision" | "vaultKey">,
  entries: KeychainEntries,
): KeychainComparison {
  if (isAhead(entries, revision)) return { state: "ahead" };
  const present = entries[entryOf(revision)];
  const next = nextIn(entries, revision);
  if (present === null || next === undefined) return { state: "behind" };
  if (!vaultKey.use((key) => equalConstantTime(key, present))) {
    // Of the same revision, and not this keyring's: an older copy was gone on with while the keychain could not be asked, and has caught up
    // with the number of the one that it is a copy of.
    const state = revisionOf(present) === revision ? "ahead" : "behind";
    wipe(next);
    return { state };
  }
  return { state: "in-step", nextVaultKey: new SecretBytes(next) };
}

function fromKeychain(
  { vaultId, revision, slots }: KeyringRecord,
  entries: KeychainEntries,
): Uint8Array {
  const { keyCheck } = slotOf(slots, "keychain");
  if (isAhead(entries, revision)) {
    throw new AppError("vault-rolled-back", { data: { revision } });
  }
  const entry = entries[entryOf(revision)];
  if (entry === null) throw new AppError("vault-key-missing");
  if (!matchesKeyCheck(vaultId, entry, keyCheck)) throw new AppError("vault-key-wrong");
  return entry.slice();
}

function entryOf(revision: number): 0 | 1 {
  return revision % 2 === 0 ? 0 : 1;
}

function nextIn(entries: KeychainEntries, revision: number): Uint8Array | undefined {
  const entry = entries[entryOf(revision + 1)];
  return entry !== null && revisionOf(entry) === revision + 1 ? entry.slice() : undefined;
}

/** Whether the keychain belongs to a later keyring: it holds later keys only, and not just the next one. */
function isAhead(entries: KeychainEntries, revision: number): boolean {
  const found = entries.flatMap((entry) => (entry === null ? [] : [revisionOf(entry) ?? 0]));
  return found.every((at) => at > revision) && found.some((at) => at > revision + 1);
}
