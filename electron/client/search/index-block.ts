import { encodeUtf8, type ConversationId, type MessageId, type UserId } from "#protocol";
import { addTrigrams, addWordStart, covers, signatureWords } from "./signature.ts";
import { wordStarts, type Term } from "./words.ts";

/** What is known of a message beside its text. */
export interface MessageFacts {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  readonly sender: UserId;
  readonly sentAtMs: number;
  /** Tells one version of a body from another. */
  readonly version: number;
  /** Bits of `features`. */
  readonly features: number;
}

/** A message in the index. */
export interface Entry extends MessageFacts {
  features: number;
  readonly block: IndexBlock;
  /** Which signature is its own. */
  readonly slot: number;
  /** Where its text stands, bytes. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A {@link Term} ready to be looked for. */
export interface SearchTerm extends Term {
  readonly utf8: Uint8Array;
}

/** Terms as bytes, and the signature that a message with all of them has. */
export function prepareTerms(terms: readonly Term[]): {
  readonly terms: readonly SearchTerm[];
  readonly mask: Uint32Array;
} {
  const mask = new Uint32Array(signatureWords);
  const prepared = terms.map((term) => ({ ...term, utf8: encodeUtf8(term.text) }));
  for (const { utf8, atStart } of prepared) {
    addTrigrams(mask, 0, utf8);
    if (atStart) addWordStart(mask, 0, utf8[0] ?? 0, utf8[1]);
  }
  return { terms: prepared, mask };
}

/** A place among all messages: they are ordered by when they were sent, those of one moment by their ids. */
export type IndexPlace = Pick<MessageFacts, "sentAtMs" | "messageId">;

/** Which of two places comes first. */
export function compareEntries(left: IndexPlace, right: IndexPlace): number {
  const byTime = left.sentAtMs - right.sentAtMs;
  if (byTime !== 0) return byTime;
  if (left.messageId === right.messageId) return 0;
  return left.messageId < right.messageId ? -1 : 1;
}

const firstBytes = 8 * 1024;
const firstSlots = 64;

/**
 * Some hundred messages that were sent one after the other, and their folded texts in one buffer of its own. A text that is taken out is
 * overwritten with zeros there and then, its signature too.
 */
export class IndexBlock {
  /** Oldest first. */
  readonly entries: Entry[] = [];
  #text = Buffer.alloc(firstBytes);
  /** One bit for each byte of the text: a word begins here. */
  #starts = new Uint8Array(firstBytes / 8);
  #signatures = new Uint32Array(firstSlots * signatureWords);
  #usedBytes = 0;
  #usedSlots = 0;
  #deadBytes = 0;

  /** What it takes in memory, bytes. */
  get sizeBytes(): number {
    return this.#text.length + this.#starts.length + this.#signatures.byteLength;
  }

  /** @param folded - the message's text, folded */
  add(facts: MessageFacts, folded: string): Entry {
    const utf8 = encodeUtf8(folded);
    const { messageId, conversationId, sender, sentAtMs, version, features } = facts;
    const place = this.#allocate(utf8.length);
    const entry = { messageId, conversationId, sender, sentAtMs, version, features, ...place };
    this.entries.splice(this.indexAfter(entry), 0, entry);
    this.#text.set(utf8, entry.offset);
    const signatureAt = entry.slot * signatureWords;
    addTrigrams(this.#signatures, signatureAt, utf8);
    const toBytes = byteOffsets(folded, utf8.length);
    for (const start of wordStarts(folded)) {
      const at = toBytes(start);
      this.#markWord(entry.offset + at);
      addWordStart(this.#signatures, signatureAt, utf8[at] ?? 0, utf8[at + 1]);
    }
    utf8.fill(0);
    return entry;
  }

  /** Takes over the next entry of another block, which still has to be wiped. */
  #adopt(entry: Entry, from: IndexBlock): void {
    const { offset, sizeBytes, slot } = entry;
    const place = this.#allocate(sizeBytes);
    this.#text.set(from.#text.subarray(offset, offset + sizeBytes), place.offset);
    for (let at = 0; at < sizeBytes; at++) {
      if (from.#beginsWord(offset + at)) this.#markWord(place.offset + at);
    }
    this.#signatures.set(
      from.#signatures.subarray(slot * signatureWords, (slot + 1) * signatureWords),
      place.slot * signatureWords,
    );
    this.entries.push(Object.assign(entry, place));
  }

  #allocate(sizeBytes: number): Pick<Entry, "block" | "slot" | "offset" | "sizeBytes"> {
    this.#reserve(sizeBytes);
    const place = { block: this, slot: this.#usedSlots, offset: this.#usedBytes, sizeBytes };
    this.#usedSlots += 1;
    this.#usedBytes += sizeBytes;
    return place;
  }

  /** How many entries come before a place. */
  indexBefore(place: IndexPlace): number {
    return countWhile(this.entries, (entry) => compareEntries(entry, place) < 0);
  }

  /** How many entries come before a place, or are at it. */
  indexAfter(place: IndexPlace): number {
    return countWhile(this.entries, (entry) => compareEntries(entry, place) <= 0);
  }

  remove(entry: Entry): void {
    this.entries.splice(this.indexBefore(entry), 1);
    const { offset, sizeBytes, slot } = entry;
    this.#text.fill(0, offset, offset + sizeBytes);
    for (let bit = offset; bit < offset + sizeBytes; bit++) {
      this.#starts[bit >>> 3] = (this.#starts[bit >>> 3] ?? 0) & ~(1 << (bit & 7));
    }
    this.#signatures.fill(0, slot * signatureWords, (slot + 1) * signatureWords);
    this.#deadBytes += sizeBytes;
  }

  /** Whether more of it is holes than messages. */
  get isSparse(): boolean {
    const { length } = this.entries;
    return length === 0 || this.#deadBytes > this.#usedBytes / 2 || this.#usedSlots > 2 * length;
  }

  /**
   * Moves its entries into new blocks, and wipes this one.
   *
   * @param largest - how many entries a block may have
   */
  divide(largest: number): readonly IndexBlock[] {
    const count = Math.ceil(this.entries.length / largest);
    const each = Math.ceil(this.entries.length / Math.max(1, count));
    const blocks = Array.from({ length: count }, (_, index) => {
      const block = new IndexBlock();
      const part = this.entries.slice(index * each, (index + 1) * each);
      for (const entry of part) block.#adopt(entry, this);
      return block;
    });
    this.wipe();
    return blocks;
  }

  /** Overwrites everything with zeros. */
  wipe(): void {
    this.entries.length = 0;
    this.#text.fill(0);
    this.#starts.fill(0);
    this.#signatures.fill(0);
  }

  /** Whether a message has everything that a mask and its terms ask for. */
  matches(
    { slot, offset, sizeBytes }: Entry,
    terms: readonly SearchTerm[],
    mask: Uint32Array,
  ): boolean {
    if (!covers(this.#signatures, slot * signatureWords, mask)) return false;
    if (terms.length === 0) return true;
    const text = this.#text.subarray(offset, offset + sizeBytes);
    return terms.every(({ utf8, atStart }) => {
      let at = text.indexOf(utf8);
      while (atStart && at !== -1 && !this.#beginsWord(offset + at)) {
        at = text.indexOf(utf8, at + 1);
      }
      return at !== -1;
    });
  }

  #markWord(bit: number): void {
    this.#starts[bit >>> 3] = (this.#starts[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }

  #beginsWord(bit: number): boolean {
    return (((this.#starts[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 1;
  }

  #reserve(sizeBytes: number): void {
    const wantedBytes = this.#usedBytes + sizeBytes;
    if (wantedBytes > this.#text.length) {
      const length = Math.max(2 * this.#text.length, Math.ceil(wantedBytes / 8) * 8);
      this.#text = grown(this.#text, Buffer.alloc(length));
      this.#starts = grown(this.#starts, new Uint8Array(length / 8));
    }
    if ((this.#usedSlots + 1) * signatureWords > this.#signatures.length) {
      this.#signatures = grown(this.#signatures, new Uint32Array(2 * this.#signatures.length));
    }
  }
}

/** Puts what stood in a smaller array into a larger one, and wipes the smaller. */
function grown<List extends Uint8Array | Uint32Array>(small: List, large: List): List {
  large.set(small);
  small.fill(0);
  return large;
}

/** From ascending UTF-16 offsets to offsets in UTF-8. */
function byteOffsets(text: string, sizeBytes: number): (index: number) => number {
  if (sizeBytes === text.length) return (index) => index;
  let [lastIndex, lastByte] = [0, 0];
  return (index) => {
    lastByte += Buffer.byteLength(text.slice(lastIndex, index));
    lastIndex = index;
    return lastByte;
  };
}

/** How many items at the beginning of an ordered list a condition holds for. */
export function countWhile<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && holds(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}
