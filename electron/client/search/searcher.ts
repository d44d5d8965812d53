import {
  AppError,
  decodeUtf8,
  type ConversationId,
  type ConversationRowView,
  type MessageId,
  type SearchHitView,
  type SearchResultsView,
} from "#protocol";
import type { Core } from "../core/core.ts";
import type { StoredMessage } from "../store/rows.ts";
import { openBodies } from "../views/bodies.ts";
import { isCovered, sealedBody } from "../views/message-views.ts";
import { excerptOf } from "./excerpt.ts";
import { resolveFilters } from "./filters.ts";
import { prepareTerms, type IndexPlace, type MessageFacts } from "./index-block.ts";
import type { Indexer } from "./indexer.ts";
import type { IndexQuery } from "./message-index.ts";
import { plainWords } from "./plain-words.ts";
import { parseQuery } from "./query.ts";
import type { Term } from "./words.ts";

/** What a search asks for, as `search.find` takes it. */
export interface SearchRequest {
  readonly query: string;
  readonly conversationId: ConversationId | null;
  readonly before: string | null;
  readonly limit: number;
}

/** Longest stretch of searching without letting others go on, milliseconds. */
const sliceMs = 6;
const placePattern = /^(\d{1,16})\.([\w-]+)$/u;

/** Answers searches from the index, and takes what it shows of a message from the vault. */
export class Searcher {
  readonly #core: Core;
  readonly #indexer: Indexer;
  readonly #rows: () => readonly ConversationRowView[];

  /** @param rows - the conversations as they are listed, for their names */
  constructor(core: Core, indexer: Indexer, rows: () => readonly ConversationRowView[]) {
    this.#core = core;
    this.#indexer = indexer;
    this.#rows = rows;
  }

  /** @throws AppError `argument-invalid` for a `before` that no answer gave */
  async find({ query, conversationId, before, limit }: SearchRequest): Promise<SearchResultsView> {
    const place = before === null ? null : placeOf(before);
    const { terms, filters } = parseQuery(query);
    const rows = this.#rows();
    const { unknown, ...resolved } = resolveFilters(filters, {
      me: this.#core.self.userId,
      people: this.#core.people.all().map(({ user }) => user),
      conversations: rows,
      nowMs: this.#core.time.now(),
    });
    const nothing = { hits: [], before: null, unknown };
    // A filter that names nobody lets nothing through, and a query of nothing finds nothing.
    if (unknown.length > 0 || (terms.length === 0 && filters.length === 0)) {
      return { ...nothing, progress: this.#indexer.progress };
    }
    await this.#indexer.settled();
    const wanted: IndexQuery = {
      ...prepareTerms(terms),
      ...resolved,
      conversations: within(conversationId, resolved.conversations),
    };
    const found = await this.#collect(wanted, place, limit + 1);
    const hits = await this.#hits(found.slice(0, limit), terms, rows);
    const last = found.length > limit ? found[limit - 1] : undefined;
    return {
      hits,
      before: last === undefined ? null : textOfPlace(last),
      unknown,
      progress: this.#indexer.progress,
    };
  }

  async #collect(
    query: IndexQuery,
    before: IndexPlace | null,
    count: number,
  ): Promise<readonly MessageFacts[]> {
    const found: MessageFacts[] = [];
    let sliceEndsMs = performance.now() + sliceMs;
    for (const stretch of this.#indexer.index.find(query, before)) {
      for (const facts of stretch) {
        if (this.#shown(facts.messageId) !== undefined) found.push(facts);
        if (found.length === count) return found;
      }
      if (performance.now() < sliceEndsMs) continue;
      await this.#othersFirst();
      sliceEndsMs = performance.now() + sliceMs;
    }
    return found;
  }

  #othersFirst(): Promise<void> {
    return new Promise((resolve) => {
      this.#core.clock.setTimeout(resolve, 0);
    });
  }

  /** A message that may be shown now: what has ended may not, even where it can't be deleted yet. */
  #shown(messageId: MessageId): StoredMessage | undefined {
    const message = this.#core.store.message(messageId);
    if (message?.kind !== "text" || isCovered(message)) return undefined;
    return message.deadlineMs > this.#core.time.now() ? message : undefined;
  }

  async #hits(
    found: readonly MessageFacts[],
    terms: readonly Term[],
    rows: readonly ConversationRowView[],
  ): Promise<readonly SearchHitView[]> {
    const messages = found
      .map(({ messageId }) => this.#shown(messageId))
      .filter((message) => message !== undefined);
    const opened = await openBodies(this.#core.worker, messages.flatMap(sealedBody));
    return messages.flatMap((message): readonly SearchHitView[] => {
      const { messageId, conversationId, sentAtMs } = message;
      const plain = opened.get(messageId);
      const row = rows.find((other) => other.conversationId === conversationId);
      if (plain === undefined || row === undefined) return [];
      const excerpt = excerptOf(plainWords(decodeUtf8(plain)), terms);
      plain.fill(0);
      // It may have ended while its body was opened.
      const now = this.#shown(messageId);
      if (now === undefined) return [];
      return [
        {
          conversationId,
          conversationTitle: row.title,
          avatarSeed: row.avatarSeed,
          messageId,
          sender: this.#core.people.view(message.sender),
          sentAtMs,
          endsAtMs: now.deadlineMs,
          ...excerpt,
        },
      ];
    });
  }
}

function within(
  conversationId: ConversationId | null,
  named: ReadonlySet<ConversationId> | null,
): ReadonlySet<ConversationId> | null {
  if (conversationId === null) return named;
  const here = new Set([conversationId]);
  return named === null ? here : here.intersection(named);
}

function textOfPlace({ sentAtMs, messageId }: IndexPlace): string {
  return `${String(sentAtMs)}.${messageId}`;
}

function placeOf(text: string): IndexPlace {
  const [, sentAtMs, messageId] = placePattern.exec(text) ?? [];
  if (sentAtMs === undefined || messageId === undefined) {
    throw new AppError("argument-invalid", { data: { path: "before" } });
  }
  return { sentAtMs: Number(sentAtMs), messageId: messageId as MessageId };
}
