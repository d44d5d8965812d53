import {
  ensureAppError,
  type ConversationId,
  type ConversationView,
  type ErrorCode,
  type Events,
  type MessageId,
  type MessagePageView,
  type MessageView,
  type Runtime,
} from "#protocol";
import { mergeMessages, timelineItems, type TimelineItem } from "./timeline.ts";

/** What an open conversation needs from outside. */
export interface ConversationPorts {
  readonly runtime: Runtime;
  readonly onError: (error: unknown) => void;
  /** Messages came in or went away while the conversation was open. */
  readonly onChange: (change: {
    readonly arrived: readonly MessageView[];
    readonly removed: readonly MessageId[];
  }) => void;
}

/** A message to go to. Another one each time it is asked for. */
export interface MessageTarget {
  readonly messageId: MessageId;
}

const pageSize = 100;

/** One open conversation: what its main process says about it, and its messages. */
export class Conversation {
  readonly id: ConversationId;
  readonly #ports: ConversationPorts;
  readonly #disposers: (() => void)[] = [];
  #view = $state.raw<ConversationView | null>(null);
  #messages = $state.raw<readonly MessageView[]>([]);
  #hasEarlier = $state(false);
  #hasLater = $state(false);
  #loadingEarlier = $state(false);
  #loadingLater = $state(false);
  #target = $state.raw<MessageTarget | null>(null);
  #prepending = $state(false);
  #failure = $state.raw<ErrorCode | null>(null);
  #firstUnreadId = $state.raw<MessageId | null>(null);
  #readUpTo = $state(-1);
  #closed = false;

  readonly items: readonly TimelineItem[] = $derived(
    timelineItems(this.#messages, {
      firstUnreadId: this.#firstUnreadId,
      hasEarlier: this.#hasEarlier,
      hasLater: this.#hasLater,
    }),
  );
  /** Messages of others after the last one that was seen. */
  readonly newCount: number = $derived(
    this.#messages.filter(
      ({ order, own, kind }) => order > this.#readUpTo && !own && kind !== "system",
    ).length,
  );
  /** The own message that ↑ edits. */
  readonly lastOwn = $derived(
    this.#hasLater
      ? null
      : (this.#messages.findLast((message) => message.own && message.kind === "text") ?? null),
  );

  /**
   * @param id - which one
   * @param ports - the platform
   */
  constructor(id: ConversationId, ports: ConversationPorts) {
    this.id = id;
    this.#ports = ports;
    const { runtime } = ports;
    this.#disposers.push(
      runtime.on("conversation.changed", (view) => {
        if (view.conversationId === this.id) this.#view = view;
      }),
      runtime.on("messages.changed", (change) => {
        if (change.conversationId === this.id) this.#apply(change);
      }),
    );
  }

  get view(): ConversationView | null {
    return this.#view;
  }

  get messages(): readonly MessageView[] {
    return this.#messages;
  }

  get hasEarlier(): boolean {
    return this.#hasEarlier;
  }

  /** Whether what is loaded ends before the newest message: around something that was found long ago. */
  get hasLater(): boolean {
    return this.#hasLater;
  }

  get loadingLater(): boolean {
    return this.#loadingLater;
  }

  /** The message that is to be shown. */
  get target(): MessageTarget | null {
    return this.#target;
  }

  get loadingEarlier(): boolean {
    return this.#loadingEarlier;
  }

  /** Whether the last change of the messages put some in front, so that the view keeps its place from the end. */
  get prepending(): boolean {
    return this.#prepending;
  }

  get failure(): ErrorCode | null {
    return this.#failure;
  }

  get firstUnreadId(): MessageId | null {
    return this.#firstUnreadId;
  }

  /** Loads it. Called again after the link to the process was lost, it brings everything up to date. */
  async open(): Promise<void> {
    this.#failure = null;
    try {
      const { conversation, page } = await this.#ports.runtime.invoke("conversation.open", {
        conversationId: this.id,
      });
      if (this.#closed) return;
      this.#readUpTo = lastReadOrder(page.messages, conversation.firstUnreadId);
      this.#take(conversation, page, false);
    } catch (error) {
      if (!this.#closed) this.#failure = ensureAppError(error).code;
    }
  }

  /**
   * Brings a message into view, with what stands around it, and opens the conversation there if it isn't open yet.
   *
   * @returns whether it is there
   */
  async showAt(messageId: MessageId): Promise<boolean> {
    const loaded = this.#messages.some((message) => message.messageId === messageId);
    if (!loaded) {
      this.#failure = null;
      try {
        const { conversation, page } = await this.#ports.runtime.invoke("conversation.openAt", {
          conversationId: this.id,
          messageId,
        });
        if (this.#closed) return false;
        // Only what was seen is read: nobody has been at the end.
        const oldest = page.messages[0]?.order ?? 0;
        if (this.#view === null) {
          this.#readUpTo = Math.max(
            this.#readUpTo,
            lastReadOrder(page.messages, conversation.firstUnreadId),
            oldest - 1,
          );
        }
        this.#take(conversation, page, page.hasLater);
      } catch (error) {
        if (!this.#closed) this.#ports.onError(error);
        return false;
      }
    }
    this.#target = { messageId };
    return true;
  }

  #take(view: ConversationView, page: MessagePageView, hasLater: boolean): void {
    this.#prepending = false;
    this.#target = null;
    this.#firstUnreadId = view.firstUnreadId;
    this.#messages = mergeMessages([], page.messages, []);
    this.#hasEarlier = page.hasEarlier;
    this.#hasLater = hasLater;
    this.#view = view;
  }

  /** Stops following it. */
  close(): void {
    this.#closed = true;
    for (const dispose of this.#disposers.splice(0)) dispose();
    this.#ports.runtime
      .invoke("conversation.close", { conversationId: this.id })
      .catch((error: unknown) => {
        this.#ports.onError(error);
      });
  }

  /** Stops following it without a word: the vault is locked, and nobody is there to hear it. */
  drop(): void {
    this.#closed = true;
    for (const dispose of this.#disposers.splice(0)) dispose();
    this.#view = null;
    this.#messages = [];
    this.#failure = null;
  }

  async loadEarlier(): Promise<void> {
    const oldest = this.#messages[0];
    if (this.#loadingEarlier || !this.#hasEarlier || oldest === undefined) return;
    this.#loadingEarlier = true;
    try {
      const page = await this.#ports.runtime.invoke("conversation.loadEarlier", {
        conversationId: this.id,
        beforeOrder: oldest.order,
        limit: pageSize,
      });
      if (this.#closed) return;
      this.#prepending = true;
      this.#messages = mergeMessages(this.#messages, page.messages, []);
      this.#hasEarlier = page.hasEarlier;
    } catch (error) {
      if (!this.#closed) this.#ports.onError(error);
    } finally {
      this.#loadingEarlier = false;
    }
  }

  async loadLater(): Promise<void> {
    const newest = this.#messages.at(-1);
    if (this.#loadingLater || !this.#hasLater || newest === undefined) return;
    this.#loadingLater = true;
    try {
      const page = await this.#ports.runtime.invoke("conversation.loadLater", {
        conversationId: this.id,
        afterOrder: newest.order,
        limit: pageSize,
      });
      if (this.#closed) return;
      this.#prepending = false;
      this.#messages = mergeMessages(this.#messages, page.messages, []);
      this.#hasLater = page.hasLater;
    } catch (error) {
      if (!this.#closed) this.#ports.onError(error);
    } finally {
      this.#loadingLater = false;
    }
  }

  /** This person has seen everything up to `order`. */
  markRead(order: number): void {
    if (order <= this.#readUpTo) return;
    this.#readUpTo = order;
    this.#ports.runtime
      .invoke("conversation.markRead", { conversationId: this.id, order })
      .catch((error: unknown) => {
        this.#ports.onError(error);
      });
  }

  /** A message came that nobody looked at: what is unread begins there, unless it began before. */
  markUnread({ messageId }: Pick<MessageView, "messageId">): void {
    const marked = this.#messages.find((message) => message.messageId === this.#firstUnreadId);
    if (marked === undefined || marked.order <= this.#readUpTo) this.#firstUnreadId = messageId;
  }

  /** Takes the mark of the first unread message away: an answer shows that all was read. */
  clearUnreadMark(): void {
    this.#firstUnreadId = null;
  }

  #apply({ upserted, removed }: Events["messages.changed"]): void {
    const known = new Set(this.#messages.map(({ messageId }) => messageId));
    const newest = this.#messages.at(-1)?.order ?? -1;
    const oldest = this.#messages[0]?.order ?? 0;
    // A change of something older than what is loaded shows when it is loaded, and so does what comes after a gap.
    const relevant = upserted.filter(
      ({ messageId, order }) =>
        known.has(messageId) ||
        ((order >= oldest || !this.#hasEarlier) && (order < newest || !this.#hasLater)),
    );
    this.#prepending = false;
    this.#messages = mergeMessages(this.#messages, relevant, removed);
    // What one has just sent is at the end: that is where one looks now.
    if (this.#hasLater && upserted.some(({ own, order }) => own && order > newest)) {
      void this.open();
    }
    this.#ports.onChange({
      arrived: relevant.filter(({ messageId, order }) => !known.has(messageId) && order > newest),
      removed,
    });
  }
}

function lastReadOrder(messages: readonly MessageView[], firstUnreadId: MessageId | null): number {
  const unreadAt = messages.findIndex(({ messageId }) => messageId === firstUnreadId);
  const lastRead = unreadAt === -1 ? messages.at(-1) : messages[unreadAt - 1];
  const beforeAll = (messages[0]?.order ?? 0) - 1;
  return lastRead?.order ?? beforeAll;
}
