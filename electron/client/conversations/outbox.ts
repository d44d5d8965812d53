import {
  AppError,
  decodeCbor,
  encodeCbor,
  ensureAppError,
  idFromBytes,
  idToBytes,
  type ConversationId,
  type ErrorCode,
  type MessageId,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { digestOf } from "../core/digest.ts";
import { sealBody } from "../core/leaves.ts";
import type { StoredConversation, StoredOutboxItem } from "../store/rows.ts";
import { isLeavingElsewhere, stoppedFor } from "../store/stopped.ts";
import { isLive, peopleOf } from "../store/store.ts";
import { openBodies, type SealedBody } from "../views/bodies.ts";
import { saysTooMuch } from "./answers.ts";
import type { Commits } from "./commits.ts";
import { endConversation } from "./group-change.ts";
import type { GroupLog } from "./group-log.ts";
import { noteSent } from "./sent.ts";

const firstRetryMs = 1000;
const longestRetryMs = 60_000;
const maxLeaveBytes = 1024 * 1024;

/** The relay will say the same tomorrow: trying again needs the person. */
const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "conversation-over",
  "not-allowed",
  "not-found",
  "argument-invalid",
  "frame-malformed",
  "frame-too-large",
  "message-too-long",
  "message-unopenable",
  "policy-forbids",
]);

/** What a step of the outbox came to. `later`: tried again after a pause; `idle`: nothing to do until something happens. */
type Step = "again" | "later" | "idle";

/**
 * Sends what is in the outbox, in order per conversation. An item leaves it when the relay has ordered it; until then its
 * ciphertext is kept, so that the same bytes are offered again whatever happened in between.
 */
export class Outbox {
  readonly #core: Core;
  readonly #log: GroupLog;
  readonly #commits: Commits;
  readonly #pumping = new Set<ConversationId>();
  readonly #kicked = new Set<ConversationId>();
  readonly #retries = new Map<ConversationId, { failures: number; cancel: () => void }>();

  constructor(core: Core, log: GroupLog, commits: Commits) {
    this.#core = core;
    this.#log = log;
    this.#commits = commits;
  }

  /** Goes on with everything that waits: the connection is back. */
  kickAll(): void {
    for (const conversationId of this.#core.store.conversationsWithOutbox()) {
      this.#retries.get(conversationId)?.cancel();
      this.#retries.delete(conversationId);
      this.kick(conversationId);
    }
  }

  /** Goes on with a conversation, if that isn't under way. */
  kick(conversationId: ConversationId): void {
    if (this.#core.closed || !this.#core.online) return;
    this.#kicked.add(conversationId);
    if (this.#pumping.has(conversationId)) return;
    this.#pumping.add(conversationId);
    void this.#pump(conversationId);
  }

  close(): void {
    for (const { cancel } of this.#retries.values()) cancel();
    this.#retries.clear();
  }

  async #pump(conversationId: ConversationId): Promise<void> {
    try {
      while (this.#kicked.delete(conversationId)) await this.#goOn(conversationId);
    } finally {
      // In the same breath as the last look: whoever kicks from here on begins anew.
      this.#pumping.delete(conversationId);
    }
  }

  async #goOn(conversationId: ConversationId): Promise<void> {
    let step: Step = "again";
    while (step === "again" && this.#core.online && !this.#core.closed) {
      step = await this.#core.groupQueue
        .run(conversationId, () => this.#step(conversationId))
        .catch((error: unknown) => this.#afterFailure(ensureAppError(error)));
    }
    if (step === "later") this.#retryLater(conversationId);
    else this.#retries.delete(conversationId);
  }

  /** What is no answer to the item itself: the connection, the disk or the worker decide when it goes on. */
  #afterFailure({ code, fault }: AppError): Step {
    if (code === "relay-unreachable" || code === "worker-stopped") return "idle";
    if (this.#core.closed || this.#core.vault.readOnly !== null) return "idle";
    if (fault === "peer") this.#core.link?.distrust(code);
    return "later";
  }

  #retryLater(conversationId: ConversationId): void {
    const failures = (this.#retries.get(conversationId)?.failures ?? 0) + 1;
    const delayMs = Math.min(firstRetryMs * 2 ** (failures - 1), longestRetryMs);
    const cancel = this.#core.clock.setTimeout(() => {
      this.kick(conversationId);
    }, delayMs);
    this.#retries.set(conversationId, { failures, cancel });
  }

  async #step(conversationId: ConversationId): Promise<Step> {
    const { store, time } = this.#core;
    const conversation = store.conversation(conversationId);
    if (conversation === undefined || conversation.state === "creating") return "idle";
    // Nothing is encrypted by a state that was rolled back; joining anew asks again.
    if (conversation.stale) return "idle";
    const item = store.outboxNext(conversationId, time.now());
    if (item === undefined) return "idle";
    // It was being written when this device was taken out. What is to be dropped there, the relay may still take.
    if (!isLive(conversation.state) && item.kind !== "drop") {
      await this.#refuse(conversation, item, "conversation-over");
      return "again";
    }
    // A verified person's key has changed: what was said waits. Taking back and leaving say nothing to anybody new.
    const tells = item.kind !== "drop" && item.kind !== "leave";
    if (tells && stoppedFor(store, conversation).length > 0) return "idle";
    if (store.intent(conversationId) !== undefined) {
      // A commit whose outcome is open comes first: it decides for which epoch this is to be sealed.
      return this.#resume(conversation, item);
    }
    try {
      if (item.kind === "drop") return await this.#drop(item);
      if (item.kind === "leave") return await this.#leave(conversation, item);
      this.#core.sending.add(item.itemId);
      return await this.#send(conversation, item);
    } catch (error) {
      const { code } = ensureAppError(error);
      if (!refusals.has(code)) throw error;
      // Nobody could ask for it again: it ends with the membership, of which the log tells.
      if (item.kind === "leave") return "later";
      // Every role may say something: whom the relay doesn't allow it isn't in the conversation any more.
      await this.#refuse(conversation, item, code === "not-allowed" ? "conversation-over" : code);
      return "again";
    } finally {
      this.#core.sending.delete(item.itemId);
    }
  }

  async #resume(conversation: StoredConversation, item: StoredOutboxItem): Promise<Step> {
    try {
      await this.#commits.resumeInQueue(conversation.conversationId);
      return "again";
    } catch (error) {
      const step = await this.#refuseBlocked(conversation, item);
      if (step !== "again") throw error;
      return step;
    }
  }

  /** What can't be sent as long as the log can't be read on says so, and can be tried again. Recalls and farewells wait. */
  async #refuseBlocked(conversation: StoredConversation, item: StoredOutboxItem): Promise<Step> {
    const blocked = this.#log.blockedBy(conversation.conversationId);
    const waits = item.kind === "leave" || item.kind === "recall" || item.kind === "drop";
    // What is stuck is being mended: nothing is given up for that.
    if (blocked === null || blocked === "conversation-stuck" || waits) return "later";
    await this.#refuse(conversation, item, blocked);
    return "again";
  }

  async #send(conversation: StoredConversation, item: StoredOutboxItem): Promise<Step> {
    const { conversationId } = conversation;
    const { store, self } = this.#core;
    // None of its person's devices may carry it out, nor say anything until it is (RFC 9420 §12.4).
    if (isLeavingElsewhere(store, conversation, self.userId)) return "idle";
    if (store.leavers(conversationId).length > 0) {
      await this.#commits.runInQueue(conversationId, { kind: "leavers" });
      return "again";
    }
    if (item.doubtful) return this.#clearUp(conversation, item);
    const bytes =
      (await this.#sealed(conversation, item)) ?? (await this.#seal(conversation, item));
    if (bytes === null) return "again";
    // Meanwhile it may have been recalled or deleted, or have ended.
    const waits = this.#core.store.outboxItem(item.itemId)?.kind === item.kind;
    if (!waits || item.endsAtMs <= this.#core.time.now()) return "again";
    const ordered = await this.#core.request("group.append", {
      conversationId,
      epoch: conversation.epoch,
      messageId: item.itemId,
      expiresAtMs: item.endsAtMs,
      bytes,
    });
    if (ordered.kind === "stale") return this.#caughtUp(conversation, item);
    this.#core.observeRelayTime(ordered.receivedAtMs);
    const changes = new Changes();
    const { sequence } = ordered;
    noteSent(this.#core, changes, { conversation, item, ...ordered, epoch: conversation.epoch });
    const next = sequence === conversation.cursor + 1;
    if (next) changes.write("conversation.setCursor", conversationId, sequence);
    await this.#core.commit(changes);
    if (next) this.#log.noteTaken(conversationId, sequence);
    else await this.#log.catchUp(conversationId);
    return "again";
  }

  /**
   * Asks for an item that may have been sent already: a message id that the relay knows gets its first answer, whatever else is wrong with the
   * request; so one for a former epoch is either known or stale.
   */
  async #clearUp(conversation: StoredConversation, item: StoredOutboxItem): Promise<Step> {
    const { conversationId, epoch } = conversation;
    const answer = await this.#core.request("group.append", {
      conversationId,
      epoch: epoch - 1,
      messageId: item.itemId,
      expiresAtMs: item.endsAtMs,
      bytes: new Uint8Array(),
    });
    const changes = new Changes();
    if (answer.kind === "stale") changes.write("outbox.setUnsent", item.itemId);
    else noteSent(this.#core, changes, { conversation, item, ...answer, epoch });
    await this.#core.commit(changes);
    return "again";
  }

  /** A relay that calls an epoch stale and has no commit that ended it is not asked again at once. */
  async #caughtUp(conversation: StoredConversation, item: StoredOutboxItem): Promise<Step> {
    const { conversationId, epoch } = conversation;
    await this.#log.catchUp(conversationId);
    const moved = this.#core.store.conversation(conversationId)?.epoch !== epoch;
    return moved ? "again" : this.#refuseBlocked(conversation, item);
  }

  /** What an item became when it was encrypted for the present epoch; null when it wasn't yet. */
  async #sealed(
    { epoch }: StoredConversation,
    { itemId, ciphertext, leaf, ...item }: StoredOutboxItem,
  ): Promise<Uint8Array | null> {
    if (ciphertext === null || leaf === null || item.epoch !== epoch) return null;
    return this.#open({ messageId: itemId, leaf, sealed: ciphertext });
  }

  /** @throws AppError `message-unopenable` */
  async #open(body: SealedBody): Promise<Uint8Array> {
    const opened = await openBodies(this.#core.worker, [body]);
    const plain = opened.get(body.messageId);
    if (plain === undefined) throw new AppError("message-unopenable");
    return plain;
  }

  /**
   * Encrypts an item for the present epoch; the ciphertext is on disk before it is sent. It is sealed like the content: an older copy of
   * the group's state would open it.
   *
   * @returns null when it isn't to be sent any more
   */
  #seal(conversation: StoredConversation, item: StoredOutboxItem): Promise<Uint8Array | null> {
    const { conversationId } = conversation;
    return this.#core.moveGroup(conversationId, async () => {
      const { itemId, leaf } = item;
      if (item.content === null || leaf === null) throw new AppError("message-unopenable");
      await this.#core.loadGroup(conversationId);
      const content = await this.#open({ messageId: itemId, leaf, sealed: item.content });
      // Whoever misses it asks again, and gets it for themselves.
      if (item.kind === "answer" && saysTooMuch(this.#core, conversation, content)) {
        await this.#delete(itemId);
        return null;
      }
      const { worker } = this.#core;
      const authenticatedData = await this.#log.marks.of(conversation);
      const made = await worker.call("group.seal", { conversationId, content, authenticatedData });
      const { epoch, generation, bytes, writes } = made;
      const sealed = await sealBody(worker, itemId, leaf, bytes);
      const changes = new Changes();
      changes.writeGroup(writes);
      const digest = await digestOf(bytes);
      changes.write("outbox.setCiphertext", itemId, sealed, epoch, digest, generation);
      await this.#core.commit(changes);
      return bytes;
    });
  }

  async #drop({ conversationId, itemId, sequence }: StoredOutboxItem): Promise<Step> {
    if (sequence !== null) {
      await this.#core.request("group.drop", { conversationId, sequences: [sequence] });
    }
    await this.#delete(itemId);
    return "again";
  }

  async #delete(itemId: MessageId): Promise<void> {
    const changes = new Changes();
    changes.write("outbox.delete", itemId);
    await this.#core.commit(changes);
  }

  /** Asks the others to take this person out; asked again in each epoch that comes to be without it. */
  async #leave(conversation: StoredConversation, item: StoredOutboxItem): Promise<Step> {
    const { conversationId, members, epoch } = conversation;
    if (peopleOf(members).length === 1) return this.#leaveAlone(conversation);
    if (item.sequence !== null && item.epoch === epoch) return "idle";
    const entries = await this.#proposals(conversation, item);
    let sequence = 0;
    for (const [index, bytes] of entries.entries()) {
      const messageId = derivedId(item.itemId, epoch, index);
      const append = { conversationId, epoch, messageId, expiresAtMs: null, bytes };
      const ordered = await this.#core.request("group.append", append);
      if (ordered.kind === "stale") return this.#caughtUp(conversation, item);
      sequence = ordered.sequence;
    }
    const changes = new Changes();
    changes.write("outbox.setPlace", item.itemId, sequence);
    await this.#core.commit(changes);
    await this.#log.catchUp(conversationId);
    return "idle";
  }

  /** Nobody is left to ask: this person's other devices are taken out, and the last one goes without a commit, as none can remove its committer. */
  async #leaveAlone({ conversationId, members }: StoredConversation): Promise<Step> {
    if (members.length > 1) {
      await this.#commits.runInQueue(conversationId, { kind: "own-devices" });
      return "again";
    }
    const changes = new Changes();
    endConversation(this.#core, changes, conversationId, "left");
    await this.#core.commit(changes);
    await this.#core.forgetGroup(conversationId);
    return "idle";
  }

  #proposals(
    conversation: StoredConversation,
    item: StoredOutboxItem,
  ): Promise<readonly Uint8Array[]> {
    const { conversationId, epoch } = conversation;
    if (item.ciphertext !== null && item.epoch === epoch) {
      return Promise.resolve(decodeCbor(item.ciphertext, maxLeaveBytes) as readonly Uint8Array[]);
    }
    return this.#core.moveGroup(conversationId, async () => {
      await this.#core.loadGroup(conversationId);
      const made = await this.#core.worker.call("group.proposeLeave", { conversationId });
      const changes = new Changes();
      changes.writeGroup(made.writes);
      const entries = encodeCbor(made.entries);
      changes.write("outbox.setCiphertext", item.itemId, entries, made.epoch, null, null);
      await this.#core.commit(changes);
      return made.entries;
    });
  }

  /** The relay will never take it: a message says so and offers another try; what only serves a message is dropped. */
  async #refuse(
    { conversationId }: StoredConversation,
    { itemId, kind }: StoredOutboxItem,
    code: ErrorCode,
  ): Promise<void> {
    const changes = new Changes();
    if (kind === "text") {
      changes.write("outbox.fail", itemId);
      changes.write("message.setState", itemId, "failed", code);
      changes.upsert(conversationId, itemId);
    } else {
      changes.write("outbox.delete", itemId);
    }
    await this.#core.commit(changes);
  }
}

/** One id per epoch and proposal: the relay takes each once, and a repeated one is recognised after a restart. */
function derivedId(itemId: MessageId, epoch: number, index: number): MessageId {
  const bytes = idToBytes(itemId).slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, epoch);
  view.setUint32(bytes.length - 4, index);
  return idFromBytes<MessageId>(bytes);
}
