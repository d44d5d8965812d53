import { encodeCbor, type RecoveryCodeSlot, type VaultId } from "#protocol";
import { codeSecretBytes, readCode, writeCode } from "../../identity/person-code.ts";
import {
  equalConstantTime,
  hkdf,
  wipe,
  xwingSizes,
  type Primitives,
} from "../../primitives/index.ts";

const saltBytes = 16;

/** The part of a recovery slot that stays the same at each exchange. */
export type RecoveryKey = Pick<RecoveryCodeSlot, "publicKey" | "salt">;

/** A new code, and the key pair that follows from it. Secret: `code`, for the person alone. */
export function createRecoveryKey(
  { random, xwing }: Primitives,
  vaultId: VaultId,
): { readonly key: RecoveryKey; readonly code: string } {
  const secret = random(codeSecretBytes);
  const salt = random(saltBytes);
  const privateKey = privateKeyOf(vaultId, secret, salt);
  const key = { publicKey: xwing.publicKeyOf(privateKey), salt };
  const code = writeCode(secret);
  wipe(secret, privateKey);
  return { key, code };
}

/**
 * The private key of a slot.
 *
 * @param code - as typed: case, blanks and hyphens don't matter, nor O for 0 and I or L for 1
 * @returns undefined for another code. Secret: the caller wipes it.
 */
export function openRecoveryKey(
  { xwing }: Primitives,
  input: { readonly vaultId: VaultId; readonly slot: RecoveryKey; readonly code: string },
): Uint8Array | undefined {
  const secret = readCode(input.code);
  if (secret === undefined) return undefined;
  const privateKey = privateKeyOf(input.vaultId, secret, input.slot.salt);
  wipe(secret);
  if (equalConstantTime(xwing.publicKeyOf(privateKey), input.slot.publicKey)) return privateKey;
  wipe(privateKey);
  return undefined;
}

function privateKeyOf(vaultId: VaultId, secret: Uint8Array, salt: Uint8Array): Uint8Array {
  const info = encodeCbor(["Sotto 1.0", "recovery code", vaultId]);
  return hkdf("SHA-256", secret, { salt, info, sizeBytes: xwingSizes.privateKeyBytes });
}
