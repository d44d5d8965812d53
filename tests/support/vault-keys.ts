import type {
  KeychainEntries,
  KeychainPlace,
  KeyringChange,
  KeyringRecord,
  VaultSecret,
} from "#protocol";
import { ensure } from "./ensure.ts";
import {
  createInProcessWorker,
  createManualClock,
  type InProcessWorker,
} from "./in-process-worker.ts";

/** Where these vaults' keychain would keep its entries. */
export const somePlace: KeychainPlace = {
  account: "default/vault",
  backend: "table",
  application: "app.sotto",
  user: "somebody",
  path: "/vault",
};

/** An unlocked vault without its files: the keyring and the keychain as they would lie on a disk, kept as the main process keeps them. */
export class VaultKeys {
  worker: InProcessWorker;
  record: KeyringRecord;
  /** As the keychain holds them. */
  entries: KeychainEntries;

  private constructor(worker: InProcessWorker, record: KeyringRecord, entries: KeychainEntries) {
    this.worker = worker;
    this.record = record;
    this.entries = entries;
  }

  static async create(
    slots: { readonly keychain?: KeychainPlace | null; readonly passphrase?: string } = {},
  ): Promise<VaultKeys> {
    const { keychain = somePlace, passphrase = null } = slots;
    const worker = await startedWorker();
    const { record, keychainKeys } = await worker.call("vault.create", { keychain, passphrase });
    const keys = new VaultKeys(worker, record, keychainKeys ?? [null, null]);
    await keys.unlock(
      keychain === null ? { kind: "passphrase", passphrase: ensure(passphrase) } : undefined,
    );
    return keys;
  }

  /** Unlocks, through the keychain if nothing else is said. */
  async unlock(
    secret: VaultSecret = { kind: "keychain", entries: this.entries },
    record: KeyringRecord = this.record,
  ): Promise<void> {
    await this.worker.call("vault.unlock", { record, secret });
  }

  /** The process dies; another one opens what lies there, or `record`. */
  async reopen(record: KeyringRecord = this.record, secret?: VaultSecret): Promise<void> {
    this.worker = await startedWorker();
    await this.unlock(secret, record);
  }

  /** A whole exchange: prepared, written, settled, and the keychain in step. */
  async exchange(changes: readonly KeyringChange[]): Promise<string | null> {
    const prepared = await this.worker.call("vault.prepareKeyring", { changes });
    const { record, keychainKey, recoveryCode } = prepared;
    this.record = record;
    await this.worker.call("vault.settleKeyring", { written: true });
    const [even, odd] = this.entries;
    this.entries = record.revision % 2 === 1 ? [keychainKey, odd] : [even, keychainKey];
    return recoveryCode;
  }
}

async function startedWorker(): Promise<InProcessWorker> {
  const worker = createInProcessWorker(createManualClock(Date.UTC(2026, 8, 1)), {
    selfTest: () => Promise.resolve({ tests: 0, libsodium: "" }),
  });
  await worker.call("start", {});
  return worker;
}
