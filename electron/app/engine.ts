import { mkdir } from "node:fs/promises";
import { AppError, type CryptoWorker, type ErrorCode, type WorkerResult } from "#protocol";
import {
  accountProgress,
  clientCatalogue,
  createAccount,
  openClient,
  type AccountOrigin,
  type AccountProgress,
  type Client,
} from "../client/index.ts";
import {
  createVault,
  inspectVault,
  openVault,
  type Vault,
  type VaultInspection,
} from "../vault/index.ts";
import { createCryptoWorker } from "../worker/index.ts";
import { probeKeychain } from "./keychain-probe.ts";
import type { AppPorts } from "./ports.ts";

/** What opens a vault. */
export type Slot =
  { readonly kind: "keychain" } | { readonly kind: "passphrase"; readonly passphrase: string };

/** The slots a new vault gets; one at least. */
export interface NewSlots {
  readonly keychain: boolean;
  readonly passphrase: string | null;
}

/** Who the new account is, and where it comes from. */
export type NewAccount = AccountOrigin & {
  readonly displayName: string;
  readonly hosted: boolean;
};

/** What the crypto worker says of itself. */
export type CryptoFacts = Pick<WorkerResult<"start">, "libsodium" | "suite">;

/** Everything below the composition, as one port: the start sequence is tried out without keys and files. */
export interface Engine {
  /** Starts the crypto worker and lets it test itself. @throws AppError `crypto-self-test-failed` */
  selfTest(): Promise<CryptoFacts>;
  /** Called when the worker has died and was started anew, without the keys of any open vault. */
  onWorkerRestart(listener: () => void): void;
  inspectVault(): Promise<VaultInspection>;
  /** @returns why the keychain can't be used, or null when it can */
  probeKeychain(): Promise<ErrorCode | null>;
  /** @throws AppError `vault-exists`, `passphrase-weak`, `keychain-*` */
  createVault(slots: NewSlots): Promise<Vault>;
  /** @throws AppError `vault-*`, `keychain-*`, `passphrase-wrong` */
  openVault(slot: Slot): Promise<Vault>;
  accountProgress(vault: Vault): AccountProgress;
  /** Makes the account, or goes on with one that stopped halfway. */
  createAccount(vault: Vault, account: NewAccount): Promise<void>;
  openClient(vault: Vault): Promise<Client>;
  dispose(): Promise<void>;
}

/** The engine of the app, on the ports of its shell. */
export function createEngine(ports: AppPorts): Engine {
  const { clock, connect, keychain, paths } = ports;
  let worker: CryptoWorker | null = null;
  let onRestart: () => void = () => undefined;
  const started = (): CryptoWorker => {
    if (worker !== null) return worker;
    worker = createCryptoWorker({
      spawn: ports.spawnWorker,
      clock,
      onStopped: (reason) => {
        ports.log.error(
          "the crypto worker stopped",
          new AppError("worker-stopped", { data: { reason } }),
        );
      },
    });
    worker.onRestart(() => {
      onRestart();
    });
    return worker;
  };
  const options = {
    directory: paths.vault,
    catalogue: clientCatalogue,
    clock,
    profile: paths.name,
  };
  const clientPorts = (vault: Vault) => ({ vault, worker: started(), connect, clock });
  return {
    selfTest: () => started().call("start", {}),
    onWorkerRestart: (listener) => {
      onRestart = listener;
    },
    inspectVault: () => inspectVault(paths.vault),
    probeKeychain: () =>
      probeKeychain(keychain, (sizeBytes) => crypto.getRandomValues(new Uint8Array(sizeBytes))),
    createVault: async (slots) => {
      await mkdir(paths.root, { recursive: true, mode: 0o700 });
      return createVault({
        ...options,
        worker: started(),
        keychain: slots.keychain ? keychain : null,
        passphrase: slots.passphrase,
      });
    },
    openVault: (slot) =>
      openVault({
        ...options,
        worker: started(),
        keychain: slot.kind === "keychain" ? keychain : null,
        passphrase: slot.kind === "passphrase" ? slot.passphrase : null,
      }),
    accountProgress,
    createAccount: (vault, account) =>
      createAccount({
        ...clientPorts(vault),
        ...account,
        deviceName: ports.deviceName,
        platform: ports.platform,
      }),
    // The relay in this app keeps its port: where it is, is stored.
    openClient: (vault) =>
      openClient({ ...clientPorts(vault), relayUrl: null, isFocused: ports.isFocused }),
    dispose: async () => {
      const ending = worker;
      worker = null;
      await ending?.dispose();
    },
  };
}
