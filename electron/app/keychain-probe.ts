import { AppError, ensureAppError, equalBytes, toBase64url, type ErrorCode } from "#protocol";
import type { Keychain } from "../keychain/index.ts";
import type { Random } from "../link/index.ts";

const valueBytes = 32;

/**
 * Whether the keychain keeps what it is given: writes a random value under a name of its own, reads it back and removes it.
 *
 * @returns null when it does, otherwise why not
 */
export async function probeKeychain(keychain: Keychain, random: Random): Promise<ErrorCode | null> {
  const account = `probe-${toBase64url(random(9))}`;
  const value = random(valueBytes);
  try {
    await keychain.set(account, value);
    const read = await keychain.get(account);
    await keychain.delete(account);
    if (read === null || !equalBytes(read, value)) throw new AppError("keychain-absent");
    return null;
  } catch (error) {
    return ensureAppError(error).code;
  }
}
