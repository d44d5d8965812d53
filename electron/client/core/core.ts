import {
  AppError,
  ensureAppError,
  type ConversationId,
  type CryptoWorker,
  type DeviceId,
  type GroupMember,
  type MessageId,
  type NetworkId,
  type Policy,
  type RelayMethodName,
  type RelayParams,
  type RelayResult,
  type UserId,
} from "#protocol";
import { idFromBytes } from "#protocol";
import type { Clock, Link, Random } from "../../link/index.ts";
import type { Vault } from "../../vault/index.ts";
import { readFact } from "../store/facts.ts";
import { Store } from "../store/store.ts";
import { People } from "../views/people.ts";
import type { Changes } from "./changes.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { Leaves } from "./leaves.ts";
import { TimeKeeper, type KeptTime } from "./time-keeper.ts";

/** Who this client is. */
export interface Self {
  readonly networkId: NetworkId;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

/** What {@link Core} is made of. */
export interface CoreOptions {
  readonly vault: Vault;
  readonly worker: CryptoWorker;
  readonly clock: Clock;
  readonly random: Random;
  readonly self: Self;
  readonly policy: Policy;
  readonly keptTime: KeptTime;
}

/** Who says what a conversation has come to, whom this device didn't know there. */
export interface Voucher {
  readonly by: GroupMember;
  /** Who is in it by their word. */
  readonly people: readonly UserId[];
}

const messageIdBytes = 32;
/** A difference between two clocks that the sweeps should know of, milliseconds. */
const notableMs = 250;

/** What all parts of the engine share: the ports, what is in memory, and the one way to change anything. */
export class Core {
  readonly vault: Vault;
  readonly store: Store;
  readonly worker: CryptoWorker;
  readonly clock: Clock;
  readonly random: Random;
  readonly self: Self;
  readonly time: TimeKeeper;
  readonly leaves: Leaves;
  readonly people = new People();
  /** MLS state moves only in here, one step after another per conversation. */
  readonly groupQueue = new KeyedQueue<ConversationId>();
  /** Outbox items that are on their way out: whatever the vault says of them, others may have them already. */
  readonly sending = new Set<MessageId>();
  /** Whose keys of the next suite a conversation waited for when that was last looked at. */
  readonly awaited = new Map<ConversationId, readonly DeviceId[]>();
  /** By whose word a conversation that is blocked by `members-unvouched` could be joined anew, when that was last tried. */
  readonly unvouched = new Map<ConversationId, Voucher>();
  policy: Policy;
  link: Link | null = null;
  readonly #loaded = new Set<ConversationId>();
  readonly #firstOrder: number;
  readonly #orders = new Map<ConversationId, number>();
  readonly #committed = new Set<(changes: Changes) => void>();
  #closed = false;

  constructor(options: CoreOptions) {
    this.vault = options.vault;
    this.store = new Store(options.vault);
    this.leaves = new Leaves(this.store);
    this.worker = options.worker;
    this.clock = options.clock;
    this.random = options.random;
    this.self = options.self;
    this.policy = options.policy;
    this.#firstOrder = readFact(options.vault, "firstOrder") ?? 1;
    this.time = new TimeKeeper(options.clock, options.keptTime);
  }

  get now(): () => number {
    return () => this.time.now();
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
  }

  get online(): boolean {
    return this.link?.state.kind === "online";
  }

  /** Asks the relay. @throws AppError as {@link Link.request} */
  request<Name extends RelayMethodName>(
    name: Name,
    params: RelayParams<Name>,
  ): Promise<RelayResult<Name>> {
    return this.link?.request(name, params) ?? Promise.reject(new AppError("relay-unreachable"));
  }

  /** Called after each transaction, with what it changed. @returns a disposer */
  onCommitted(listener: (changes: Changes) => void): () => void {
    this.#committed.add(listener);
    return () => void this.#committed.delete(listener);
  }

  /**
   * Puts changes into the vault, then tells everybody who follows from them.
   *
   * @throws AppError as `Vault.transact`; the worker's groups go back to what the vault has
   */
  async commit(changes: Changes): Promise<void> {
    if (this.#closed) throw new AppError("not-ready");
    try {
      if (changes.statements.length > 0) await this.vault.transact(changes.statements);
    } catch (error) {
      await Promise.all([...changes.groups].map((id) => this.forgetGroup(id)));
      throw error;
    }
    for (const listener of [...this.#committed]) listener(changes);
  }

  /** What the relay's clock has shown, as something it has said tells. */
  observeRelayTime(relayTimeMs: number): void {
    if (this.time.witness(relayTimeMs) < notableMs) return;
    // The sweeps go by the same time.
    const params = { relayTimeMs: this.time.real() };
    this.worker.call("sweep.observeTime", params).catch(ensureAppError);
  }

  /** Brings a group into the worker from the vault, unless it is there. @throws AppError `vault-damaged`, `group-unknown` */
  async loadGroup(conversationId: ConversationId): Promise<void> {
    if (this.#loaded.has(conversationId)) return;
    const pieces = this.store.pieces(conversationId);
    if (pieces.length === 0) throw new AppError("group-unknown");
    await this.worker.call("group.load", { conversationId, pieces });
    this.#loaded.add(conversationId);
  }

  /** The worker has this group since it made or joined it. */
  groupLoaded(conversationId: ConversationId): void {
    this.#loaded.add(conversationId);
  }

  get loadedGroups(): readonly ConversationId[] {
    return [...this.#loaded];
  }

  /** Lets the worker forget a group; the vault decides what it is when it comes back. */
  async forgetGroup(conversationId: ConversationId): Promise<void> {
    this.#loaded.delete(conversationId);
    await this.worker.call("group.unload", { conversationId }).catch(ensureAppError);
  }

  /**
   * Runs something that moves a group in the worker. If it fails halfway, the worker goes back to what the vault has.
   *
   * @param moved - whether the result left the group as the vault has it
   */
  async moveGroup<Result>(
    conversationId: ConversationId,
    move: () => Promise<Result>,
    moved: (result: Result) => boolean = () => true,
  ): Promise<Result> {
    let kept = false;
    try {
      const result = await move();
      kept = moved(result);
      return result;
    } finally {
      if (!kept) await this.forgetGroup(conversationId);
    }
  }

  /** The place of a new item in a conversation: after all there are, those under way included. */
  nextOrder(conversationId: ConversationId): number {
    const stored = this.store.conversation(conversationId)?.nextOrder ?? 1;
    const order = Math.max(stored, this.#firstOrder, this.#orders.get(conversationId) ?? 1);
    this.#orders.set(conversationId, order + 1);
    return order;
  }

  /** An id for something that is no message on the wire. */
  localId(): MessageId {
    return idFromBytes<MessageId>(this.random(messageIdBytes));
  }

  /** @throws AppError with the reason why nothing can be written */
  ensureWritable(): void {
    if (this.#closed) throw new AppError("not-ready");
    if (this.vault.readOnly !== null) throw new AppError(this.vault.readOnly);
  }

  /** @throws AppError `relay-unreachable` */
  ensureOnline(): void {
    if (!this.online) throw new AppError("relay-unreachable");
  }
}
