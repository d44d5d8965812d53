import {
  encodeRecord,
  recordKinds,
  signingInput,
  suiteNames,
  type ConversationId,
  type DeviceId,
  type GroupWrites,
  type KeychainEntries,
  type KeychainPlace,
  type KeyPackageRef,
  type KeyringRecord,
  type NetworkId,
  type RecordKindName,
  type RecordValue,
  type SignedRecord,
  type SuiteName,
  type UserId,
} from "#protocol";
import type { Primitives, SignatureKeyPair } from "../../crypto/primitives/index.ts";
import { ensure } from "./ensure.ts";
import {
  createInProcessWorker,
  createManualClock,
  type InProcessWorker,
  type ManualClock,
} from "./in-process-worker.ts";

/** When these stories begin. */
export const storyStartMs = Date.UTC(2026, 8, 1);

/** Where these stories' keychains would keep their keys. */
const storyPlace: KeychainPlace = {
  account: "story",
  backend: "table",
  application: "app.sotto",
  user: "somebody",
  path: "/vault",
};

/** Signs a record as its issuer would. */
export function signAs<Kind extends RecordKindName>(
  primitives: Primitives,
  kind: Kind,
  value: RecordValue<Kind>,
  { privateKey }: SignatureKeyPair,
): SignedRecord {
  const payload = encodeRecord(kind, value);
  const signed = signingInput(recordKinds[kind].label, payload);
  return { payload, signature: primitives.ed25519.sign(privateKey, signed) };
}

/** A network with its key and its issuer, as administrator and relay would have them. */
export interface StoryNetwork {
  readonly primitives: Primitives;
  readonly networkId: NetworkId;
  readonly network: SignatureKeyPair;
  readonly issuer: SignatureKeyPair;
  readonly issuerCertificate: SignedRecord;
}

export async function createStoryNetwork(
  primitives: Primitives,
  worker: InProcessWorker,
): Promise<StoryNetwork> {
  const network = primitives.ed25519.generateKeyPair();
  const issuer = primitives.ed25519.generateKeyPair();
  const { networkId } = await worker.call("network.idOf", { networkKey: network.publicKey });
  const issuerCertificate = signAs(
    primitives,
    "issuerCertificate",
    {
      networkId,
      issuerKey: issuer.publicKey,
      notBeforeMs: storyStartMs - 1000,
      notAfterMs: storyStartMs + 366 * 86_400_000,
    },
    network,
  );
  return { primitives, networkId, network, issuer, issuerCertificate };
}

/** A device whose worker is unlocked, with a vault that is a table of rows. */
export class WorkerDevice {
  worker: InProcessWorker;
  readonly clock: ManualClock;
  readonly rows = new Map<ConversationId, Map<string, Uint8Array>>();
  readonly keyPackages = new Map<KeyPackageRef, Uint8Array>();
  userId = "" as UserId;
  deviceId = "" as DeviceId;
  accountKey = new Uint8Array(0);
  signatureKey = new Uint8Array(0);
  #sealedIdentity = new Uint8Array(0);
  readonly #record: KeyringRecord;
  readonly #entries: KeychainEntries;

  private constructor(
    worker: InProcessWorker,
    clock: ManualClock,
    keyring: { readonly record: KeyringRecord; readonly entries: KeychainEntries },
  ) {
    this.worker = worker;
    this.clock = clock;
    this.#record = keyring.record;
    this.#entries = keyring.entries;
  }

  /** A new person on a new device, its vault unlocked; in no network yet. */
  static async create(): Promise<WorkerDevice> {
    const clock = createManualClock(storyStartMs);
    const worker = createInProcessWorker(clock);
    await worker.call("start", {});
    const created = await worker.call("vault.create", { keychain: storyPlace, passphrase: null });
    const device = new WorkerDevice(worker, clock, {
      record: created.record,
      entries: ensure(created.keychainKeys),
    });
    await device.unlock();
    const identity = await device.worker.call("identity.create", {});
    device.userId = identity.userId;
    device.deviceId = identity.deviceId;
    device.accountKey = new Uint8Array(identity.accountKey);
    device.signatureKey = new Uint8Array(identity.signatureKey);
    device.#sealedIdentity = new Uint8Array(identity.sealedIdentity);
    return device;
  }

  async unlock(): Promise<void> {
    await this.worker.call("vault.unlock", {
      record: this.#record,
      secret: { kind: "keychain", entries: this.#entries },
    });
  }

  async enter({ networkId, network, issuer, issuerCertificate }: StoryNetwork): Promise<void> {
    await this.worker.call("identity.load", { sealedIdentity: this.#sealedIdentity, networkId });
    await this.worker.call("directory.setNetwork", {
      networkKey: network.publicKey,
      issuerCertificate,
      issuerKey: issuer.publicKey,
    });
  }

  /** This person's records, as the directory would hold them. */
  async records({ primitives, networkId, issuer }: StoryNetwork) {
    const user = signAs(
      primitives,
      "user",
      {
        networkId,
        userId: this.userId,
        displayName: "Somebody",
        role: "member",
        accountKey: this.accountKey,
        issuedAtMs: storyStartMs,
      },
      issuer,
    );
    const { record } = await this.worker.call("record.sign", {
      kind: "device",
      value: {
        networkId,
        userId: this.userId,
        deviceId: this.deviceId,
        deviceName: "Desk",
        platform: "linux",
        signatureKey: this.signatureKey,
        createdAtMs: storyStartMs,
      },
    });
    return { user, devices: [record] };
  }

  /** Believes the records of `others`. */
  async meet(network: StoryNetwork, others: readonly WorkerDevice[]): Promise<void> {
    const entries = await Promise.all(others.map((other) => other.records(network)));
    await this.worker.call("directory.trust", { entries });
  }

  /** The process dies; another one begins with what is stored. */
  async restart(network: StoryNetwork, others: readonly WorkerDevice[]): Promise<void> {
    this.worker = createInProcessWorker(this.clock);
    await this.worker.call("start", {});
    await this.unlock();
    await this.enter(network);
    await this.meet(network, others);
    for (const conversationId of this.rows.keys()) await this.load(conversationId);
  }

  load(conversationId: ConversationId) {
    const pieces = [...(this.rows.get(conversationId) ?? [])].map(([name, sealed]) => ({
      name,
      sealed,
    }));
    return this.worker.call("group.load", { conversationId, pieces });
  }

  /** What the main process does with `writes`. */
  store<Result extends { readonly writes: GroupWrites }>(result: Result): Result {
    const { conversationId, pieces } = result.writes;
    const rows = this.rows.get(conversationId) ?? new Map<string, Uint8Array>();
    for (const { name, sealed } of pieces) {
      if (sealed === null) rows.delete(name);
      else rows.set(name, sealed);
    }
    this.rows.set(conversationId, rows);
    return result;
  }

  async keyPackage(suite: SuiteName = suiteNames.default): Promise<Uint8Array> {
    const { keyPackages } = await this.worker.call("keyPackages.generate", {
      suite,
      count: 1,
      lastResort: false,
    });
    const [made] = keyPackages;
    if (made === undefined) throw new Error("no key package was made");
    this.keyPackages.set(made.ref, made.sealedPrivate);
    return made.bytes;
  }

  /** Joins with the key package that the Welcome names. */
  async join(conversationId: ConversationId, welcome: Uint8Array) {
    const { refs } = await this.worker.call("group.welcomeTargets", { welcome });
    const ref = refs.find((candidate) => this.keyPackages.has(candidate));
    const sealedPrivate = ref === undefined ? undefined : this.keyPackages.get(ref);
    if (ref === undefined || sealedPrivate === undefined) throw new Error("not for this device");
    const params = { welcome, ref, sealedPrivate, conversationId };
    const joined = await this.worker.call("group.join", params);
    if (joined.kind === "joined") this.store(joined);
    return joined;
  }

  async say(conversationId: ConversationId, text: string): Promise<Uint8Array> {
    const sealed = await this.worker.call("group.seal", {
      conversationId,
      content: new TextEncoder().encode(text),
      authenticatedData: new Uint8Array(0),
    });
    return this.store(sealed).bytes;
  }

  async open(conversationId: ConversationId, bytes: Uint8Array) {
    const entry = await this.worker.call("group.open", { conversationId, bytes });
    if ("writes" in entry) this.store(entry);
    return entry;
  }

  async hear(conversationId: ConversationId, bytes: Uint8Array): Promise<string> {
    const entry = await this.open(conversationId, bytes);
    return entry.kind === "application" ? new TextDecoder().decode(entry.content) : entry.kind;
  }
}
