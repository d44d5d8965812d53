import {
  decodeUtf8,
  ensureAppError,
  type ConversationId,
  type MessageId,
  type SearchProgressView,
} from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredMessage } from "../store/rows.ts";
import { openBodies } from "../views/bodies.ts";
import { isCovered, sealedBody } from "../views/message-views.ts";
import { fold } from "./fold.ts";
import { MessageIndex } from "./message-index.ts";
import { features, plainWords, textFeatures } from "./plain-words.ts";

/** Messages that are opened and indexed in one go: some milliseconds of work. */
const batchItems = 100;
/** How often it is told how far the index has come, milliseconds. */
const tellEveryMs = 200;
const farOrder = Number.MAX_SAFE_INTEGER;

/** How far a conversation has been read back. */
interface Cursor {
  readonly conversationId: ConversationId;
  beforeOrder: number;
  /** When the last message that was read was sent, milliseconds. */
  reachedMs: number;
}

/**
 * Keeps the index of the search: fills it in the background after the client has opened, newest messages first, and follows every
 * transaction. What may not be shown isn't in it: messages that have ended, and burn-on-read ones that their reader has not uncovered.
 */
export class Indexer {
  readonly index = new MessageIndex();
  readonly #core: Core;
  readonly #onProgress: (progress: SearchProgressView) => void;
  readonly #changed = new Set<MessageId>();
  #filling: Promise<void> = Promise.resolve();
  #following: Promise<void> | null = null;
  #progress: SearchProgressView = { indexed: 0, total: 0 };
  #toldAtMs = -Infinity;
  #closed = false;

  /** @param onProgress - hears how far the index has come */
  constructor(core: Core, onProgress: (progress: SearchProgressView) => void) {
    this.#core = core;
    this.#onProgress = onProgress;
  }

  get progress(): SearchProgressView {
    return this.#progress;
  }

  /** Begins to fill the index. */
  begin(): void {
    // A worker that stopped: the client is opened again, and begins anew.
    this.#filling = this.#fill()
      .catch(ensureAppError)
      .then(() => undefined);
  }

  /** Follows what a transaction has changed. What has ended is out of memory when it returns. */
  follow(changes: Changes): void {
    for (const { upserted, removed } of changes.conversations.values()) {
      for (const messageId of removed) this.index.remove(messageId);
      for (const messageId of upserted) this.#follow(messageId);
    }
    if (this.#changed.size > 0) this.#following ??= this.#followChanged();
  }

  /** Resolves when everything that was committed until now is in the index. */
  async settled(): Promise<void> {
    await this.#following;
  }

  /** Wipes the index at once, and resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#changed.clear();
    this.index.clear();
    await Promise.all([this.#filling, this.#following]);
  }

  #follow(messageId: MessageId): void {
    const message = this.#core.store.message(messageId);
    if (message === undefined || !this.#isSearchable(message)) {
      this.index.remove(messageId);
      this.#changed.delete(messageId);
    } else if (this.index.versionOf(messageId) === versionOf(message)) {
      this.index.setFeatures(messageId, this.#featuresNow(message));
    } else {
      // Of an edited message not even the old words stay.
      this.index.remove(messageId);
      this.#changed.add(messageId);
    }
  }

  #isSearchable(message: StoredMessage): boolean {
    return (
      message.kind === "text" &&
      message.body !== null &&
      !isCovered(message) &&
      message.deadlineMs > this.#core.time.now()
    );
  }

  /** Only reactions come and go without a new body. */
  #featuresNow({ messageId }: StoredMessage): number {
    const kept = this.index.featuresOf(messageId) & ~features.reaction;
    return kept | this.#reactionFeature(messageId);
  }

  #reactionFeature(messageId: MessageId): number {
    const { store, time } = this.#core;
    return store.reactions(messageId, time.now()).length > 0 ? features.reaction : 0;
  }

  async #followChanged(): Promise<void> {
    try {
      // More may come while these are opened.
      while (this.#changed.size > 0) {
        const ids = [...this.#changed].slice(0, batchItems);
        for (const messageId of ids) this.#changed.delete(messageId);
        const messages = ids.map((id) => this.#core.store.message(id));
        await this.#take(messages.filter((message) => message !== undefined));
      }
    } catch (error) {
      ensureAppError(error);
    } finally {
      this.#following = null;
    }
  }

  async #fill(): Promise<void> {
    const { store, time } = this.#core;
    const total = store.itemCount();
    this.#tell({ indexed: 0, total });
    let cursors = store.conversationStates().map(({ conversationId }): Cursor => ({
      conversationId,
      beforeOrder: farOrder,
      reachedMs: Infinity,
    }));
    for (let read = 0; !this.#closed;) {
      const cursor = newestOf(cursors);
      if (cursor === undefined) break;
      const page = store.page(cursor.conversationId, cursor.beforeOrder, {
        limit: batchItems,
        nowMs: time.now(),
      });
      const [oldest] = page;
      if (oldest === undefined || page.length < batchItems) {
        cursors = cursors.filter((other) => other !== cursor);
      } else {
        cursor.beforeOrder = oldest.order;
        cursor.reachedMs = oldest.sentAtMs;
      }
      await this.#take(page);
      read += page.length;
      this.#tell({ indexed: Math.min(read, total), total });
    }
    if (!this.#closed) this.#tell({ indexed: total, total });
  }

  /** Opens messages and puts those into the index that are as they were when that is done. */
  async #take(messages: readonly StoredMessage[]): Promise<void> {
    const { store, worker } = this.#core;
    const wanted = messages.filter(
      (message) =>
        this.#isSearchable(message) &&
        this.index.versionOf(message.messageId) !== versionOf(message),
    );
    const opened = await openBodies(worker, wanted.flatMap(sealedBody));
    for (const { messageId, body } of wanted) {
      const plain = opened.get(messageId);
      if (plain === undefined) continue;
      const message = store.message(messageId);
      // Ended, recalled or edited while it was opened: whatever followed from that has been done.
      if (message !== undefined && versionOf(message) === versionOf({ body })) {
        this.#put(message, decodeUtf8(plain));
      }
      plain.fill(0);
    }
  }

  #put(message: StoredMessage, markdown: string): void {
    if (this.#closed || !this.#isSearchable(message)) return;
    const { messageId, conversationId, sender, sentAtMs, replyTo } = message;
    const facts = {
      messageId,
      conversationId,
      sender,
      sentAtMs,
      version: versionOf(message),
      features:
        textFeatures(markdown) |
        (replyTo === null ? 0 : features.quote) |
        this.#reactionFeature(messageId),
    };
    this.index.put(facts, fold(plainWords(markdown)));
  }

  #tell(progress: SearchProgressView): void {
    this.#progress = progress;
    const nowMs = this.#core.clock.now();
    const isEnd = progress.indexed === progress.total;
    if (!isEnd && Math.abs(nowMs - this.#toldAtMs) < tellEveryMs) return;
    this.#toldAtMs = nowMs;
    this.#onProgress(progress);
  }
}

/** Of cursors, the one that stands at the newest message. */
function newestOf(cursors: readonly Cursor[]): Cursor | undefined {
  const [first] = cursors;
  return cursors.reduce(
    (newest, cursor) =>
      newest === undefined || cursor.reachedMs > newest.reachedMs ? cursor : newest,
    first,
  );
}

const versionBytes = 6;

/** Tells one version of a body from another: sealed bytes end in a tag, which is never the same twice. */
function versionOf({ body }: Pick<StoredMessage, "body">): number {
  if (body === null || body.length < versionBytes) return 0;
  return body
    .subarray(body.length - versionBytes)
    .reduce((version, byte) => version * 256 + byte, 0);
}
