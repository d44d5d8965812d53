import { randomBytes } from "node:crypto";
import { toBase64url, type ConversationId, type MessageId, type UserId } from "#protocol";
import { fold } from "../../electron/client/search/fold.ts";
import { prepareTerms } from "../../electron/client/search/index-block.ts";
import { MessageIndex, type IndexQuery } from "../../electron/client/search/message-index.ts";
import { plainWords, textFeatures } from "../../electron/client/search/plain-words.ts";
import { parseQuery } from "../../electron/client/search/query.ts";

/*
 * The index of the search alone: how long 100,000 messages take to be put into it, what each takes in memory, and how long a search
 * takes when what is looked for is everywhere, rare, nowhere, or a single letter.
 *
 * Words are drawn as they are in a language (the n-th commonest 1/n as often), messages are up to 35 words long.
 */

const messages = 100_000;
const searches = 30;

let state = 1;
/** Repeatable, so that two runs index the same. */
function chance(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

const letters = "etaoinshrdlucmfwypvbgkjqxz";
const vocabulary = Array.from({ length: 20_000 }, () => {
  const length = 2 + Math.floor(chance() * 9);
  return Array.from({ length }, () => letters[Math.floor(chance() ** 1.6 * 26)] ?? "e").join("");
});
const foreign = [
  "東京タワーに行きました",
  "我们明天开会",
  "ฉันไปโรงเรียน",
  "회의를 내일로",
  "пришлите договор",
];

function word(): string {
  return vocabulary[Math.floor(vocabulary.length ** chance()) - 1] ?? "the";
}

function text(index: number): string {
  if (index % 20 === 0) return `${foreign[(index / 20) % foreign.length] ?? ""} ${word()}`;
  const length = 3 + Math.floor(chance() * 32);
  return Array.from({ length }, word).join(" ");
}

function id(sizeBytes: number): string {
  return toBase64url(randomBytes(sizeBytes));
}

const conversations = Array.from({ length: 200 }, () => id(16) as ConversationId);
const people = Array.from({ length: 500 }, () => id(16) as UserId);
const texts = Array.from({ length: messages }, (_, index) => text(index));
texts[7] = "the word zyzzyva stands in one message, the oldest but seven";
const bytes = texts.reduce((sum, one) => sum + Buffer.byteLength(one), 0);

function memoryBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const messageIds = Array.from({ length: messages }, () => id(32) as MessageId);
const index = new MessageIndex();
const before = memoryBytes();
const slices: number[] = [];
const startedAt = performance.now();
// Newest first and a hundred at a time, as the client does it.
for (let end = messages; end > 0; end -= 100) {
  const sliceAt = performance.now();
  for (let at = end - 1; at >= end - 100; at--) {
    const one = texts[at] ?? "";
    const facts = {
      messageId: messageIds[at] ?? ("" as MessageId),
      conversationId: conversations[at % conversations.length] ?? ("" as ConversationId),
      sender: people[at % people.length] ?? ("" as UserId),
      sentAtMs: 1_750_000_000_000 + at * 1000,
      version: at,
      features: textFeatures(one),
    };
    index.put(facts, fold(plainWords(one)));
  }
  slices.push(performance.now() - sliceAt);
}
const indexMs = performance.now() - startedAt;
const perMessage = (memoryBytes() - before) / messages;

function ascending(values: readonly number[]): readonly number[] {
  return values.toSorted((left, right) => left - right);
}
function quantile(values: readonly number[], share: number): number {
  return ascending(values)[Math.floor((values.length - 1) * share)] ?? Number.NaN;
}

function search(query: string, limit: number): { readonly found: number; readonly ms: number } {
  const at = performance.now();
  const wanted: IndexQuery = {
    ...prepareTerms(parseQuery(query).terms),
    conversations: null,
    senders: null,
    features: 0,
    fromMs: -Infinity,
    untilMs: Infinity,
  };
  let found = 0;
  for (const stretch of index.find(wanted, null)) {
    found += stretch.length;
    if (found > limit) break;
  }
  return { found: Math.min(found, limit), ms: performance.now() - at };
}

console.log(
  `${String(messages)} messages of ${String(Math.round(bytes / messages))} bytes; target: a search under 100 ms, no slice of indexing over 10 ms`,
);
console.table({
  "indexing all, s": (indexMs / 1000).toFixed(2),
  "slice of 100, median ms": quantile(slices, 0.5).toFixed(2),
  "slice of 100, 99 % ms": quantile(slices, 0.99).toFixed(2),
  "slice of 100, worst ms": quantile(slices, 1).toFixed(2),
  "memory per message, bytes": Math.round(perMessage),
  "of which buffers, bytes": Math.round(index.sizeBytes / messages),
});

const common = vocabulary[3] ?? "the";
const rare = vocabulary[15_000] ?? "the";
const queries: Readonly<Record<string, string>> = {
  "one letter": "q",
  "common word": common,
  "rare word": rare,
  "inside a word": rare.slice(1),
  "in one message": "zyzzyva",
  nowhere: "nothinglikethis",
  "two common words": `${common} ${vocabulary[5] ?? ""}`,
  Chinese: "明天",
  Thai: "โรงเรียน",
};
console.table(
  Object.fromEntries(
    Object.entries(queries).map(([name, query]) => {
      const first = Array.from({ length: searches }, () => search(query, 31));
      const all = Array.from({ length: searches }, () => search(query, Infinity));
      return [
        name,
        {
          "first page, median ms": quantile(
            first.map(({ ms }) => ms),
            0.5,
          ).toFixed(2),
          "first page, worst ms": quantile(
            first.map(({ ms }) => ms),
            1,
          ).toFixed(2),
          "every hit, median ms": quantile(
            all.map(({ ms }) => ms),
            0.5,
          ).toFixed(2),
          hits: all[0]?.found ?? 0,
        },
      ];
    }),
  ),
);

const removeAt = performance.now();
for (const messageId of messageIds.slice(0, 10_000)) index.remove(messageId);
console.log(`10,000 messages end at once: ${(performance.now() - removeAt).toFixed(1)} ms`);
const clearAt = performance.now();
index.clear();
console.log(`everything wiped: ${(performance.now() - clearAt).toFixed(1)} ms`);
