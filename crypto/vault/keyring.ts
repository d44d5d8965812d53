import * as v from "valibot";
import { AppError, decodeCbor, encodeCbor, exactBytesSchema, parse, type VaultId } from "#protocol";
import { hkdf, SecretBytes, wipe, type RandomSource } from "../primitives/index.ts";
import { createBox, deriveKey, type Box } from "./box.ts";

/** The vault key and the root key, bytes. */
export const vaultKeyBytes = 32;
const keyCheckBytes = 16;
const maxKeyringBytes = 4096;
const format = 1;

const keyringSchema = v.strictObject({
  format: v.literal(format),
  rootKey: exactBytesSchema(vaultKeyBytes),
});

function keyringBox(vaultId: VaultId, vaultKey: Uint8Array, random: RandomSource): Box {
  if (vaultKey.length !== vaultKeyBytes) {
    throw new AppError("argument-invalid", { data: { keyBytes: vaultKey.length } });
  }
  return createBox(deriveKey(vaultKey, ["keyring", vaultId]), random);
}

/**
 * A new root key, sealed under the vault key. Everything else in the vault hangs on the root key, so that a new vault key takes no
 * more than a new keyring (docs/adr/0004); the nodes of the key tree will join it there.
 */
export function createKeyring(
  vaultId: VaultId,
  vaultKey: Uint8Array,
  random: RandomSource,
): Uint8Array {
  const rootKey = random(vaultKeyBytes);
  const plain = encodeCbor({ format, rootKey });
  const box = keyringBox(vaultId, vaultKey, random);
  const sealed = box.seal(["keyring", vaultId], plain);
  box.wipe();
  wipe(rootKey, plain);
  return sealed;
}

/**
 * Opens a keyring.
 *
 * @returns the root key. Secret: its owner wipes it.
 * @throws AppError `vault-key-wrong` when the key doesn't open it, `vault-newer-format`
 */
export function openKeyring(
  vaultId: VaultId,
  vaultKey: Uint8Array,
  sealed: Uint8Array,
  random: RandomSource,
): SecretBytes {
  const box = keyringBox(vaultId, vaultKey, random);
  const plain = box.open(["keyring", vaultId], sealed);
  box.wipe();
  if (plain === undefined) throw new AppError("vault-key-wrong");
  const decoded = decodeCbor(plain, maxKeyringBytes);
  wipe(plain);
  if (formatOf(decoded) > format) throw new AppError("vault-newer-format");
  return new SecretBytes(parse(keyringSchema, decoded, "vault-damaged").rootKey);
}

function formatOf(decoded: unknown): number {
  const result = v.safeParse(v.object({ format: v.number() }), decoded);
  return result.success ? result.output.format : format;
}

/** A public value that tells one vault key from another, from which the key doesn't follow; 16 bytes. */
export function keyCheckOf(vaultId: VaultId, vaultKey: Uint8Array): Uint8Array {
  const info = encodeCbor(["Sotto 1.0", "key check", vaultId]);
  return hkdf("SHA-256", vaultKey, { info, sizeBytes: keyCheckBytes });
}
