import {
  AppError,
  equalBytes,
  type CryptoWorker,
  type PassphraseSlot,
  type VaultId,
} from "#protocol";
import type { Keychain } from "../keychain/index.ts";
import { damagedKeyring, type KeychainSlot, type Keyring } from "./keyring.ts";

/** What opens a vault: a passphrase if there is one, otherwise the keychain. */
export interface SlotOptions {
  readonly worker: CryptoWorker;
  readonly keychain: Keychain | null;
  readonly passphrase: string | null;
}

/**
 * Unlocks the worker with the vault key from one of the keyring's slots.
 *
 * @throws AppError `vault-key-missing`, `vault-key-wrong`, `keychain-*`, `passphrase-wrong`, `vault-damaged`, or `argument-invalid` when
 * the vault has no such slot
 */
export async function unlock(keyring: Keyring, options: SlotOptions): Promise<void> {
  const { vaultId, sealedKeyring } = keyring;
  const vaultKey = await openSlot(keyring, options);
  try {
    await options.worker.call("vault.unlock", { vaultId, vaultKey, sealedKeyring });
  } catch (error) {
    // The slot has proven its key, so it is what the key should open that is at fault.
    const isKeyringAtFault = error instanceof AppError && error.code === "vault-key-wrong";
    throw isKeyringAtFault ? damagedKeyring(error) : error;
  } finally {
    vaultKey.fill(0);
  }
}

async function openSlot(keyring: Keyring, options: SlotOptions): Promise<Uint8Array> {
  const { keychain, passphrase, worker } = options;
  const { slots, vaultId } = keyring;
  if (passphrase !== null) {
    const slot = slots.find((candidate) => candidate.kind === "passphrase");
    if (slot === undefined) throw noSlot("passphrase");
    const { vaultKey } = await worker.call("slot.openPassphrase", { vaultId, slot, passphrase });
    return vaultKey;
  }
  const slot = slots.find((candidate) => candidate.kind === "keychain");
  if (slot === undefined || keychain === null) throw noSlot("keychain");
  return readKeychainSlot(slot, { vaultId, keychain, worker });
}

async function readKeychainSlot(
  slot: KeychainSlot,
  ports: { readonly vaultId: VaultId; readonly keychain: Keychain; readonly worker: CryptoWorker },
): Promise<Uint8Array> {
  const { vaultId, keychain, worker } = ports;
  const data = { backendThen: slot.backend, backendNow: keychain.backend };
  const vaultKey = await keychain.get(slot.account);
  if (vaultKey === null) throw new AppError("vault-key-missing", { data });
  const { keyCheck } = await worker.call("vault.keyCheck", { vaultId, vaultKey });
  if (equalBytes(keyCheck, slot.keyCheck)) return vaultKey;
  vaultKey.fill(0);
  throw new AppError("vault-key-wrong", { data });
}

function noSlot(kind: string): AppError {
  return new AppError("argument-invalid", { data: { reason: "no such key slot", slot: kind } });
}

/** @throws AppError `passphrase-weak` */
export async function createPassphraseSlot(
  worker: CryptoWorker,
  vault: { readonly vaultId: VaultId; readonly vaultKey: Uint8Array; readonly passphrase: string },
): Promise<PassphraseSlot> {
  const { slot } = await worker.call("slot.createPassphrase", vault);
  return slot;
}

/**
 * Gives a vault's key to the keychain, and proves that it can be had back from there.
 *
 * @throws AppError `keychain-*`; the entry is then removed again, if that can be done
 */
export async function createKeychainSlot(
  ports: { readonly keychain: Keychain; readonly worker: CryptoWorker },
  vault: { readonly vaultId: VaultId; readonly vaultKey: Uint8Array; readonly account: string },
): Promise<KeychainSlot> {
  const { keychain, worker } = ports;
  const { account, vaultId, vaultKey } = vault;
  const { keyCheck } = await worker.call("vault.keyCheck", { vaultId, vaultKey });
  const slot: KeychainSlot = { kind: "keychain", backend: keychain.backend, account, keyCheck };
  try {
    await keychain.set(account, vaultKey);
    const back = await readKeychainSlot(slot, { vaultId, keychain, worker });
    back.fill(0);
    return slot;
  } catch (error) {
    await keychain.delete(account).catch(() => undefined);
    const isLost = error instanceof AppError && error.code.startsWith("vault-key-");
    throw isLost
      ? new AppError("keychain-denied", { cause: error, data: { reason: "not read back" } })
      : error;
  }
}
