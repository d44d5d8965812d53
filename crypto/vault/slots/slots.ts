import {
  AppError,
  type KeychainSlot,
  type KeySlot,
  type KeySlotKind,
  type NewKeySlot,
  type OrganisationSlot,
  type PassphraseSlot,
  type RecoveryCodeSlot,
  type SealedVaultKey,
  type VaultId,
  type VaultSecret,
} from "#protocol";
import {
  equalConstantTime,
  wipe,
  type Argon2idCost,
  type Primitives,
} from "../../primitives/index.ts";
import { keyCheckOf } from "../vault-key.ts";
import { createPassphraseKey, openPassphraseKey } from "./passphrase.ts";
import { createRecoveryKey, openRecoveryKey } from "./recovery-code.ts";
import { openVaultKey, sealVaultKey } from "./seal.ts";

/** What making a slot takes. */
export interface SlotMaking {
  readonly primitives: Primitives;
  /** Decides what a passphrase slot costs. */
  readonly passphraseCost: () => Argon2idCost;
  readonly nowMs: number;
}

type Unsealed<Slot> = Omit<Slot, "kemOutput" | "ciphertext">;

/** A slot without what changes with the vault key. */
export type SlotBase =
  | Omit<KeychainSlot, "keyCheck">
  | Unsealed<PassphraseSlot>
  | Unsealed<RecoveryCodeSlot>
  | Unsealed<OrganisationSlot>;

/** The order in which a keyring lists its slots. */
const kinds: readonly KeySlotKind[] = ["keychain", "passphrase", "recovery-code", "organisation"];

/** Slots in their order. */
export function inOrder(slots: readonly SlotBase[]): readonly SlotBase[] {
  return slots.toSorted((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
}

/**
 * Makes a slot.
 *
 * @returns and the recovery code, if it is of that kind
 * @throws AppError `passphrase-weak`
 */
export function createSlot(
  { primitives, passphraseCost, nowMs }: SlotMaking,
  vaultId: VaultId,
  slot: NewKeySlot,
): { readonly base: SlotBase; readonly recoveryCode: string | null } {
  switch (slot.kind) {
    case "keychain":
      return { base: slot, recoveryCode: null };
    case "passphrase": {
      const { passphrase } = slot;
      const key = createPassphraseKey(primitives, { vaultId, passphrase }, passphraseCost);
      return { base: { kind: "passphrase", createdAtMs: nowMs, ...key }, recoveryCode: null };
    }
    case "recovery-code": {
      const { key, code } = createRecoveryKey(primitives, vaultId);
      return { base: { kind: "recovery-code", createdAtMs: nowMs, ...key }, recoveryCode: code };
    }
    case "organisation": {
      const { publicKey } = slot;
      return { base: { kind: "organisation", createdAtMs: nowMs, publicKey }, recoveryCode: null };
    }
  }
}

/**
 * Ties a slot to a vault key.
 *
 * @throws AppError `argument-invalid` for what isn't an X-Wing public key
 */
export function wrapVaultKey(
  primitives: Primitives,
  base: SlotBase,
  { vaultId, revision }: { readonly vaultId: VaultId; readonly revision: number },
  vaultKey: Uint8Array,
): KeySlot {
  if (base.kind === "keychain") return { ...base, keyCheck: keyCheckOf(vaultId, vaultKey) };
  const place = { vaultId, kind: base.kind, revision };
  return { ...base, ...sealVaultKey(primitives, base.publicKey, place, vaultKey) };
}

/** The slot of a kind. @throws AppError `argument-invalid` when there is none */
export function slotOf<Kind extends KeySlotKind>(
  slots: readonly KeySlot[],
  kind: Kind,
): Extract<KeySlot, { readonly kind: Kind }> {
  for (const slot of slots) if (isOfKind(slot, kind)) return slot;
  throw new AppError("argument-invalid", { data: { reason: "no such slot", slot: kind } });
}

function isOfKind<Kind extends KeySlotKind>(
  slot: KeySlot,
  kind: Kind,
): slot is Extract<KeySlot, { readonly kind: Kind }> {
  return slot.kind === kind;
}

/** A secret of a slot that wraps the vault key. */
export type SealedSlotSecret = Exclude<VaultSecret, { readonly kind: "keychain" }>;

/**
 * Unwraps the vault key.
 *
 * @returns the vault key. Secret: the caller wipes it.
 * @throws AppError `passphrase-wrong`, `recovery-code-wrong`, `vault-key-wrong`, `vault-damaged`, `argument-invalid`
 */
export function unwrapVaultKey(
  primitives: Primitives,
  record: {
    readonly vaultId: VaultId;
    readonly revision: number;
    readonly slots: readonly KeySlot[];
  },
  secret: SealedSlotSecret,
): Uint8Array {
  const { vaultId, revision } = record;
  const slot: SealedVaultKey = slotOf(record.slots, secret.kind);
  const privateKey = privateKeyOf(primitives, record, secret);
  try {
    return openVaultKey(primitives, privateKey, { vaultId, kind: secret.kind, revision }, slot);
  } finally {
    wipe(privateKey);
  }
}

function privateKeyOf(
  primitives: Primitives,
  { vaultId, slots }: { readonly vaultId: VaultId; readonly slots: readonly KeySlot[] },
  secret: SealedSlotSecret,
): Uint8Array {
  switch (secret.kind) {
    case "passphrase": {
      const { passphrase } = secret;
      const slot = slotOf(slots, "passphrase");
      const privateKey = openPassphraseKey(primitives, { vaultId, slot, passphrase });
      if (privateKey === undefined) throw new AppError("passphrase-wrong");
      return privateKey;
    }
    case "recovery-code": {
      const slot = slotOf(slots, "recovery-code");
      const privateKey = openRecoveryKey(primitives, { vaultId, slot, code: secret.code });
      if (privateKey === undefined) throw new AppError("recovery-code-wrong");
      return privateKey;
    }
    case "organisation": {
      const { publicKey } = slotOf(slots, "organisation");
      const privateKey = secret.privateKey.slice();
      const isRight = equalConstantTime(primitives.xwing.publicKeyOf(privateKey), publicKey);
      if (isRight) return privateKey;
      wipe(privateKey);
      throw new AppError("vault-key-wrong");
    }
  }
}
