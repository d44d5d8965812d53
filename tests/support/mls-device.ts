import { getCiphersuiteFromName, type CiphersuiteImpl, type PrivateMessage } from "ts-mls";
import {
  AppError,
  idFromBytes,
  type ConversationId,
  type DeviceId,
  type GroupSummary,
  type NetworkId,
  type RoomState,
  type UserId,
} from "#protocol";
import {
  createTrustGate,
  type DeviceTrust,
  type JudgedAt,
  type Standing,
} from "../../crypto/mls/client-config.ts";
import {
  decodeGroupInfo,
  decodeLogMessage,
  decodeWelcome,
  encodeKeyPackage,
} from "../../crypto/mls/codec.ts";
import { beginGroup, joinByWelcome, type JoinOutcome } from "../../crypto/mls/group-begin.ts";
import {
  prepareCommit,
  settleCommit,
  type PreparedCommit,
  type WantedChanges,
} from "../../crypto/mls/group-commit.ts";
import {
  openReinit,
  prepareReinit,
  type NextSuite,
  type ReinitOutcome,
} from "../../crypto/mls/group-reinit.ts";
import { prepareRejoin, type PreparedRejoin } from "../../crypto/mls/group-rejoin.ts";
import { openEntry, sealApplication, type EntryOutcome } from "../../crypto/mls/group-messages.ts";
import {
  createKeyPackage,
  type OwnDevice,
  type OwnKeyPackage,
} from "../../crypto/mls/key-packages.ts";
import { nextSuiteOf, summaryOf, type GroupMemory } from "../../crypto/mls/memory.ts";
import { changedPieces, readPieces } from "../../crypto/mls/pieces.ts";
import { createCiphersuiteImpl } from "../../crypto/mls/provider.ts";
import { isSupportedSuite, suiteNames, type SuiteName } from "../../crypto/mls/suites.ts";
import type { Primitives, SignatureScheme } from "../../crypto/primitives/index.ts";

/** A conversation's id made from a small number. */
export function conversationId(number: number): ConversationId {
  return idFromBytes<ConversationId>(new Uint8Array(16).fill(number));
}

/** Timers that no test waits for. */
export const someTimers = { expirationSeconds: 3600, burnSeconds: null } as const;

/** What several devices have in common. */
export interface MlsWorld {
  readonly primitives: Primitives;
  readonly impl: CiphersuiteImpl;
  /** The suite's. */
  readonly signature: SignatureScheme;
  readonly trust: DeviceTrust;
  readonly nowMs: number;
  /** Ids are drawn from here, so that a seeded world is the same every time. */
  readonly newId: () => Uint8Array;
  readonly nothing: WantedChanges;
}

const networkId = idFromBytes<NetworkId>(new Uint8Array(16).fill(0xaa));

/** A directory without revocations and suspensions. */
export const nobodyExcluded: Standing = { mayBeAdded: () => true, mayBeRemoved: () => false };

export function createMlsWorld(
  primitives: Primitives,
  options: { readonly suite?: SuiteName; readonly trust?: DeviceTrust } = {},
): MlsWorld {
  const suite = getCiphersuiteFromName(options.suite ?? suiteNames.default);
  return {
    primitives,
    impl: createCiphersuiteImpl(primitives, suite),
    signature: primitives.signatures[suite.signature],
    trust: options.trust ?? { ...nobodyExcluded, judge: () => "trusted" },
    nowMs: Date.now(),
    newId: () => primitives.random(16),
    nothing: { addKeyPackages: [], removeDevices: [], roomState: null },
  };
}

/** A device with its groups, its stored rows and nothing else: what the worker does, without worker and sealing. */
export class MlsDevice {
  readonly world: MlsWorld;
  readonly own: OwnDevice;
  readonly #memories = new Map<ConversationId, GroupMemory>();
  /** The rows as the vault would hold them. */
  readonly rows = new Map<ConversationId, Map<string, Uint8Array>>();
  #keyPackages: readonly OwnKeyPackage[] = [];
  readonly #suites = new Map<SuiteName, NextSuite>();

  constructor(world: MlsWorld, userId?: UserId) {
    this.world = world;
    const { publicKey, privateKey } = world.signature.generateKeyPair();
    this.own = {
      networkId,
      userId: userId ?? idFromBytes<UserId>(world.newId()),
      deviceId: idFromBytes<DeviceId>(world.newId()),
      signatureKey: publicKey,
      signaturePrivateKey: privateKey,
    };
  }

  /** This device in groups of a suite: the world's, or the one that a conversation goes over to. */
  inSuite(name: string): NextSuite {
    if (!isSupportedSuite(name)) throw new Error(name);
    const { impl, primitives, nowMs } = this.world;
    if (name === impl.name) return { impl, device: this.own, nowMs, suite: name };
    const known = this.#suites.get(name);
    if (known !== undefined) return known;
    const suite = getCiphersuiteFromName(name);
    const { publicKey, privateKey } = primitives.signatures[suite.signature].generateKeyPair();
    const device = { ...this.own, signatureKey: publicKey, signaturePrivateKey: privateKey };
    const made = {
      impl: createCiphersuiteImpl(primitives, suite),
      ...{ device, nowMs, suite: name },
    };
    this.#suites.set(name, made);
    return made;
  }

  get userId(): UserId {
    return this.own.userId;
  }

  get deviceId(): DeviceId {
    return this.own.deviceId;
  }

  /** Those that nothing was joined with yet. */
  get keyPackages(): readonly OwnKeyPackage[] {
    return this.#keyPackages;
  }

  memory(id: ConversationId): GroupMemory {
    const memory = this.#memories.get(id);
    if (memory === undefined) throw new AppError("group-unknown");
    return memory;
  }

  summary(id: ConversationId): GroupSummary {
    return summaryOf(this.memory(id));
  }

  has(id: ConversationId): boolean {
    return this.#memories.has(id);
  }

  /** Stores what changed, then goes on with `after`. */
  keep(id: ConversationId, after: GroupMemory | null): void {
    const rows = this.rows.get(id) ?? new Map<string, Uint8Array>();
    for (const { name, plain } of changedPieces(this.#memories.get(id) ?? null, after)) {
      if (plain === null) rows.delete(name);
      else rows.set(name, plain.slice());
    }
    this.rows.set(id, rows);
    if (after === null) this.#memories.delete(id);
    else this.#memories.set(id, after);
  }

  /** Forgets everything in memory and reads it again from the rows, as after a crash. */
  restart(): void {
    for (const [id, memory] of this.#memories) {
      const copies = new Map(
        [...(this.rows.get(id) ?? [])].map(([name, plain]) => [name, plain.slice()]),
      );
      const gate = createTrustGate(this.world.trust);
      const keyOf = (suite: string) => this.inSuite(suite).device.signaturePrivateKey;
      const read = readPieces(copies, keyOf, gate.clientConfig);
      this.#memories.set(id, { impl: memory.impl, gate, ...read });
    }
  }

  async keyPackage(
    nowMs: number = this.world.nowMs,
    { impl, device }: Pick<NextSuite, "impl" | "device"> = this.inSuite(this.world.impl.name),
  ): Promise<Uint8Array> {
    const made = await createKeyPackage(impl, device, { nowMs, lastResort: false });
    this.#keyPackages = [...this.#keyPackages, made];
    return encodeKeyPackage(made.keyPackage);
  }

  async begin(id: ConversationId, roomState: RoomState): Promise<void> {
    this.keep(id, await beginGroup(this.#context(), id, roomState));
  }

  /** Joins with whichever key package the Welcome was made for. */
  async join(id: ConversationId, welcome: Uint8Array): Promise<JoinOutcome> {
    let outcome: JoinOutcome = { kind: "refused", code: "not-found" };
    for (const own of this.#keyPackages) {
      const context = { ...this.#context(), ...this.inSuite(own.keyPackage.cipherSuite) };
      outcome = await joinByWelcome(context, decodeWelcome(welcome), own, id);
      if (outcome.kind === "joined") {
        this.keep(id, outcome.memory);
        this.#keyPackages = this.#keyPackages.filter((other) => other !== own);
      }
      if (outcome.kind !== "refused") break;
    }
    return outcome;
  }

  async prepare(id: ConversationId, wanted: Partial<WantedChanges> = {}): Promise<PreparedCommit> {
    const all = { ...this.world.nothing, ...wanted };
    const prepared = await prepareCommit(this.memory(id), all, this.world.nowMs);
    this.keep(id, prepared.memory);
    return prepared;
  }

  /** Joins anew from a GroupInfo; what is left of the group's state is forgotten. */
  async rejoin(id: ConversationId, groupInfo: Uint8Array): Promise<PreparedRejoin> {
    const decoded = decodeGroupInfo(groupInfo);
    const context = { ...this.#context(), ...this.inSuite(decoded.groupContext.cipherSuite) };
    const prepared = await prepareRejoin(context, id, decoded);
    this.keep(id, prepared.memory);
    return prepared;
  }

  settle(id: ConversationId, accepted: boolean): ReturnType<typeof settleCommit> {
    const memory = this.memory(id);
    const settled = settleCommit(memory, accepted, this.inSuite(nextSuiteOf(memory)).impl);
    this.keep(id, settled.memory);
    return settled;
  }

  async seal(id: ConversationId, text: string): Promise<Uint8Array> {
    const content = new TextEncoder().encode(text);
    const sealed = await sealApplication(this.memory(id), content, new Uint8Array(0));
    this.keep(id, sealed.memory);
    return sealed.bytes;
  }

  async open(id: ConversationId, bytes: Uint8Array): Promise<EntryOutcome> {
    const outcome = await openEntry(this.memory(id), id, bytes);
    if ("memory" in outcome) this.keep(id, outcome.memory);
    if (outcome.kind === "removed") this.keep(id, null);
    return outcome;
  }

  /** Makes the entry by which a conversation goes over to `suite`. */
  async prepareReinit(
    id: ConversationId,
    suite: SuiteName,
    others: readonly MlsDevice[],
  ): Promise<PreparedCommit> {
    const keyPackages = await Promise.all(
      others.map((other) => other.keyPackage(this.world.nowMs, other.inSuite(suite))),
    );
    const prepared = await prepareReinit(this.memory(id), this.inSuite(suite), { keyPackages });
    this.keep(id, prepared.memory);
    return prepared;
  }

  /** Goes over to `suite` with whichever key package the entry was made for. */
  async openReinit(
    id: ConversationId,
    bytes: Uint8Array,
    suite: SuiteName,
    at: JudgedAt = "now",
  ): Promise<ReinitOutcome> {
    let outcome: ReinitOutcome = { kind: "refused", code: "not-found" };
    for (const own of this.#keyPackages) {
      outcome = await openReinit(this.memory(id), this.inSuite(suite), {
        ...{ conversationId: id, bytes, own, at },
      });
      if (outcome.kind === "commit") this.keep(id, outcome.memory);
      if (outcome.kind !== "refused") break;
    }
    return outcome;
  }

  /** The text of an application entry, or what it was instead. */
  async read(id: ConversationId, bytes: Uint8Array): Promise<string> {
    const outcome = await this.open(id, bytes);
    if (outcome.kind === "application") return new TextDecoder().decode(outcome.content);
    return outcome.kind === "refused" ? `refused: ${outcome.code}` : outcome.kind;
  }

  #context() {
    const { impl, nowMs, trust } = this.world;
    return { impl, gate: createTrustGate(trust), device: this.own, nowMs };
  }
}

/** An entry of a member, taken apart. */
export function privateMessageOf(bytes: Uint8Array): PrivateMessage {
  const entry = decodeLogMessage(bytes);
  if (entry.kind !== "private") throw new Error(entry.kind);
  return entry.message;
}

/** Orders `committer`'s commit: it settles, `others` open it, newcomers join. */
export async function orderCommit(
  id: ConversationId,
  committer: MlsDevice,
  wanted: Partial<WantedChanges>,
  people: {
    readonly others?: readonly MlsDevice[];
    readonly newcomers?: readonly MlsDevice[];
  } = {},
): Promise<PreparedCommit> {
  const { others = [], newcomers = [] } = people;
  const prepared = await committer.prepare(id, wanted);
  committer.settle(id, true);
  for (const other of others) {
    const outcome = await other.open(id, prepared.bytes);
    if (outcome.kind !== "commit" && outcome.kind !== "removed") {
      throw new Error(
        `a commit was taken as ${JSON.stringify(outcome.kind)} ${"code" in outcome ? outcome.code : ""}`,
      );
    }
  }
  for (const newcomer of newcomers) {
    if (prepared.welcome === null) throw new Error("no Welcome for the newcomers");
    const outcome = await newcomer.join(id, prepared.welcome);
    if (outcome.kind !== "joined") throw new Error(`joining came to ${JSON.stringify(outcome)}`);
  }
  return prepared;
}

/**
 * A group that `founder` has made with everybody in `others`.
 *
 * @param options - the room's state where it matters; `joining`: who of the others really joins, the rest stays away
 */
export async function groupOf(
  id: ConversationId,
  founder: MlsDevice,
  others: readonly MlsDevice[],
  options: Partial<RoomState> & { readonly joining?: readonly MlsDevice[] } = {},
): Promise<void> {
  const { joining = others, ...room } = options;
  await founder.begin(id, {
    kind: "group",
    name: "Test",
    administrators: [founder.userId],
    timers: someTimers,
    ...room,
  });
  if (others.length === 0) return;
  const addKeyPackages = await Promise.all(others.map((other) => other.keyPackage()));
  await orderCommit(id, founder, { addKeyPackages }, { newcomers: joining });
}
