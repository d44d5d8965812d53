import { AppError, type PassphraseSlot, type VaultId } from "#protocol";
import {
  argon2idSaltBytes,
  SecretBytes,
  type Argon2idCost,
  type Primitives,
} from "../primitives/index.ts";
import { createBox, type Box } from "./box.ts";

/** Fewest characters of a passphrase, and fewest different ones among them. */
const minLength = 12;
const minDifferent = 5;

/** What a passphrase slot costs: about a second on a small machine of today. Source: RFC 9106 §4, with more memory. */
export const passphraseCost: Argon2idCost = { passes: 3, memoryBytes: 128 * 1024 * 1024 };

/** Beyond this a slot was not written by us, and reading it would only hold the machine up. */
const maxCost: Argon2idCost = { passes: 16, memoryBytes: 1024 * 1024 * 1024 };

/**
 * A way to the vault key through a passphrase. Blocks for about a second.
 *
 * @param passphrase - any Unicode; how its characters were composed doesn't matter (RFC 8265 §4.2.1)
 * @throws AppError `passphrase-weak`
 */
export function createPassphraseSlot(
  primitives: Primitives,
  input: { readonly vaultId: VaultId; readonly vaultKey: Uint8Array; readonly passphrase: string },
  cost: Argon2idCost = passphraseCost,
): PassphraseSlot {
  const characters = Array.from(input.passphrase.normalize("NFC"));
  if (characters.length < minLength || new Set(characters).size < minDifferent) {
    throw new AppError("passphrase-weak");
  }
  const salt = primitives.random(argon2idSaltBytes);
  const box = slotBox(primitives, input.passphrase, salt, cost);
  const sealedVaultKey = box.seal(["passphrase slot", input.vaultId], input.vaultKey);
  box.wipe();
  return { kind: "passphrase", salt, ...cost, sealedVaultKey };
}

/**
 * Opens a slot.
 *
 * @returns the vault key. Secret: the caller wipes it.
 * @throws AppError `passphrase-wrong`, also for a slot that was tampered with
 */
export function openPassphraseSlot(
  primitives: Primitives,
  { vaultId, slot, passphrase }: { vaultId: VaultId; slot: PassphraseSlot; passphrase: string },
): Uint8Array {
  const { passes, memoryBytes, salt, sealedVaultKey } = slot;
  const foreign =
    passes > maxCost.passes ||
    memoryBytes > maxCost.memoryBytes ||
    salt.length !== argon2idSaltBytes;
  if (foreign) throw new AppError("passphrase-wrong", { data: { reason: "slot not of Sotto" } });
  const box = slotBox(primitives, passphrase, salt, { passes, memoryBytes });
  const vaultKey = box.open(["passphrase slot", vaultId], sealedVaultKey);
  box.wipe();
  if (vaultKey === undefined) throw new AppError("passphrase-wrong");
  return vaultKey;
}

function slotBox(
  { argon2id, random }: Primitives,
  passphrase: string,
  salt: Uint8Array,
  cost: Argon2idCost,
): Box {
  const bytes = new TextEncoder().encode(passphrase.normalize("NFC"));
  try {
    return createBox(new SecretBytes(argon2id(bytes, salt, cost, 32)), random);
  } finally {
    bytes.fill(0);
  }
}
