import {
  type ConversationId,
  type ConversationRowView,
  type EventName,
  type Events,
  type MessageId,
  type MessageView,
} from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredMessage } from "../store/rows.ts";
import { conversationView, rowViews } from "./conversation-views.ts";
import { messageViews } from "./message-views.ts";

const hourMs = 60 * 60 * 1000;
/** How often it is looked who ends within the hour, milliseconds. */
const lookAheadMs = 60_000;
/** After rows that were slow to make they rest for so many times as long: where thousands of messages end, each piece of them would make them anew. */
const restFactor = 4;
/** Shorter is not slow, milliseconds. */
const slowMs = 10;

type Listener = (body: never) => void;

/** A conversation that a window shows. */
interface OpenConversation {
  /** The oldest item that was given to the window. */
  oldestOrder: number;
}

/** What has changed and wasn't told yet. */
interface News {
  readonly rows: Set<ConversationId>;
  readonly wholes: Set<ConversationId>;
  readonly messages: Map<ConversationId, { upserted: Set<MessageId>; removed: Set<MessageId> }>;
  people: boolean;
}

function noNews(): News {
  return { rows: new Set(), wholes: new Set(), messages: new Map(), people: false };
}

/**
 * Tells the interface what changed: gathered per tick, made into views, and in the order in which it happened. What an open conversation
 * shows never waits: somebody looks at it, and what they have just sent must not appear under their pointer later.
 */
export class ViewHub {
  readonly #core: Core;
  readonly #listeners = new Map<EventName, Set<Listener>>();
  readonly #open = new Map<ConversationId, OpenConversation>();
  #rows: ReadonlyMap<ConversationId, ConversationRowView> = new Map();
  #endsSoon: ReadonlySet<ConversationId> = new Set();
  #news = noNews();
  #cancelFlush: (() => void) | null = null;
  #cancelRows: (() => void) | null = null;
  #cancelLook: () => void = () => undefined;
  #flushing: Promise<void> = Promise.resolve();
  /** Rows that are not as they were made. */
  readonly #stale = new Set<ConversationId>();
  /** Until when stale rows are gathered, by the time that nobody can set. */
  #restUntilMs = 0;
  readonly #onRows: () => void;

  /** @param onRows - called when the list's rows have changed */
  constructor(core: Core, onRows: () => void) {
    this.#core = core;
    this.#onRows = onRows;
  }

  /** Makes the list's rows. Before it the list is empty. */
  async begin(): Promise<void> {
    await this.#makeRows(null);
    this.#lookAheadLater();
  }

  /** @returns a disposer */
  on<Name extends EventName>(name: Name, listener: (body: Events[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Pinned ones first, then by time. */
  get rows(): readonly ConversationRowView[] {
    return [...this.#rows.values()].toSorted((left, right) =>
      left.pinned === right.pinned
        ? right.lastActivityMs - left.lastActivityMs
        : Number(right.pinned) - Number(left.pinned),
    );
  }

  /** From now on a conversation's messages from `oldestOrder` on are told. */
  opened(conversationId: ConversationId, oldestOrder: number): void {
    const open = this.#open.get(conversationId);
    if (open === undefined) this.#open.set(conversationId, { oldestOrder });
    else open.oldestOrder = Math.min(open.oldestOrder, oldestOrder);
  }

  closed(conversationId: ConversationId): void {
    this.#open.delete(conversationId);
    this.#news.messages.delete(conversationId);
  }

  isOpen(conversationId: ConversationId): boolean {
    return this.#open.has(conversationId);
  }

  /** Follows what a transaction has changed. */
  follow(changes: Changes): void {
    for (const [conversationId, effects] of changes.conversations) {
      this.#news.rows.add(conversationId);
      if (effects.whole) this.#news.wholes.add(conversationId);
      if (!this.#open.has(conversationId)) continue;
      const news = this.#news.messages.get(conversationId) ?? {
        upserted: new Set(),
        removed: new Set(),
      };
      this.#news.messages.set(conversationId, news);
      for (const messageId of effects.upserted) news.upserted.add(messageId);
      for (const messageId of effects.removed) {
        news.upserted.delete(messageId);
        news.removed.add(messageId);
      }
    }
    if (changes.conversations.size > 0) this.#flushSoon();
  }

  /** Names or bounds have changed, which stand in every view. */
  everythingChanged(): void {
    this.#news.people = true;
    for (const { conversationId } of this.#core.store.conversationStates()) {
      this.#news.rows.add(conversationId);
      this.#news.wholes.add(conversationId);
    }
    this.#flushSoon();
  }

  /** Tells nothing more, and keeps no word of what was listed. */
  async close(): Promise<void> {
    this.#cancelFlush?.();
    this.#cancelRows?.();
    this.#cancelLook();
    this.#listeners.clear();
    await this.#flushing;
    this.#cancelRows?.();
    this.#rows = new Map();
    this.#open.clear();
    this.#news = noNews();
  }

  /** The list with everything that has happened until now. */
  async currentRows(): Promise<readonly ConversationRowView[]> {
    if (this.#cancelFlush !== null) this.#flushNow();
    await this.#flushing;
    if (this.#stale.size > 0) this.#flushNow(true);
    await this.#flushing;
    return this.rows;
  }

  /** Tells the interface something. */
  emit<Name extends EventName>(name: Name, body: Events[Name]): void {
    const listeners = this.#listeners.get(name) ?? new Set();
    for (const listener of [...listeners]) listener(body as never);
  }

  #flushSoon(): void {
    this.#cancelFlush ??= this.#core.clock.setTimeout(() => {
      this.#flushNow();
    }, 0);
  }

  #flushNow(rowsToo = false): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    // A worker that stopped in between: the client is opened again, and the interface asks for everything.
    this.#flushing = this.#flushing.then(() => this.#flush(rowsToo)).catch(() => undefined);
  }

  /** @param rowsToo - whether rows are made even while they rest */
  async #flush(rowsToo: boolean): Promise<void> {
    const news = this.#news;
    this.#news = noNews();
    for (const [conversationId, { upserted, removed }] of news.messages) {
      await this.#tellMessages(conversationId, upserted, removed);
    }
    for (const conversationId of news.wholes) await this.#tellConversation(conversationId);
    if (news.people) this.emit("people.changed", null);
    for (const conversationId of news.rows) this.#stale.add(conversationId);
    const restMs = this.#restUntilMs - performance.now();
    if (rowsToo || restMs <= 0) {
      await this.#tellRows();
      return;
    }
    this.#cancelRows ??= this.#core.clock.setTimeout(() => {
      this.#flushNow(true);
    }, restMs);
  }

  async #tellRows(): Promise<void> {
    this.#cancelRows?.();
    this.#cancelRows = null;
    const startedAtMs = performance.now();
    const stale = new Set(this.#stale);
    this.#stale.clear();
    await this.#makeRows(stale);
    this.emit("conversations.changed", this.rows);
    this.#onRows();
    const tookMs = performance.now() - startedAtMs;
    if (tookMs >= slowMs) this.#restUntilMs = performance.now() + restFactor * tookMs;
  }

  async #tellMessages(
    conversationId: ConversationId,
    upserted: ReadonlySet<MessageId>,
    removed: ReadonlySet<MessageId>,
  ): Promise<void> {
    const { store, time } = this.#core;
    const open = this.#open.get(conversationId);
    if (open === undefined) return;
    // A line that something took the place of goes when it stands for nothing any more.
    const gone = [...upserted].filter((messageId) => store.message(messageId) === undefined);
    const messages = [...upserted]
      .map((messageId) => store.message(messageId))
      .filter((message) => message !== undefined)
      .filter(({ order, deadlineMs }) => order >= open.oldestOrder && deadlineMs > time.now())
      .toSorted((left, right) => left.order - right.order);
    const current = await this.messages(messages);
    const off = [...removed, ...gone];
    if (current.length === 0 && off.length === 0) return;
    this.emit("messages.changed", { conversationId, upserted: current, removed: off });
  }

  /** Messages as the interface shows them; what ends while their bodies are opened is left out. */
  async messages(stored: readonly StoredMessage[]): Promise<readonly MessageView[]> {
    const { store, time } = this.#core;
    const views = await messageViews(stored, this.sources);
    return views.filter(({ messageId }) => {
      const message = store.message(messageId);
      return message !== undefined && message.deadlineMs > time.now();
    });
  }

  async #tellConversation(conversationId: ConversationId): Promise<void> {
    if (!this.#open.has(conversationId)) return;
    const conversation = this.#core.store.conversation(conversationId);
    if (conversation === undefined) return;
    this.emit("conversation.changed", await conversationView(conversation, this.sources));
  }

  /** What views are made from. */
  get sources() {
    const { awaited, unvouched, store, people, worker, self, now } = this.#core;
    const policy = () => this.#core.policy;
    return { awaited, unvouched, store, people, worker, me: self.userId, now, policy };
  }

  /** @param ids - whose rows to make anew; null: all */
  async #makeRows(ids: ReadonlySet<ConversationId> | null): Promise<void> {
    const { store, time } = this.#core;
    this.#endsSoon = store.conversationsEnding(time.now(), time.now() + hourMs);
    const stored =
      ids === null
        ? store.conversations()
        : [...ids].map((id) => store.conversation(id)).filter((found) => found !== undefined);
    const shown = stored.filter(({ state, hidden }) => state !== "creating" && !hidden);
    const made = await rowViews(shown, this.#endsSoon, this.sources);
    const rows = new Map(this.#rows);
    for (const id of ids ?? []) rows.delete(id);
    for (const row of made) rows.set(row.conversationId, row);
    this.#rows = rows;
  }

  #lookAheadLater(): void {
    this.#cancelLook = this.#core.clock.setTimeout(() => {
      const { store, time } = this.#core;
      const soon = store.conversationsEnding(time.now(), time.now() + hourMs);
      const changed = [...soon.symmetricDifference(this.#endsSoon)];
      for (const conversationId of changed) this.#news.rows.add(conversationId);
      if (changed.length > 0) this.#flushSoon();
      this.#lookAheadLater();
    }, lookAheadMs);
  }
}
