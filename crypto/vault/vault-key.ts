import { AppError, concatBytes, encodeCbor, type VaultId } from "#protocol";
import { equalConstantTime, hkdf, type RandomSource } from "../primitives/index.ts";

/** A vault key, bytes: 6 of its keyring's revision, big-endian, and 26 random ones. */
const vaultKeyBytes = 32;
const revisionBytes = 6;
const keyCheckBytes = 16;

/** A new key for a keyring's revision. Secret: its owner wipes it. */
export function createVaultKey(revision: number, random: RandomSource): Uint8Array {
  const prefix = new Uint8Array(revisionBytes);
  let rest = revision;
  for (let at = revisionBytes - 1; at >= 0; at--) {
    prefix[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  if (rest > 0) throw new AppError("internal", { data: { reason: "revision out of range" } });
  return concatBytes(prefix, random(vaultKeyBytes - revisionBytes));
}

/** The revision that a vault key says it is for; undefined for what has another size. */
export function revisionOf(vaultKey: Uint8Array): number | undefined {
  if (vaultKey.length !== vaultKeyBytes) return undefined;
  return vaultKey.subarray(0, revisionBytes).reduce((value, byte) => value * 256 + byte, 0);
}

/** A public value that tells one vault key from another, from which the key doesn't follow; 16 bytes. */
export function keyCheckOf(vaultId: VaultId, vaultKey: Uint8Array): Uint8Array {
  const info = encodeCbor(["Sotto 1.0", "key check", vaultId]);
  return hkdf("SHA-256", vaultKey, { info, sizeBytes: keyCheckBytes });
}

/** Whether a key is the one that a key check was made of. */
export function matchesKeyCheck(
  vaultId: VaultId,
  vaultKey: Uint8Array,
  keyCheck: Uint8Array,
): boolean {
  return equalConstantTime(keyCheckOf(vaultId, vaultKey), keyCheck);
}
