import type { ConversationId, MessageId, UserId } from "#protocol";
import {
  compareEntries,
  countWhile,
  IndexBlock,
  type Entry,
  type IndexPlace,
  type MessageFacts,
  type SearchTerm,
} from "./index-block.ts";

/** What is looked for. Null: any. */
export interface IndexQuery {
  readonly terms: readonly SearchTerm[];
  readonly mask: Uint32Array;
  readonly conversations: ReadonlySet<ConversationId> | null;
  readonly senders: ReadonlySet<UserId> | null;
  /** Bits of `features`, all of which it must have. */
  readonly features: number;
  /** Sent at this time or later, milliseconds. */
  readonly fromMs: number;
  /** Sent before this time, milliseconds. */
  readonly untilMs: number;
}

const maxBlockEntries = 512;

/**
 * The words of all messages that can be searched, in memory only and newest first.
 *
 * It is a signature file: each message has 256 bits which say what three bytes in a row may stand in it, and its folded text, in which a
 * candidate is looked up. Nothing is shared between messages, so that one which ends takes all with it that was known of it.
 */
export class MessageIndex {
  /** Oldest first; the last message of each was sent before the first of the next. */
  #blocks: IndexBlock[] = [];
  readonly #entries = new Map<MessageId, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** Of the buffers, bytes. */
  get sizeBytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.sizeBytes, 0);
  }

  /** Which version of a message it has; undefined when none. */
  versionOf(messageId: MessageId): number | undefined {
    return this.#entries.get(messageId)?.version;
  }

  /**
   * Adds a message, in the place of what there was of it.
   *
   * @param folded - its text, folded
   */
  put(facts: MessageFacts, folded: string): void {
    this.remove(facts.messageId);
    const block = this.#blockFor(facts);
    this.#entries.set(facts.messageId, block.add(facts, folded));
  }

  setFeatures(messageId: MessageId, features: number): void {
    const entry = this.#entries.get(messageId);
    if (entry !== undefined) entry.features = features;
  }

  featuresOf(messageId: MessageId): number {
    return this.#entries.get(messageId)?.features ?? 0;
  }

  /** Takes a message out. Nothing of its text is left in memory. */
  remove(messageId: MessageId): void {
    const entry = this.#entries.get(messageId);
    if (entry === undefined) return;
    const { block } = entry;
    block.remove(entry);
    this.#entries.delete(messageId);
    if (!block.isSparse) return;
    // By identity: what is left of the block may have no entries to be found by.
    this.#blocks.splice(this.#blocks.indexOf(block), 1, ...block.divide(maxBlockEntries));
  }

  clear(): void {
    for (const block of this.#blocks) block.wipe();
    this.#blocks = [];
    this.#entries.clear();
  }

  /**
   * What matches, newest first, in stretches that take less than a millisecond each, so that whoever looks can let others go on in
   * between; the index may change meanwhile.
   *
   * @param before - only what comes before this
   */
  *find(
    query: IndexQuery,
    before: IndexPlace | null,
  ): Generator<readonly MessageFacts[], void, undefined> {
    for (let place = before; ;) {
      const block = this.#blockBefore(place);
      const oldest = block?.entries[0];
      if (block === null || oldest === undefined) return;
      const end = place === null ? block.entries.length : block.indexBefore(place);
      yield block.entries
        .slice(0, end)
        .reverse()
        .filter((entry) => passes(entry, query));
      if (oldest.sentAtMs < query.fromMs) return;
      place = oldest;
    }
  }

  /** The newest block with something in it before a place. */
  #blockBefore(place: IndexPlace | null): IndexBlock | null {
    if (place === null) return this.#blocks.at(-1) ?? null;
    const at = this.#blocksStartingBy(place) - 1;
    const block = this.#blocks[at];
    if (block === undefined) return null;
    return block.indexBefore(place) > 0 ? block : (this.#blocks[at - 1] ?? null);
  }

  /** How many blocks begin before a place, or at it. */
  #blocksStartingBy(place: IndexPlace): number {
    return countWhile(this.#blocks, ({ entries: [first] }) => {
      return first !== undefined && compareEntries(first, place) <= 0;
    });
  }

  /** The block in which a new message belongs, with room for it. */
  #blockFor(place: IndexPlace): IndexBlock {
    const at = Math.max(0, this.#blocksStartingBy(place) - 1);
    const block = this.#blocks[at];
    if (block === undefined) return this.#insertBlock(at);
    if (block.entries.length < maxBlockEntries) return block;
    // Mostly messages come at one of the ends: then the full block stays as it is.
    if (at === this.#blocks.length - 1 && block.indexAfter(place) === maxBlockEntries) {
      return this.#insertBlock(at + 1);
    }
    if (at === 0 && block.indexAfter(place) === 0) return this.#insertBlock(0);
    this.#blocks.splice(at, 1, ...block.divide(maxBlockEntries / 2));
    return this.#blockFor(place);
  }

  #insertBlock(at: number): IndexBlock {
    const block = new IndexBlock();
    this.#blocks.splice(at, 0, block);
    return block;
  }
}

function passes(entry: Entry, query: IndexQuery): boolean {
  const { conversations, senders, features, fromMs, untilMs } = query;
  return (
    entry.sentAtMs >= fromMs &&
    entry.sentAtMs < untilMs &&
    (entry.features & features) === features &&
    (conversations === null || conversations.has(entry.conversationId)) &&
    (senders === null || senders.has(entry.sender)) &&
    entry.block.matches(entry, query.terms, query.mask)
  );
}
