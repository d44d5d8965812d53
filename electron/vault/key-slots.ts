import { userInfo } from "node:os";
import { resolve } from "node:path";
import {
  AppError,
  ensureAppError,
  type CryptoWorker,
  type ErrorCode,
  type KeychainPlace,
  type KeychainSlot,
  type KeyringRecord,
  type KeySlotKind,
  type SafeData,
  type VaultId,
} from "#protocol";
import type { Keychain } from "../keychain/index.ts";
import type { Clock } from "../link/index.ts";
import { readEntries, wipeEntries, wipeReading, type EntriesReading } from "./keychain-entries.ts";
import { slotOf } from "./keyring.ts";
import { keyringName } from "./names.ts";
import { inTime } from "./patience.ts";
import type { KeychainState, VaultOptions, VaultUnlock } from "./types.ts";

/** What opens a vault. */
export interface SlotOptions {
  readonly worker: CryptoWorker;
  readonly clock: Clock;
  readonly keychain: Keychain | null;
  readonly unlockWith: VaultUnlock;
  /** What a keychain slot made now would say. */
  readonly place: KeychainPlace;
}

/** How a vault was unlocked. */
export interface Unlocked {
  readonly with: KeySlotKind;
  readonly keychainState: KeychainState;
  readonly keychainProblem: ErrorCode | null;
  /** The keychain belongs to a later keyring. */
  readonly rolledBack: boolean;
}

/** Where another slot has opened the vault, so long is waited for the keychain, milliseconds. */
export const keychainPatienceMs = 2_000;

const defaultProfile = "default";
const defaultApplication = "app.sotto.desktop";

/** Where a vault that had no keychain slot gets its entries. */
export function newAccount(options: VaultOptions, vaultId: VaultId): string {
  return `${accountStem(options)}/${vaultId}`;
}

/** As {@link newAccount}, before the vault has its id. */
export function accountStem({ profile = defaultProfile }: VaultOptions): string {
  return profile;
}

/** What a keychain slot of this vault says, made here and now. */
export function placeOf(options: VaultOptions, account: string): KeychainPlace {
  return {
    account,
    backend: options.keychain?.backend ?? "",
    application: options.application ?? defaultApplication,
    user: options.user ?? systemUser(),
    path: resolve(options.directory),
  };
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without a name, as in some containers.
    return String(process.getuid?.() ?? "");
  }
}

/**
 * Unlocks the worker with one of the keyring's slots, and finds out how the keychain stands to it.
 *
 * @throws AppError `vault-key-missing`, `vault-key-wrong`, `vault-rolled-back`, `keychain-*`, each with what has changed since the slot was
 * made; `passphrase-wrong`, `recovery-code-wrong`, `vault-damaged`, `vault-newer-format`, or `argument-invalid` when the vault has no such slot
 */
export async function unlock(record: KeyringRecord, options: SlotOptions): Promise<Unlocked> {
  try {
    return options.unlockWith.kind === "keychain"
      ? await unlockByKeychain(record, options)
      : await unlockBySecret(record, { ...options, unlockWith: options.unlockWith });
  } catch (error) {
    const isKeyringAtFault = error instanceof AppError && error.code === "vault-damaged";
    if (!isKeyringAtFault) throw error;
    throw new AppError("vault-damaged", { cause: error, data: { file: keyringName, frame: 0 } });
  }
}

async function unlockByKeychain(record: KeyringRecord, options: SlotOptions): Promise<Unlocked> {
  const { keychain, worker, place } = options;
  const slot = slotOf(record, "keychain");
  if (slot === undefined || keychain === null) {
    throw new AppError("argument-invalid", { data: { reason: "no such key slot" } });
  }
  let reading: EntriesReading | null = null;
  try {
    reading = await readEntries(keychain, slot.account);
    const { entries } = reading;
    await worker.call("vault.unlock", { record, secret: { kind: "keychain", entries } });
    return { with: "keychain", ...(await compareKeychain(worker, reading)) };
  } catch (cause) {
    const error = ensureAppError(cause);
    // Something lies there, and it is no key: that isn't the same as nothing.
    const isForeign = error.code === "vault-key-missing" && reading?.isForeign === true;
    throw new AppError(isForeign ? "vault-key-wrong" : error.code, {
      cause: error,
      data: { ...error.data, ...changesSince(slot, place) },
    });
  } finally {
    if (reading !== null) wipeEntries(reading.entries);
  }
}

type OtherSecret = Exclude<VaultUnlock, { readonly kind: "keychain" }>;

async function unlockBySecret(
  record: KeyringRecord,
  options: SlotOptions & { readonly unlockWith: OtherSecret },
): Promise<Unlocked> {
  const { clock, keychain, worker, unlockWith: secret } = options;
  const slot = slotOf(record, "keychain");
  // The keychain is asked meanwhile: an older copy of this folder must be known as one before anything is sealed.
  const asking =
    slot === undefined || keychain === null ? null : readEntries(keychain, slot.account);
  asking?.catch(() => undefined);
  try {
    await worker.call("vault.unlock", { record, secret });
    const opened = { with: secret.kind, rolledBack: false } as const;
    if (slot === undefined) return { ...opened, keychainState: "none", keychainProblem: null };
    const reading = asking === null ? null : await inTime(clock, keychainPatienceMs, asking);
    if (reading === null) {
      const keychainProblem = asking === null ? "keychain-absent" : "keychain-timeout";
      return { ...opened, keychainState: "unavailable", keychainProblem };
    }
    return { ...opened, ...(await compareKeychain(worker, reading)) };
  } catch (error) {
    const { code } = ensureAppError(error);
    if (!code.startsWith("keychain-")) throw error;
    return {
      with: secret.kind,
      rolledBack: false,
      keychainState: "unavailable",
      keychainProblem: code,
    };
  } finally {
    // Also what comes when nobody waits for it any more.
    asking?.then(wipeReading).catch(() => undefined);
  }
}

/** How the keychain's entries stand to the unlocked keyring; the reading is wiped. */
export async function compareKeychain(
  worker: CryptoWorker,
  { entries, isForeign }: EntriesReading,
): Promise<Omit<Unlocked, "with">> {
  const isEmpty = entries.every((entry) => entry === null);
  const { state } = await worker.call("vault.compareKeychain", { entries }).finally(() => {
    wipeEntries(entries);
  });
  switch (state) {
    case "in-step":
    case "none":
      return { keychainState: state, keychainProblem: null, rolledBack: false };
    case "behind": {
      const lost = isForeign ? "vault-key-wrong" : "vault-key-missing";
      const keychainProblem = isEmpty ? lost : null;
      return { keychainState: "behind", keychainProblem, rolledBack: false };
    }
    case "ahead":
      return { keychainState: "behind", keychainProblem: "vault-rolled-back", rolledBack: true };
  }
}

/** What is different from when the slot was made: `<what>Then` and `<what>Now`. */
function changesSince(slot: KeychainSlot, now: KeychainPlace): SafeData {
  const changes: Record<string, string> = {};
  for (const what of ["backend", "application", "user", "path"] as const) {
    if (slot[what] === now[what]) continue;
    changes[`${what}Then`] = slot[what];
    changes[`${what}Now`] = now[what];
  }
  return changes;
}
