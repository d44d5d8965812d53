import {
  AppError,
  ensureAppError,
  policySuite,
  type ConversationId,
  type DeviceId,
  type ErrorCode,
  type GroupWrites,
  type SuiteName,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredConversation } from "../store/rows.ts";
import { isLive } from "../store/store.ts";
import { forgetConversation } from "./group-change.ts";
import type { GroupLog } from "./group-log.ts";
import { claimKeyPackages } from "./key-package-claims.ts";
import { planDevices } from "./membership.ts";
import {
  decodeIntent,
  decodeOffer,
  encodeIntent,
  encodeOffer,
  planCommit,
  type CommitPlan,
  type Intent,
  type Offer,
} from "./intent.ts";

/** Each epoch has one winner, so that this many tries are lost only against as many others. */
const maxAttempts = 20;
/** An intent that came to nothing this often, over restarts, is given up. */
const maxCommits = 60;
/** How long a command waits for a connection that broke under it, milliseconds. */
const outcomeTimeoutMs = 20_000;

/** Whether a failure leaves open what the relay did, or only puts it off. */
function isPassing(error: unknown): boolean {
  const { code } = ensureAppError(error);
  return (
    code === "relay-unreachable" ||
    code === "rate-limited" ||
    code === "relay-storage-failed" ||
    code === "internal" ||
    code === "worker-stopped" ||
    code === "not-ready" ||
    code.startsWith("vault-") ||
    code === "disk-full"
  );
}

/** What the relay says of a commit that it will not order. */
const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "not-allowed",
  "not-found",
  "argument-invalid",
  "frame-too-large",
]);

/** The relay's refusal of a commit, which has therefore not been ordered. */
class OfferRefused extends Error {
  /** @param cause - the refusal as it came */
  constructor(cause: unknown) {
    super("the relay refused a commit", { cause });
  }
}

/** Changes conversations by commits: prepared, put on disk, offered, and settled by what the log says. */
export class Commits {
  readonly #core: Core;
  readonly #log: GroupLog;
  /** Commands that wait for what becomes of a conversation's intent. */
  readonly #waiting = new Map<ConversationId, PromiseWithResolvers<null>>();
  readonly #unlisten: () => void;

  #closed = false;

  constructor(core: Core, log: GroupLog) {
    this.#core = core;
    this.#log = log;
    // Wherever the log was read: an intent that is gone, and wasn't refused, has been carried out.
    this.#unlisten = core.onCommitted(() => {
      for (const [conversationId, waiting] of this.#waiting) {
        if (core.store.intent(conversationId) === undefined) waiting.resolve(null);
      }
    });
  }

  /**
   * Carries out an intent. It is on disk before anything is sent: if this computer stops now, it is finished at the next start.
   *
   * @throws AppError `not-allowed`, `conversation-over`, `key-packages-exhausted`, `suite-outdated`, `relay-unreachable` (it may still be carried out later), …
   */
  async run(conversationId: ConversationId, intent: Intent): Promise<void> {
    this.#core.ensureWritable();
    this.#core.ensureOnline();
    await this.#outcome(
      conversationId,
      this.#core.groupQueue.run(conversationId, () => this.runInQueue(conversationId, intent)),
    );
  }

  /** Carries out an intent that is in the vault already. @throws AppError as {@link run} */
  finish(conversationId: ConversationId): Promise<void> {
    return this.#outcome(
      conversationId,
      this.#core.groupQueue.run(conversationId, () => this.#settle(conversationId)),
    );
  }

  /** As {@link run}, for callers inside the conversation's queue. */
  async runInQueue(conversationId: ConversationId, intent: Intent): Promise<void> {
    await this.#settle(conversationId);
    const changes = new Changes();
    changes.write("intent.put", conversationId, encodeIntent(intent), 0, null);
    await this.#core.commit(changes);
    await this.#settle(conversationId);
  }

  /** Finds out what became of an intent that was under way, and finishes it. For callers outside the queue. */
  async resume(conversationId: ConversationId): Promise<void> {
    await this.#core.groupQueue.run(conversationId, () => this.resumeInQueue(conversationId));
  }

  /** As {@link resume}, for callers inside the conversation's queue. */
  async resumeInQueue(conversationId: ConversationId): Promise<void> {
    await this.#settle(conversationId).catch((error: unknown) => {
      // It was refused for good, and is gone: who asked for it has heard of it.
      if (this.#core.store.intent(conversationId) !== undefined) throw error;
    });
  }

  /** Waits for an intent beyond a connection that breaks under it. @throws AppError */
  async #outcome(conversationId: ConversationId, running: Promise<void>): Promise<void> {
    try {
      await running;
    } catch (error) {
      const unknown = ensureAppError(error).code === "relay-unreachable";
      if (this.#closed || !unknown || this.#core.store.intent(conversationId) === undefined) {
        throw error;
      }
      const waiting = this.#waiting.get(conversationId) ?? Promise.withResolvers<null>();
      this.#waiting.set(conversationId, waiting);
      const cancel = this.#core.clock.setTimeout(() => {
        waiting.reject(error);
      }, outcomeTimeoutMs);
      try {
        await waiting.promise;
      } finally {
        cancel();
        if (this.#waiting.get(conversationId) === waiting) this.#waiting.delete(conversationId);
      }
    }
  }

  /** Commands that still wait hear that they won't know; their intents are in the vault. */
  close(): void {
    this.#closed = true;
    this.#unlisten();
    for (const waiting of this.#waiting.values()) waiting.reject(new AppError("not-ready"));
  }

  /**
   * Works on the stored intent until there is none. A failure that isn't passing withdraws it; but what was offered to the relay may
   * have been ordered, and only a relay that refuses that very commit has said that it wasn't.
   */
  async #settle(conversationId: ConversationId): Promise<void> {
    try {
      await this.#tryAll(conversationId);
    } catch (error) {
      const offered = this.#offer(conversationId) !== undefined;
      const refused = error instanceof OfferRefused;
      const cause = refused ? error.cause : error;
      if (refused || (!offered && !isPassing(cause))) {
        this.#waiting.get(conversationId)?.reject(cause);
        await this.#withdraw(conversationId);
      }
      throw cause;
    }
  }

  async #tryAll(conversationId: ConversationId): Promise<void> {
    const kept = new Map<SuiteName, Map<DeviceId, Uint8Array>>();
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const stored = this.#core.store.intent(conversationId);
      if (stored === undefined) return;
      const intent = decodeIntent(stored.intent);
      if (intent.kind === "create" && attempt === 0) {
        const { groupInfo } = intent;
        await this.#core.request("group.create", { conversationId, groupInfo });
      }
      // Before anything else the log says what became of an offer (mls.md rule 2).
      if (stored.offer !== null) await this.#readOn(conversationId);
      if (this.#isOutdated(intent)) return this.#withdraw(conversationId);
      const offer = this.#offer(conversationId) ?? (await this.#prepare(conversationId, kept));
      if (offer === undefined) return;
      await this.#offerToRelay(conversationId, offer);
    }
    if (this.#core.store.intent(conversationId) !== undefined) throw new AppError("epoch-unknown");
  }

  /** The others follow nobody to a suite that the policy has left, however long ago the way there was made. */
  #isOutdated(intent: Intent): boolean {
    return intent.kind === "suite" && intent.suite !== policySuite(this.#core.policy);
  }

  /** @throws AppError why the log can't be read on */
  async #readOn(conversationId: ConversationId): Promise<void> {
    await this.#log.catchUp(conversationId);
    const blocked = this.#log.blockedBy(conversationId);
    if (blocked !== null) throw new AppError(blocked);
  }

  #offer(conversationId: ConversationId): Offer | undefined {
    const stored = this.#core.store.intent(conversationId)?.offer;
    return stored === null || stored === undefined ? undefined : decodeOffer(stored);
  }

  async #offerToRelay(conversationId: ConversationId, offer: Offer): Promise<void> {
    const { epoch, bytes } = offer;
    const ordered = await this.#core
      .request("group.commit", {
        ...offer,
        conversationId,
        add: [...offer.add],
        remove: [...offer.remove],
      })
      .catch((error: unknown) => {
        throw refusals.has(ensureAppError(error).code) ? new OfferRefused(error) : error;
      });
    if (ordered.kind === "stale") return this.#readOn(conversationId);
    const { sequence, receivedAtMs } = ordered;
    const sender = this.#core.self.deviceId;
    const entry = { kind: "commit", sequence, epoch, sender, receivedAtMs, bytes } as const;
    await this.#log.takeOrdered(conversationId, entry);
  }

  /**
   * Makes a commit from the intent and what now holds.
   *
   * @param kept - key packages that lost races have left, by their suite: what has won may have led the conversation to another one
   * @returns undefined when nothing is left to do
   */
  async #prepare(
    conversationId: ConversationId,
    kept: Map<SuiteName, Map<DeviceId, Uint8Array>>,
  ): Promise<Offer | undefined> {
    const { store, people, self } = this.#core;
    const stored = store.intent(conversationId);
    if (stored === undefined) return undefined;
    const conversation = store.ensureConversation(conversationId);
    const leavers = store.leavers(conversationId);
    const intent = decodeIntent(stored.intent);
    const { state } = conversation;
    // Removed while the command waited for its turn; or on the way out, with nothing left to do but to take others out who are, too.
    const isLast = state === "leaving" && intent.kind === "leavers";
    if (!isLive(state) || (leavers.includes(self.userId) && !isLast)) {
      throw new AppError("conversation-over");
    }
    const plan = planCommit(intent, {
      conversation,
      me: self.userId,
      thisDevice: self.deviceId,
      devicesOf: (userId) => people.addableDevices(userId),
      leavers,
      refreshedAtMs: store.refreshedAtMs(conversationId),
      planDevices: (userId) => planDevices(conversation, people, userId),
    });
    if (plan === undefined) return this.#drop(conversationId);
    if (stored.attempts >= maxCommits) throw new AppError("commit-refused");
    const suite = plan.reinitTo ?? conversation.suite;
    const packages = kept.get(suite) ?? new Map<DeviceId, Uint8Array>();
    kept.set(suite, packages);
    const { lacking } = await claimKeyPackages(this.#core, plan, { packages, suite });
    const reached = plan.addDevices.some((deviceId) => packages.has(deviceId));
    if (plan.idleWithoutPackages === true && !reached) return this.#drop(conversationId);
    const awaited = plan.reinitTo === undefined ? [] : lacking;
    this.#core.awaited.set(conversationId, awaited);
    if (awaited.length > 0) return this.#drop(conversationId);
    return this.#core.moveGroup(conversationId, () =>
      this.#make(conversationId, { plan, packages, stored }),
    );
  }

  /** Nothing is left to do for the intent. */
  async #drop(conversationId: ConversationId): Promise<undefined> {
    const changes = new Changes();
    changes.write("intent.delete", conversationId);
    // Also whose keys it waits for is told.
    changes.touch(conversationId);
    await this.#core.commit(changes);
    return undefined;
  }

  async #make(
    conversationId: ConversationId,
    making: {
      readonly plan: CommitPlan;
      readonly packages: ReadonlyMap<DeviceId, Uint8Array>;
      readonly stored: { readonly intent: Uint8Array; readonly attempts: number };
    },
  ): Promise<Offer> {
    const { plan, packages, stored } = making;
    // Rolled back: the group is joined anew first.
    const conversation = this.#core.store.ensureConversation(conversationId);
    if (conversation.stale) throw new AppError("not-ready");
    await this.#core.loadGroup(conversationId);
    const { offer, writes } = await this.#makeOffer(conversation, plan, packages);
    const changes = new Changes();
    changes.writeGroup(writes);
    const { intent, attempts } = stored;
    changes.write("intent.put", conversationId, intent, attempts + 1, encodeOffer(offer));
    await this.#core.commit(changes);
    return offer;
  }

  async #makeOffer(
    conversation: StoredConversation,
    { reinitTo, addDevices, removeDevices, roomState }: CommitPlan,
    packages: ReadonlyMap<DeviceId, Uint8Array>,
  ): Promise<{ readonly offer: Offer; readonly writes: GroupWrites }> {
    const { worker } = this.#core;
    const { conversationId } = conversation;
    const keyPackages = addDevices.flatMap((deviceId) => packages.get(deviceId) ?? []);
    const authenticatedData = await this.#log.marks.of(conversation);
    if (reinitTo !== undefined) {
      const params = { conversationId, suite: reinitTo, keyPackages, authenticatedData };
      const { writes, ...made } = await worker.call("group.prepareReinit", params);
      return { offer: { ...made, welcome: null, add: [], remove: [] }, writes };
    }
    const { writes, added, removed, ...made } = await worker.call("group.prepareCommit", {
      ...{ conversationId, addKeyPackages: keyPackages, authenticatedData },
      ...{ removeDevices, roomState },
    });
    const add = added.map(({ deviceId }) => deviceId);
    const remove = removed.map(({ deviceId }) => deviceId);
    return { offer: { ...made, add, remove }, writes };
  }

  /** Gives an intent up. A conversation that never came to be is gone with it. */
  async #withdraw(conversationId: ConversationId): Promise<void> {
    const { store, worker } = this.#core;
    if (store.intent(conversationId) === undefined) return;
    const changes = new Changes();
    if (store.conversation(conversationId)?.state === "creating") {
      forgetConversation(this.#core, changes, conversationId);
      await this.#core.commit(changes);
      await this.#core.forgetGroup(conversationId);
      return;
    }
    changes.write("intent.delete", conversationId);
    await this.#core.moveGroup(conversationId, async () => {
      if (this.#offer(conversationId) !== undefined) {
        await this.#core.loadGroup(conversationId);
        const settled = { conversationId, accepted: false };
        const { writes } = await worker.call("group.settleCommit", settled);
        changes.writeGroup(writes);
      }
      await this.#core.commit(changes);
    });
  }
}
