import type { ConversationId } from "#protocol";

/**
 * Which window has which conversation open. The engine follows a conversation while anybody looks at it; two windows may look at the
 * same one, and a window may vanish without a word.
 */
export class OpenConversations {
  readonly #bySource = new Map<number, Set<ConversationId>>();

  opened(sourceId: number, conversationId: ConversationId): void {
    const open = this.#bySource.get(sourceId) ?? new Set();
    this.#bySource.set(sourceId, open.add(conversationId));
  }

  /** @returns whether nobody looks at it any more */
  closed(sourceId: number, conversationId: ConversationId): boolean {
    const open = this.#bySource.get(sourceId);
    open?.delete(conversationId);
    if (open?.size === 0) this.#bySource.delete(sourceId);
    return !this.#isOpen(conversationId);
  }

  /** The account is closed: nobody has anything open. */
  clear(): void {
    this.#bySource.clear();
  }

  /** A window is gone or shows another page. @returns what nobody looks at any more */
  sourceGone(sourceId: number): readonly ConversationId[] {
    const open = this.#bySource.get(sourceId) ?? new Set();
    this.#bySource.delete(sourceId);
    return [...open].filter((conversationId) => !this.#isOpen(conversationId));
  }

  #isOpen(conversationId: ConversationId): boolean {
    return [...this.#bySource.values()].some((open) => open.has(conversationId));
  }
}
