import {
  getCiphersuiteFromName,
  type Ciphersuite,
  type CiphersuiteImpl,
  type CiphersuiteName,
} from "ts-mls";
import {
  AppError,
  type ConversationId,
  type DeviceId,
  type NetworkId,
  type RendezvousId,
  type WorkerEventName,
  type WorkerEvents,
  type WorkerMethodName,
  type WorkerParams,
  type WorkerResult,
} from "#protocol";
import { createTrustDirectory, type TrustDirectory } from "../identity/directory.ts";
import { wipeIdentity, type Identity } from "../identity/identity.ts";
import { isLeafKeyOf, leafKeyOf, type LeafKey } from "../identity/leaf-keys.ts";
import type { LinkSession } from "../linking/session.ts";
import type { DeviceTrust } from "../mls/client-config.ts";
import type { OwnDevice } from "../mls/key-packages.ts";
import { wipeMemory, type GroupMemory } from "../mls/memory.ts";
import { createCiphersuiteImpl, rarePrimitivesOf } from "../mls/provider.ts";
import { isSupportedSuite } from "../mls/suites.ts";
import {
  checkRarePrimitives,
  wipe,
  type Argon2idCost,
  type Primitives,
  type SignatureKeyPair,
  type SignatureName,
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

/** A linking under way. Secret: the new computer's device key. */
export interface Linking {
  readonly session: LinkSession;
  readonly device: { readonly deviceId: DeviceId; readonly signature: SignatureKeyPair } | null;
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
  readonly links = new Map<RendezvousId, Linking>();
  readonly #impls = new Map<CiphersuiteName, CiphersuiteImpl>();
  readonly #leafKeys = new Map<SignatureName, LeafKey>();
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
    mayBeAdded: (member, at) => this.directory.mayBeAdded(member, at),
    mayBeRemoved: (member, at) => this.directory.mayBeRemoved(member, at),
    judge: (leaf, signatureKey) => {
      const own = this.#identity;
      if (leaf.deviceId !== own?.deviceId) return this.directory.judge(leaf, signatureKey);
      const { deviceId, certificate } = leaf;
      const deviceKey = own.signature.publicKey;
      const same =
        leaf.userId === own.userId &&
        leaf.networkId === own.networkId &&
        isLeafKeyOf(
          this.ports.primitives.ed25519,
          { deviceId, deviceKey },
          { signatureKey, certificate },
        );
      return same ? "trusted" : "refused";
    },
  };

  /** @throws AppError `not-ready` before `network.load` */
  get networkKey(): SignatureKeyPair {
    if (this.#networkKey === null) throw notReady("no network key is loaded");
    return this.#networkKey;
  }

  /** This device in groups of a suite. @throws AppError `commit-refused` for a suite that Sotto doesn't speak */
  deviceFor(suite: string): OwnDevice {
    const { networkId, userId, deviceId } = this.identity;
    const { publicKey, privateKey, certificate } = this.#leafKey(suiteOf(suite).signature);
    return {
      networkId,
      userId,
      deviceId,
      ...(certificate === undefined ? {} : { certificate }),
      signatureKey: publicKey,
      signaturePrivateKey: privateKey,
    };
  }

  #leafKey(scheme: SignatureName): LeafKey {
    const known = this.#leafKeys.get(scheme);
    if (known !== undefined) return known;
    const leafKey = leafKeyOf(this.ports.primitives.ed25519, this.identity, scheme);
    this.#leafKeys.set(scheme, leafKey);
    return leafKey;
  }

  unlock(vault: VaultSession): void {
    this.lock();
    this.#vault = vault;
  }

  setIdentity(identity: LoadedIdentity): void {
    this.#wipeIdentity();
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

  /** Wipes a linking and forgets it. */
  forgetLink(rendezvousId: RendezvousId): void {
    const linking = this.links.get(rendezvousId);
    linking?.session.wipe();
    wipe(linking?.device?.signature.privateKey);
    this.links.delete(rendezvousId);
  }

  /** Wipes every key and forgets groups, directory and deadlines. */
  lock(): void {
    this.#vault?.wipe();
    this.#vault = null;
    this.#wipeIdentity();
    wipe(this.#networkKey?.privateKey);
    this.#networkKey = null;
    for (const conversationId of [...this.groups.keys()]) this.forgetGroup(conversationId);
    for (const rendezvousId of [...this.links.keys()]) this.forgetLink(rendezvousId);
    this.directory.clear();
    this.sweeper.stop();
  }

  #wipeIdentity(): void {
    if (this.#identity !== null) wipeIdentity(this.#identity);
    this.#identity = null;
    for (const { privateKey } of this.#leafKeys.values()) wipe(privateKey);
    this.#leafKeys.clear();
  }

  /**
   * The algorithms of a suite; what of them no start checks is checked the first time.
   *
   * @throws AppError `commit-refused` for a suite that Sotto doesn't speak, `crypto-self-test-failed`
   */
  async implOf(name: string): Promise<CiphersuiteImpl> {
    const suite = suiteOf(name);
    const known = this.#impls.get(suite.name);
    if (known !== undefined) return known;
    const rare = rarePrimitivesOf(suite);
    if (rare.length > 0) await checkRarePrimitives(rare);
    const impl = createCiphersuiteImpl(this.ports.primitives, suite);
    this.#impls.set(suite.name, impl);
    return impl;
  }
}

function suiteOf(name: string): Ciphersuite {
  if (!isSupportedSuite(name)) throw new AppError("commit-refused", { data: { suite: name } });
  return getCiphersuiteFromName(name);
}

function notReady(reason: string): AppError {
  return new AppError("not-ready", { data: { reason } });
}
