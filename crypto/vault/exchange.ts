import {
  AppError,
  type KeyLeaf,
  type KeyringChange,
  type KeyringRecord,
  type KeySlot,
  type VaultId,
} from "#protocol";
import { SecretBytes, wipe } from "../primitives/index.ts";
import { createKeys, keepGenerations, sealKeyring, wipeKeys, type KeyringKeys } from "./keyring.ts";
import {
  createSlot,
  inOrder,
  wrapVaultKey,
  type SlotBase,
  type SlotMaking,
} from "./slots/slots.ts";
import type { UnlockedKeyring } from "./unlock.ts";
import { createVaultKey } from "./vault-key.ts";

/*
 * Replacing a keyring by the next one, under the next vault key (docs/adr/0014).
 */

/** A keyring that waits for its file to be written. Secret: all of it; one of the two ways to settle wipes what it must. */
export interface PreparedKeyring {
  readonly record: KeyringRecord;
  readonly next: UnlockedKeyring;
  readonly recoveryCode: string | null;
  /** Seeds that only the keyring before has. */
  readonly gone: readonly Uint8Array[];
  /** Seeds that only this one has. */
  readonly made: readonly Uint8Array[];
}

interface Wanted {
  readonly slots: readonly SlotBase[];
  readonly recoveryCode: string | null;
  readonly current: number | null;
  readonly leaves: readonly KeyLeaf[];
  readonly hoursBefore: number | null;
}

/**
 * The first keyring of a new vault.
 *
 * @param slots - at least one
 * @throws AppError `argument-invalid` without a slot
 */
export function createKeyring(
  making: SlotMaking,
  vaultId: VaultId,
  slots: readonly SlotBase[],
): UnlockedKeyring & { readonly record: KeyringRecord } {
  const { random } = making.primitives;
  const keys = createKeys(random);
  const vaultKey = new SecretBytes(createVaultKey(1, random));
  const record = sealed(making, { vaultId, revision: 1, keys, vaultKey }, slots);
  return {
    vaultId,
    revision: 1,
    slots: record.slots,
    keys,
    vaultKey,
    nextVaultKey: new SecretBytes(createVaultKey(2, random)),
    sealedBytes: record.sealedKeyring.length,
    record,
  };
}

/**
 * Makes the keyring that follows, which shares what doesn't change with the present one.
 *
 * @throws AppError with the codes of `vault.prepareKeyring`
 */
export function prepareKeyring(
  making: SlotMaking,
  present: UnlockedKeyring,
  changes: readonly KeyringChange[],
): PreparedKeyring {
  const { random } = making.primitives;
  const { vaultId, keys } = present;
  const wanted = wantedBy(making, present, changes);
  const { current } = wanted;
  if (current !== null && !keys.generations.has(current)) {
    throw new AppError("argument-invalid", { data: { reason: "no such generation", current } });
  }
  const { tree, gone, made } = keys.tree.puncture(wanted);
  const generations =
    current === null ? keys.generations : keepGenerations(keys.generations, current, random);
  const nextKeys: KeyringKeys = { rootKey: keys.rootKey, generations, tree };
  const revision = present.revision + 1;
  // A keychain that is left still holds the key that was meant to be the next one.
  const leavesKeychain = hasKeychain(present) && !hasKeychain(wanted);
  const next = {
    vaultId,
    revision,
    keys: nextKeys,
    vaultKey: leavesKeychain
      ? new SecretBytes(createVaultKey(revision, random))
      : present.nextVaultKey,
    nextVaultKey: new SecretBytes(createVaultKey(revision + 1, random)),
  };
  try {
    const record = sealed(making, next, wanted.slots);
    const sealedBytes = record.sealedKeyring.length;
    return {
      record,
      next: { ...next, slots: record.slots, sealedBytes },
      recoveryCode: wanted.recoveryCode,
      gone,
      made,
    };
  } catch (error) {
    wipe(...made);
    dropGenerations(generations, keys.generations);
    wipeVaultKeys(present, next);
    throw error;
  }
}

/** The file was written: destroys what only the keyring before has. */
export function wipePresent(present: UnlockedKeyring, { next, gone }: PreparedKeyring): void {
  wipe(...gone);
  dropGenerations(present.keys.generations, next.keys.generations);
  present.vaultKey.wipe();
  if (present.nextVaultKey !== next.vaultKey) present.nextVaultKey.wipe();
}

/** The file was not written: destroys what only the prepared keyring has. */
export function wipePrepared(present: UnlockedKeyring, { next, made }: PreparedKeyring): void {
  wipe(...made);
  dropGenerations(next.keys.generations, present.keys.generations);
  wipeVaultKeys(present, next);
}

/** Wipes a keyring. */
export function wipeKeyring({ keys, vaultKey, nextVaultKey }: UnlockedKeyring): void {
  wipeKeys(keys);
  vaultKey.wipe();
  nextVaultKey.wipe();
}

/** What the keychain is to hold instead of the vault key that goes; null without a keychain slot. Secret: the result. */
export function keychainKeyOf(next: UnlockedKeyring): Uint8Array | null {
  if (!hasKeychain(next)) return null;
  return next.nextVaultKey.use((key) => key.slice());
}

function hasKeychain({ slots }: { readonly slots: readonly SlotBase[] }): boolean {
  return slots.some(({ kind }) => kind === "keychain");
}

type VaultKeys = Pick<UnlockedKeyring, "vaultKey" | "nextVaultKey">;

/** Wipes the vault keys that were made for a keyring which doesn't come. */
function wipeVaultKeys(present: VaultKeys, next: VaultKeys): void {
  if (next.vaultKey !== present.nextVaultKey) next.vaultKey.wipe();
  next.nextVaultKey.wipe();
}

type Generations = ReadonlyMap<number, SecretBytes>;

function dropGenerations(from: Generations, kept: Generations): void {
  for (const [generation, key] of from) if (kept.get(generation) !== key) key.wipe();
}

function sealed(
  { primitives }: SlotMaking,
  keyring: Pick<UnlockedKeyring, "vaultId" | "revision" | "keys" | "vaultKey">,
  bases: readonly SlotBase[],
): KeyringRecord {
  const { vaultId, revision, keys, vaultKey } = keyring;
  return vaultKey.use((key) => {
    const slots: readonly KeySlot[] = inOrder(bases).map((base) =>
      wrapVaultKey(primitives, base, { vaultId, revision }, key),
    );
    const place = { vaultId, revision, slots };
    return { ...place, sealedKeyring: sealKeyring(place, key, keys, primitives.random) };
  });
}

/** All changes as one, in their order. */
function wantedBy(
  making: SlotMaking,
  { vaultId, slots }: UnlockedKeyring,
  changes: readonly KeyringChange[],
): Wanted {
  const leaves = changes.flatMap((change) => (change.kind === "destroy" ? change.leaves : []));
  let wanted: Wanted = { slots, recoveryCode: null, current: null, leaves, hoursBefore: null };
  const others = (kind: KeySlot["kind"]): readonly SlotBase[] =>
    wanted.slots.filter((slot) => slot.kind !== kind);
  for (const change of changes) {
    switch (change.kind) {
      case "destroy": {
        const { hoursBefore } = change;
        if (hoursBefore === null) break;
        wanted = { ...wanted, hoursBefore: Math.max(hoursBefore, wanted.hoursBefore ?? 0) };
        break;
      }
      case "generation":
        wanted = { ...wanted, current: change.current };
        break;
      case "set-slot": {
        const { base, recoveryCode } = createSlot(making, vaultId, change.slot);
        wanted = {
          ...wanted,
          slots: [...others(base.kind), base],
          recoveryCode: recoveryCode ?? wanted.recoveryCode,
        };
        break;
      }
      case "remove-slot": {
        const left = others(change.slot);
        if (left.length === wanted.slots.length || left.length === 0) {
          const reason = left.length === 0 ? "the last slot" : "no such slot";
          throw new AppError("argument-invalid", { data: { reason, slot: change.slot } });
        }
        wanted = { ...wanted, slots: left };
        break;
      }
    }
  }
  return wanted;
}
