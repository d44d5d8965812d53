import { getCiphersuiteFromName, type CiphersuiteImpl } from "ts-mls";
import {
  AppError,
  equalBytes,
  type ConversationId,
  type NetworkId,
  type WorkerEventName,
  type WorkerEvents,
  type WorkerMethodName,
  type WorkerParams,
  type WorkerResult,
} from "#protocol";
import { createTrustDirectory, type TrustDirectory } from "../identity/directory.ts";
import { wipeIdentity, type Identity } from "../identity/identity.ts";
import type { DeviceTrust } from "../mls/client-config.ts";
import type { OwnDevice } from "../mls/key-packages.ts";
import { wipeMemory, type GroupMemory } from "../mls/memory.ts";
import { createCiphersuiteImpl } from "../mls/provider.ts";
import { isSupportedSuite } from "../mls/suites.ts";
import {
  wipe,
  type Argon2idCost,
  type Primitives,
  type SignatureKeyPair,
} from "../primitives/index.ts";
import { createFloorClock, type Clock, type FloorClock } from "../sweep/clock.ts";
import { createSweeper, type Sweeper } from "../sweep/sweeper.ts";
import type { VaultSession } from "../vault/vault-session.ts";

/** Answers one request. */
export type Handler<Name extends WorkerMethodName> = (
  params: WorkerParams<Name>,
) => WorkerResult<Name> | Promise<WorkerResult<Name>>;

/** Handlers of some methods. */
export type Handlers<Names extends WorkerMethodName> = {
  readonly [Name in Names]: Handler<Name>;
};

/** Tells the main process something it hasn't asked for. */
export type Emit = <Name extends WorkerEventName>(name: Name, body: WorkerEvents[Name]) => void;

/** What a worker is made of. */
export interface WorkerPorts {
  readonly primitives: Primitives;
  readonly clock: Clock;
  readonly emit: Emit;
  /** What a passphrase slot costs that is made now. */
  readonly passphraseCost: () => Argon2idCost;
}

/** An identity in its network. */
export interface LoadedIdentity extends Identity {
  readonly networkId: NetworkId;
}

/**
 * Everything a running worker holds, gone when the vault is locked.
 *
 * Secret: most of it; {@link WorkerContext.lock} wipes it.
 */
export class WorkerContext {
  readonly ports: WorkerPorts;
  readonly time: FloorClock;
  readonly sweeper: Sweeper;
  readonly directory: TrustDirectory;
  readonly groups = new Map<ConversationId, GroupMemory>();
  readonly #impls = new Map<string, CiphersuiteImpl>();
  #vault: VaultSession | null = null;
  #identity: LoadedIdentity | null = null;
  #networkKey: SignatureKeyPair | null = null;

  constructor(ports: WorkerPorts) {
    this.ports = ports;
    this.time = createFloorClock(ports.clock);
    this.directory = createTrustDirectory(ports.primitives.ed25519, (userId) =>
      userId === this.#identity?.userId ? this.#identity.account.publicKey : undefined,
    );
    this.sweeper = createSweeper(ports.clock, this.time, (messageIds, nowMs) => {
      ports.emit("sweep.due", { messageIds, nowMs });
    });
  }

  /** @throws AppError `not-ready` while the vault is locked */
  get vault(): VaultSession {
    if (this.#vault === null) throw notReady("the vault is locked");
    return this.#vault;
  }

  /** @throws AppError `not-ready` before `identity.load` */
  get identity(): LoadedIdentity {
    if (this.#identity === null) throw notReady("no identity is loaded");
    return this.#identity;
  }

  /** The directory, and this device itself. */
  readonly trust: DeviceTrust = {
    judge: (leaf, signatureKey) => {
      const own = this.#identity;
      if (leaf.deviceId !== own?.deviceId) return this.directory.judge(leaf, signatureKey);
      const same =
        leaf.userId === own.userId &&
        leaf.networkId === own.networkId &&
        equalBytes(signatureKey, own.signature.publicKey);
      return same ? "trusted" : "refused";
    },
  };

  /** @throws AppError `not-ready` before `network.load` */
  get networkKey(): SignatureKeyPair {
    if (this.#networkKey === null) throw notReady("no network key is loaded");
    return this.#networkKey;
  }

  get device(): OwnDevice {
    const { networkId, userId, deviceId, signature } = this.identity;
    return {
      networkId,
      userId,
      deviceId,
      signatureKey: signature.publicKey,
      signaturePrivateKey: signature.privateKey,
    };
  }

  unlock(vault: VaultSession): void {
    this.lock();
    this.#vault = vault;
  }

  setIdentity(identity: LoadedIdentity): void {
    if (this.#identity !== null) wipeIdentity(this.#identity);
    this.#identity = identity;
  }

  setNetworkKey(networkKey: SignatureKeyPair): void {
    wipe(this.#networkKey?.privateKey);
    this.#networkKey = networkKey;
  }

  /** Wipes a group and forgets it; nothing happens when it isn't loaded. */
  forgetGroup(conversationId: ConversationId): void {
    const memory = this.groups.get(conversationId);
    if (memory !== undefined) wipeMemory(memory);
    this.groups.delete(conversationId);
  }

  /** Wipes every key and forgets groups, directory and deadlines. */
  lock(): void {
    this.#vault?.wipe();
    this.#vault = null;
    if (this.#identity !== null) wipeIdentity(this.#identity);
    this.#identity = null;
    wipe(this.#networkKey?.privateKey);
    this.#networkKey = null;
    for (const conversationId of [...this.groups.keys()]) this.forgetGroup(conversationId);
    this.directory.clear();
    this.sweeper.stop();
  }

  /** The algorithms of a suite. @throws AppError `commit-refused` for a suite that Sotto doesn't speak */
  implOf(suite: string): CiphersuiteImpl {
    const known = this.#impls.get(suite);
    if (known !== undefined) return known;
    if (!isSupportedSuite(suite)) throw new AppError("commit-refused", { data: { suite } });
    const impl = createCiphersuiteImpl(this.ports.primitives, getCiphersuiteFromName(suite));
    this.#impls.set(suite, impl);
    return impl;
  }
}

function notReady(reason: string): AppError {
  return new AppError("not-ready", { data: { reason } });
}
