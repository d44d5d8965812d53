import {
  encodeCbor,
  type CryptoWorker,
  type DeviceId,
  type KeychainEntries,
  type KeyringRecord,
  type SignedRecord,
  type UserId,
  type WorkerMessage,
  type WorkerMethodName,
  type WorkerResult,
} from "#protocol";
import { AppError } from "#protocol";
import { encodeIdentity, type Identity } from "../../crypto/identity/identity.ts";
import type { Primitives } from "../../crypto/primitives/index.ts";
import { unlockKeyring } from "../../crypto/vault/unlock.ts";
import { createVaultSession } from "../../crypto/vault/vault-session.ts";
import { createWorkerCore } from "../../crypto/worker/core.ts";
import { openClient, type Client } from "../../electron/client/index.ts";
import { putFact, readFact } from "../../electron/client/store/facts.ts";
import { statement } from "../../electron/client/store/statement.ts";
import type { Clock } from "../../electron/link/index.ts";
import type { SqlEngine } from "../../electron/vault/database.ts";
import type { Statement, Vault } from "../../electron/vault/index.ts";
import { MemoryVault, type VaultCopy } from "../support/memory-vault.ts";
import type { SeededRandom } from "../support/seeded.ts";
import { Cable, type CableWorld } from "./cable.ts";
import type { SimulatedNetwork } from "./simulated-relay.ts";
import type { Timeline } from "./timeline.ts";

/** What all devices of a run share. */
export interface Surroundings extends CableWorld {
  readonly timeline: Timeline;
  readonly primitives: Primitives;
  readonly randomBytes: (sizeBytes: number) => Uint8Array;
  readonly random: SeededRandom;
  readonly sqlEngine: SqlEngine;
  readonly network: SimulatedNetwork;
}

/** A device's account, as it was made. */
export interface Account {
  readonly identity: Identity;
  readonly displayName: string;
  readonly user: SignedRecord;
  readonly record: SignedRecord;
  /** Whether the network's key is on it. */
  readonly hasNetworkKey: boolean;
}

const keychain = {
  account: "default/vault",
  backend: "table",
  application: "app.sotto",
  user: "somebody",
  path: "/vault",
};

/** One life of a device, from its start to its end. Whatever is left of it afterwards hears and does nothing. */
class Life {
  alive = true;
  /** It dies at this many steps from now; null: it doesn't. A step is an answer of the worker, a transaction, or a frame that is sent. */
  fuse: number | null = null;
  client: Client | null = null;
  readonly #onDeath: () => void;

  constructor(onDeath: () => void) {
    this.#onDeath = onDeath;
  }

  /** @returns whether it goes on */
  step(): boolean {
    if (!this.alive) return false;
    if (this.fuse !== null && --this.fuse <= 0) this.end();
    return this.alive;
  }

  end(): void {
    if (!this.alive) return;
    this.alive = false;
    this.client = null;
    this.#onDeath();
  }
}

const never = new Promise<never>(() => undefined);

function isDoubt({ name, params }: Statement): boolean {
  return name === "conversation.setDoubtful" && params[1] === 1;
}

/** One computer: a real client on a real worker, over a vault in memory that outlives both. */
export class Device {
  readonly name: string;
  readonly account: Account;
  readonly cable: Cable;
  /** So many of its next commits are spoilt, as a broken client would. */
  spoils = 0;
  /** How often it came to believe that a conversation has split. */
  doubts = 0;
  readonly #around: Surroundings;
  #vault: MemoryVault;
  #copy: VaultCopy | null = null;
  #record: KeyringRecord | null = null;
  #entries: KeychainEntries = [null, null];
  #life: Life | null = null;

  private constructor(around: Surroundings, name: string, account: Account, vault: MemoryVault) {
    this.#around = around;
    this.name = name;
    this.account = account;
    this.#vault = vault;
    this.cable = new Cable(around);
  }

  static async make(around: Surroundings, name: string, account: Account): Promise<Device> {
    const vault = await MemoryVault.open(around.sqlEngine);
    const device = new Device(around, name, account, vault);
    await device.#fill();
    return device;
  }

  get deviceId(): DeviceId {
    return this.account.identity.deviceId;
  }
  get userId(): UserId {
    return this.account.identity.userId;
  }
  get running(): boolean {
    return this.#life !== null;
  }
  get client(): Client | null {
    return this.#life?.client ?? null;
  }
  get online(): boolean {
    return this.client?.view.connection.kind === "online";
  }
  get hasCopy(): boolean {
    return this.#copy !== null;
  }

  /** Up to where it has read its inbox. */
  get inboxCursor(): number {
    return readFact(this.#vault, "inboxCursor") ?? 0;
  }

  /** Any SQL, for a look behind the catalogue. */
  look(sql: string): ReturnType<MemoryVault["look"]> {
    return this.#vault.look(sql);
  }

  /** What its vault holds once its account is made. */
  async #fill(): Promise<void> {
    const { primitives, network } = this.#around;
    const { identity, displayName, user, record, hasNetworkKey } = this.account;
    const worker = await this.#startWorker(new Life(() => undefined));
    const made = await worker.call("vault.create", { keychain, passphrase: null });
    this.#record = made.record;
    this.#entries = made.keychainKeys ?? [null, null];
    const entries: KeychainEntries = [this.#entries[0]!.slice(), this.#entries[1]!.slice()];
    const secret = { kind: "keychain", entries } as const;
    const session = createVaultSession(primitives, unlockKeyring(primitives, made.record, secret));
    const { userId, deviceId, account, signature } = identity;
    await this.#vault.transact([
      putFact("identity", session.sealSecret("identity", encodeIdentity(identity))),
      statement("directory.put", userId, 0, encodeCbor({ user, devices: [record] })),
      putFact("issuer", network.issuer),
      putFact("policy", network.policy),
      putFact("account", {
        step: "ready",
        networkId: network.networkId,
        networkKey: network.key.publicKey,
        networkName: "Harbour",
        relayUrl: "ws://relay.invalid",
        hosted: false,
        userId,
        deviceId,
        accountKey: account.publicKey,
        signatureKey: signature.publicKey,
        displayName,
        deviceName: this.name,
        platform: "linux",
        device: record,
        claim: null,
        token: null,
      }),
    ]);
    if (hasNetworkKey) {
      const sealed = session.sealSecret("network key", network.key.privateKey);
      await this.#vault.transact([putFact("networkKey", sealed)]);
    }
    session.wipe();
  }

  /** Starts Sotto. It may die on the way, if its fuse says so. */
  async open(): Promise<void> {
    if (this.#life !== null) return;
    const life = new Life(() => {
      this.#life = null;
      this.cable.cut();
    });
    this.#life = life;
    try {
      await this.#begin(life);
    } catch (error) {
      // What a dead one stumbles over, nobody minds: its vault may have been put back meanwhile.
      if (life.alive) throw error;
    }
  }

  async #begin(life: Life): Promise<void> {
    const worker = await this.#startWorker(life);
    const [even, odd] = this.#entries;
    await worker.call("vault.unlock", {
      record: this.#record!,
      secret: { kind: "keychain", entries: [even, odd] },
    });
    const connect = this.cable.connect(() => life.alive);
    const client = await openClient({
      vault: this.#mortalVault(life),
      worker,
      connect: (target, listener) => {
        const socket = connect(target, listener);
        return {
          send: (bytes) => {
            if (!life.step()) return;
            socket.send(bytes);
            life.step();
          },
          close: () => {
            socket.close();
          },
        };
      },
      clock: this.#clock(life),
      random: this.#around.randomBytes,
      relayUrl: null,
      isFocused: () => true,
    });
    if (life.alive) life.client = client;
  }

  /** Quits in order. */
  async quit(): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    await life.client?.close();
    life.end();
  }

  /** Dies `steps` steps from now. */
  lightFuse(steps: number): void {
    if (this.#life !== null) this.#life.fuse = steps;
  }

  /** Dies now. */
  crash(): void {
    this.#life?.end();
  }

  /** A backup program copies the vault. */
  backUp(): void {
    this.#copy = this.#vault.copy();
  }

  /** Somebody puts the copy back. Not while it runs. */
  async restore(): Promise<void> {
    if (this.#copy === null || this.#life !== null) return;
    const vault = await MemoryVault.open(this.#around.sqlEngine, this.#copy);
    await this.#vault.close();
    this.#vault = vault;
  }

  async dispose(): Promise<void> {
    this.crash();
    await this.#vault.close();
  }

  #clock(life: Life): Clock {
    const { timeline } = this.#around;
    return {
      now: () => timeline.now(),
      setTimeout: (run, delayMs) =>
        timeline.at(delayMs, () => {
          if (life.alive) run();
        }),
    };
  }

  /** Now and then something takes its time. */
  async #linger(): Promise<void> {
    const { random, timeline } = this.#around;
    if (random.below(6) === 0) await timeline.sleep(1 + random.below(40));
  }

  async #startWorker(life: Life): Promise<CryptoWorker> {
    const { timeline, randomBytes } = this.#around;
    const waiting = new Map<number, (message: WorkerMessage) => void>();
    const listeners = new Map<string, Set<(body: never) => void>>();
    const core = createWorkerCore({
      clock: {
        nowMs: () => timeline.now(),
        passedMs: () => timeline.now(),
        setTimer: (delayMs, fire) =>
          timeline.at(delayMs, () => {
            if (life.alive) fire();
          }),
      },
      random: randomBytes,
      passphraseCost: { passes: 1, memoryBytes: 8192 },
      selfTest: () => Promise.resolve({ tests: 0, libsodium: "" }),
      post: (message) => {
        if (!life.alive) return;
        const sent = structuredClone(message);
        if (sent.kind === "event") {
          for (const tell of listeners.get(sent.name) ?? []) tell(sent.body as never);
        } else {
          waiting.get(sent.id)?.(sent);
          waiting.delete(sent.id);
        }
      },
    });
    let nextId = 1;
    const call = async (method: WorkerMethodName, params: unknown): Promise<unknown> => {
      if (!life.alive) return never;
      const id = nextId++;
      const answer = new Promise<WorkerMessage>((resolve) => waiting.set(id, resolve));
      core.handle({ id, method, params: structuredClone(params) });
      const message = await answer;
      if (this.#life !== null) await this.#linger();
      if (!life.step()) return never;
      if (message.kind === "failure") throw AppError.fromWire(message.error);
      if (message.kind !== "result") return undefined;
      if (method === "group.prepareCommit") this.#spoil(message.result);
      return message.result;
    };
    await call("start", {});
    return {
      // Each answer is of its method's shape.
      call: call as CryptoWorker["call"],
      on: (name, listener) => {
        const known = listeners.get(name) ?? new Set();
        listeners.set(name, known.add(listener));
        return () => void known.delete(listener);
      },
      onRestart: () => () => undefined,
      dispose: () => Promise.resolve(),
    };
  }

  /** @param made - of a commit, nobody else's copy */
  #spoil(made: unknown): void {
    if (this.spoils === 0) return;
    this.spoils -= 1;
    const { bytes } = made as WorkerResult<"group.prepareCommit">;
    bytes[bytes.length - 3]! ^= 1;
  }

  /** The vault as one life has it: what was written before its death is there afterwards, what wasn't, isn't. */
  #mortalVault(life: Life): Vault {
    const vault = this.#vault;
    let tail: Promise<unknown> = Promise.resolve();
    const inOrder = <Result>(work: () => Promise<Result>): Promise<Result> => {
      const running = tail.then(work);
      tail = running.catch(() => undefined);
      return running;
    };
    return new Proxy<Vault>(vault, {
      get: (_, name) => {
        if (name === "transact") {
          return (statements: readonly Statement[]) =>
            inOrder(async () => {
              await this.#linger();
              if (!life.step()) return never;
              await vault.transact(statements);
              this.doubts += statements.filter(isDoubt).length;
              return life.step() ? undefined : never;
            });
        }
        const value: unknown = Reflect.get(vault, name, vault);
        return typeof value === "function" ? (value.bind(vault) as unknown) : value;
      },
    });
  }
}
