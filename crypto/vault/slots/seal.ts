import {
  AppError,
  encodeCbor,
  type KeySlotKind,
  type SealedVaultKey,
  type VaultId,
} from "#protocol";
import { createHpke, type HpkeBase, type HpkeBinding } from "../../mls/hpke/hpke.ts";
import { createXWingKem } from "../../mls/hpke/seed-kem.ts";
import { aes256Gcm, type Primitives } from "../../primitives/index.ts";

/** What a wrapped vault key is bound to. */
export interface SlotPlace {
  readonly vaultId: VaultId;
  readonly kind: KeySlotKind;
  /** Of the keyring that the vault key seals. */
  readonly revision: number;
}

/** HPKE with X-Wing, HKDF-SHA-256 and AES-256-GCM. Source: RFC 9180 §7.2, §7.3; draft-ietf-hpke-pq-05 §4. */
function slotHpke(primitives: Primitives): HpkeBase {
  return createHpke({
    kem: createXWingKem(primitives),
    hash: "SHA-256",
    aead: aes256Gcm,
    aeadId: 2,
  });
}

function bindingOf({ vaultId, kind, revision }: SlotPlace): HpkeBinding {
  return {
    info: encodeCbor(["Sotto 1.0", "key slot", kind, vaultId]),
    aad: encodeCbor(["revision", revision]),
  };
}

/**
 * Wraps a vault key for whoever has the private key of `publicKey`.
 *
 * @throws AppError `argument-invalid` for what isn't an X-Wing public key
 */
export function sealVaultKey(
  primitives: Primitives,
  publicKey: Uint8Array,
  place: SlotPlace,
  vaultKey: Uint8Array,
): SealedVaultKey {
  const { encapsulated, ciphertext } = slotHpke(primitives).seal(
    publicKey,
    bindingOf(place),
    vaultKey,
  );
  return { publicKey, kemOutput: encapsulated, ciphertext };
}

/**
 * Unwraps a vault key.
 *
 * @param privateKey - the one that belongs to the slot's public key
 * @returns the vault key. Secret: the caller wipes it.
 * @throws AppError `vault-damaged`
 */
export function openVaultKey(
  primitives: Primitives,
  privateKey: Uint8Array,
  place: SlotPlace,
  { kemOutput, ciphertext }: SealedVaultKey,
): Uint8Array {
  const damaged = (cause?: unknown): AppError =>
    new AppError("vault-damaged", { cause, data: { slot: place.kind } });
  let vaultKey: Uint8Array | undefined;
  try {
    vaultKey = slotHpke(primitives).open(privateKey, kemOutput, bindingOf(place), ciphertext);
  } catch (cause) {
    throw damaged(cause);
  }
  if (vaultKey === undefined) throw damaged();
  return vaultKey;
}
