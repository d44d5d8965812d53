import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ConversationId, MessageId, UserId } from "#protocol";
import { fold } from "../../../../../electron/client/search/fold.ts";
import { IndexBlock, prepareTerms } from "../../../../../electron/client/search/index-block.ts";
import {
  MessageIndex,
  type IndexQuery,
} from "../../../../../electron/client/search/message-index.ts";
import { features } from "../../../../../electron/client/search/plain-words.ts";
import { parseQuery } from "../../../../../electron/client/search/query.ts";
import { occurrences, wordStarts } from "../../../../../electron/client/search/words.ts";

interface Message {
  readonly id: string;
  readonly text: string;
  readonly sentAtMs: number;
  readonly conversation: string;
  readonly sender: string;
  readonly features: number;
}

const plain = { conversation: "c", sender: "s", features: 0 };

function put(index: MessageIndex, message: Message): void {
  index.put(
    {
      messageId: message.id as MessageId,
      conversationId: message.conversation as ConversationId,
      sender: message.sender as UserId,
      sentAtMs: message.sentAtMs,
      version: 1,
      features: message.features,
    },
    fold(message.text),
  );
}

function queryOf(query: string, extra: Partial<IndexQuery> = {}): IndexQuery {
  return {
    ...prepareTerms(parseQuery(query).terms),
    conversations: null,
    senders: null,
    features: 0,
    fromMs: -Infinity,
    untilMs: Infinity,
    ...extra,
  };
}

function found(index: MessageIndex, query: IndexQuery, before: Message | null = null) {
  const place =
    before === null ? null : { sentAtMs: before.sentAtMs, messageId: before.id as MessageId };
  return [...index.find(query, place)].flat().map(({ messageId }) => messageId as string);
}

let index: MessageIndex;
beforeEach(() => {
  index = new MessageIndex();
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the index", () => {
  test("finds words, their beginnings and what stands inside them, in every script", () => {
    const texts = {
      english: "The rendezvous is tomorrow",
      french: "Rendez-vous à l'hôtel Crème",
      arabic: "أهلاً وسهلاً بكم",
      hebrew: "שָׁלוֹם עולם",
      thai: "ฉันไปโรงเรียน",
      chinese: "我们明天开会",
      japanese: "東京タワーに行きました",
      korean: "회의를 내일로 옮겨요",
      russian: "Пришлите договор",
      emoji: "well done 👍",
    };
    Object.entries(texts).forEach(([id, text], sentAtMs) => {
      put(index, { ...plain, id, text, sentAtMs });
    });
    const one = (query: string) => found(index, queryOf(query));
    expect(one("rendez")).toEqual(["french", "english"]);
    expect(one("DEZVO")).toEqual(["english"]);
    expect(one("to")).toEqual(["english"]);
    expect(one("or")).toEqual([]);
    expect(one("hotel creme")).toEqual(["french"]);
    expect(one("اهلا")).toEqual(["arabic"]);
    expect(one("שלום")).toEqual(["hebrew"]);
    expect(one("เรียน")).toEqual(["thai"]);
    expect(one("天")).toEqual(["chinese"]);
    expect(one("明天开会")).toEqual(["chinese"]);
    expect(one("タワー")).toEqual(["japanese"]);
    expect(one("회의")).toEqual(["korean"]);
    expect(one("говор")).toEqual(["russian"]);
    expect(one("👍")).toEqual(["emoji"]);
    expect(one('"is tomorrow"')).toEqual(["english"]);
    expect(one('"tomorrow is"')).toEqual([]);
  });

  test("gives the newest first, and goes on from any place", () => {
    const messages = [5, 1, 3, 3, 2].map((sentAtMs, at): Message => ({
      ...plain,
      id: `m${String(at)}`,
      text: "x",
      sentAtMs,
    }));
    for (const message of messages) put(index, message);
    expect(found(index, queryOf("x"))).toEqual(["m0", "m3", "m2", "m4", "m1"]);
    expect(found(index, queryOf("x"), messages[3])).toEqual(["m2", "m4", "m1"]);
    expect(found(index, queryOf("x"), messages[1])).toEqual([]);
  });

  test("holds filters", () => {
    put(index, { ...plain, id: "a", text: "plan", sentAtMs: 1, conversation: "c1" });
    put(index, { ...plain, id: "b", text: "plan", sentAtMs: 2, sender: "s2" });
    put(index, { ...plain, id: "c", text: "plan", sentAtMs: 3, features: features.link });
    const filtered = (extra: Partial<IndexQuery>) => found(index, queryOf("", extra));
    expect(filtered({ conversations: new Set(["c1" as ConversationId]) })).toEqual(["a"]);
    expect(filtered({ senders: new Set(["s2" as UserId]) })).toEqual(["b"]);
    expect(filtered({ features: features.link })).toEqual(["c"]);
    expect(filtered({ fromMs: 2, untilMs: 3 })).toEqual(["b"]);
  });

  test("has the new words of an edited message, and not the old ones", () => {
    put(index, { ...plain, id: "a", text: "old words", sentAtMs: 1 });
    put(index, { ...plain, id: "a", text: "new words", sentAtMs: 1 });
    expect(found(index, queryOf("old"))).toEqual([]);
    expect(found(index, queryOf("words"))).toEqual(["a"]);
    expect(index.size).toBe(1);
  });

  test("is empty when it is cleared", () => {
    put(index, { ...plain, id: "a", text: "words", sentAtMs: 1 });
    index.clear();
    expect(found(index, queryOf("words"))).toEqual([]);
    expect([index.size, index.sizeBytes]).toEqual([0, 0]);
  });

  test("gives memory back as messages end", () => {
    for (let at = 0; at < 3000; at++) {
      put(index, { ...plain, id: String(at), text: "some words of a message", sentAtMs: at });
    }
    const full = index.sizeBytes;
    for (let at = 0; at < 3000; at++) if (at % 50 !== 0) index.remove(String(at) as MessageId);
    expect(index.size).toBe(60);
    expect(found(index, queryOf("words"))).toHaveLength(60);
    expect(index.sizeBytes).toBeLessThan(full / 2);
  });
});

describe("a message that is taken out", () => {
  /** Every buffer that is made from now on. */
  function watchBuffers(): { readonly contain: (text: string) => boolean } {
    const alloc = vi.spyOn(Buffer, "alloc");
    return {
      contain: (text) =>
        alloc.mock.results.some(({ value }) => value instanceof Buffer && value.includes(text)),
    };
  }

  test("leaves none of its bytes in any buffer, nor does an edit, a move or a lock", () => {
    const buffers = watchBuffers();
    for (let at = 0; at < 2000; at++) {
      put(index, { ...plain, id: String(at), text: `message ${String(at)}`, sentAtMs: at });
    }
    put(index, { ...plain, id: "secret", text: "the password is plover", sentAtMs: 700.5 });
    expect(buffers.contain("plover")).toBe(true);
    put(index, { ...plain, id: "secret", text: "the password is xyzzy", sentAtMs: 700.5 });
    expect(buffers.contain("plover")).toBe(false);
    expect(buffers.contain("xyzzy")).toBe(true);
    // Its block is divided and written anew around it.
    for (let at = 0; at < 600; at++) {
      put(index, {
        ...plain,
        id: `new${String(at)}`,
        text: "more",
        sentAtMs: 700.1 + at / 10_000,
      });
    }
    for (let at = 500; at < 900; at++) index.remove(String(at) as MessageId);
    expect(found(index, queryOf("xyzzy"))).toEqual(["secret"]);
    index.remove("secret" as MessageId);
    expect(buffers.contain("xyzzy")).toBe(false);
    expect(buffers.contain("message")).toBe(true);
    index.clear();
    expect(buffers.contain("message")).toBe(false);
  });

  test("leaves no signature", () => {
    const block = new IndexBlock();
    const facts = {
      messageId: "m" as MessageId,
      conversationId: "c" as ConversationId,
      sender: "s" as UserId,
      sentAtMs: 1,
      version: 1,
      features: 0,
    };
    const entry = block.add(facts, "words");
    const { terms, mask } = prepareTerms(parseQuery("words").terms);
    expect(block.matches(entry, terms, mask)).toBe(true);
    block.remove(entry);
    expect(block.matches(entry, [], mask)).toBe(false);
  });
});

/** Words that share beginnings and insides, so that what is found and what isn't lie close together. */
const syllables = fc.constantFrom(
  "an",
  "na",
  "ban",
  "ÄN",
  "nä",
  "a",
  "明",
  "天",
  "明天",
  "ไป",
  "회",
  "👍",
);
const word = fc.array(syllables, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""));
const sentence = fc.array(word, { maxLength: 6 }).map((words) => words.join(" "));
const message = fc.record({
  id: fc.integer({ min: 0, max: 40 }).map(String),
  text: sentence,
  sentAtMs: fc.integer({ min: 0, max: 30 }),
  conversation: fc.constantFrom("c1", "c2"),
  sender: fc.constantFrom("s1", "s2"),
  features: fc.integer({ min: 0, max: 15 }),
});
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ put: message }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.integer({ min: 0, max: 40 }).map(String) }) },
);

test("finds what reading every message from the newest to the oldest finds", () => {
  const steps = fc.array(step, { maxLength: 120 });
  const searches = fc.array(fc.record({ query: sentence, conversation: fc.boolean() }), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(steps, searches, (done, wanted) => {
      const tried = new MessageIndex();
      const model = new Map<string, Message>();
      for (const one of done) {
        if ("put" in one) {
          put(tried, one.put);
          model.set(one.put.id, one.put);
        } else {
          tried.remove(one.remove as MessageId);
          model.delete(one.remove);
        }
      }
      const byId = [...model.values()].sort((left, right) => (left.id < right.id ? 1 : -1));
      const newest = byId.toSorted((left, right) => right.sentAtMs - left.sentAtMs);
      for (const { query, conversation } of wanted) {
        const { terms } = parseQuery(query);
        const expected = newest
          .filter((one) => !conversation || one.conversation === "c1")
          .filter((one) => {
            const folded = fold(one.text);
            const starts = new Set(wordStarts(folded));
            return terms.every((term) => [...occurrences(folded, starts, term)].length > 0);
          })
          .map(({ id }) => id);
        const conversations = conversation ? new Set(["c1" as ConversationId]) : null;
        expect(found(tried, queryOf(query, { conversations }))).toEqual(expected);
      }
    }),
    { numRuns: 300 },
  );
});
