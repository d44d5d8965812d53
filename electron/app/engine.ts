import { mkdir } from "node:fs/promises";
import { AppError, type CryptoWorker, type ErrorCode, type WorkerResult } from "#protocol";
import {
  accountProgress,
  clientCatalogue,
  createAccount,
  linkAccount,
  openClient,
  type AccountOrigin,
  type AccountProgress,
  type Client,
} from "../client/index.ts";
import {
  createVault,
  destroyVault,
  forgetErased,
  inspectVault,
  inTime,
  nodeFiles,
  openAttempts,
  openVault,
  type Attempts,
  type Vault,
  type VaultInspection,
  type VaultUnlock,
} from "../vault/index.ts";
import { createCryptoWorker } from "../worker/index.ts";
import { probeKeychain } from "./keychain-probe.ts";
import type { AppPorts } from "./ports.ts";

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

/** A linking, as the person at this computer sees it. */
export type NewLink = Pick<
  Parameters<typeof linkAccount>[0],
  "link" | "onStep" | "compared" | "signal"
>;

/** What the crypto worker says of itself. */
export type CryptoFacts = Pick<WorkerResult<"start">, "libsodium" | "suite">;

/** So long may the crypto worker take to forget its keys, milliseconds. One that does something else for longer is ended. */
const lockPatienceMs = 400;

/** Everything below the composition, as one port: the start sequence is tried out without keys and files. */
export interface Engine {
  /** Starts the crypto worker and lets it test itself, once in each of its lives. @throws AppError `crypto-self-test-failed` */
  selfTest(): Promise<CryptoFacts>;
  /** Called when the worker has died and was started anew, without the keys of any open vault. */
  onWorkerRestart(listener: () => void): void;
  inspectVault(): Promise<VaultInspection>;
  /** @returns why the keychain can't be used, or null when it can */
  probeKeychain(): Promise<ErrorCode | null>;
  /** @throws AppError `vault-exists`, `passphrase-weak`, `keychain-*` */
  createVault(slots: NewSlots): Promise<Vault>;
  /** @throws AppError `vault-*`, `keychain-*`, `passphrase-wrong`, `recovery-code-wrong` */
  openVault(unlockWith: VaultUnlock): Promise<Vault>;
  /** What is known of wrong tries at this profile's vault. */
  openAttempts(): Promise<Attempts>;
  /** Of the vault that is open. @throws AppError `argument-invalid` when it has none */
  checkPassphrase(passphrase: string): Promise<boolean>;
  /** Wipes every key, whatever the worker is doing: what goes on without them fails. */
  dropKeys(): Promise<void>;
  /** Destroys the vault's slots and then its files, without a key. Nothing of it may be open. @throws AppError */
  destroyVault(): Promise<void>;
  /** Deletes the keychain's entries of a vault that was destroyed, where the keychain would not let them go then. @throws AppError `keychain-*` */
  forgetErased(): Promise<void>;
  /** The keychain keeps secrets without protection, which this computer's IT has allowed; its name. */
  readonly weakKeychain: string | null;
  accountProgress(vault: Vault): AccountProgress;
  /** Makes the account, or goes on with one that stopped halfway. */
  createAccount(vault: Vault, account: NewAccount): Promise<void>;
  /** Takes this computer into the account of another device. @throws AppError as `linkAccount` */
  linkAccount(vault: Vault, link: NewLink): Promise<void>;
  openClient(vault: Vault): Promise<Client>;
  dispose(): Promise<void>;
}

/** The engine of the app, on the ports of its shell. */
export function createEngine(ports: AppPorts): Engine {
  const { clock, connect, keychain, paths } = ports;
  let worker: CryptoWorker | null = null;
  let tested: Promise<CryptoFacts> | null = null;
  let onRestart: () => void = () => undefined;
  const started = (): CryptoWorker => {
    if (worker !== null) return worker;
    worker = createCryptoWorker({
      spawn: ports.spawnWorker,
      clock,
      onStopped: (reason) => {
        tested = null;
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
  const end = async (): Promise<void> => {
    const ending = worker;
    worker = null;
    tested = null;
    await ending?.dispose();
  };
  const options = {
    directory: paths.vault,
    catalogue: clientCatalogue,
    clock,
    profile: paths.name,
  };
  const clientPorts = (vault: Vault) => ({ vault, worker: started(), connect, clock });
  return {
    selfTest: () => {
      tested ??= started()
        .call("start", {})
        .catch((error: unknown) => {
          tested = null;
          throw error;
        });
      return tested;
    },
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
    openVault: (unlockWith) => openVault({ ...options, worker: started(), keychain, unlockWith }),
    openAttempts: () =>
      openAttempts({ directory: paths.vault, files: nodeFiles, uptimeMs: ports.uptimeMs }),
    checkPassphrase: async (passphrase) => {
      const { isRight } = await started().call("vault.checkPassphrase", { passphrase });
      return isRight;
    },
    dropKeys: async () => {
      if (worker === null) return;
      // A worker that is in the midst of something long can't hear; with its process go its keys.
      const done = await inTime(clock, lockPatienceMs, worker.call("vault.lock", {})).catch(
        () => null,
      );
      if (done === null) await end();
    },
    destroyVault: () => destroyVault({ directory: paths.vault, keychain, clock }),
    forgetErased: () => forgetErased({ directory: paths.vault, keychain }),
    get weakKeychain() {
      return keychain.weak === true ? keychain.backend : null;
    },
    accountProgress,
    createAccount: (vault, account) =>
      createAccount({
        ...clientPorts(vault),
        ...account,
        deviceName: ports.deviceName,
        platform: ports.platform,
      }),
    linkAccount: (vault, link) =>
      linkAccount({
        ...clientPorts(vault),
        ...link,
        deviceName: ports.deviceName,
        platform: ports.platform,
      }),
    // The relay in this app keeps its port: where it is, is stored.
    openClient: (vault) =>
      openClient({ ...clientPorts(vault), relayUrl: null, isFocused: ports.isFocused }),
    dispose: end,
  };
}
