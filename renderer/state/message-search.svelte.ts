import {
  ensureAppError,
  type ConversationId,
  type ErrorCode,
  type Runtime,
  type SearchHitView,
  type SearchProgressView,
  type SearchResultsView,
} from "#protocol";
import type { AppPorts } from "./ports.ts";

/** What a search needs from outside. */
export type SearchPorts = Pick<AppPorts, "later"> & { readonly runtime: Runtime };

/** What operators a query can have. */
export const searchOperators = ["from", "in", "has", "before", "after"] as const;
/** Messages in one page of results. */
export const searchPageSize = 40;

/** How long to wait for the next letter, milliseconds. */
const typingMs = 80;
/** How long to wait for more news before what is shown is looked up again, milliseconds. */
const newsMs = 400;

/** What a running search has said. */
interface Results extends Pick<SearchResultsView, "hits" | "before" | "unknown"> {
  /** To what query. */
  readonly query: string;
}

/** Searching messages as somebody types: in all conversations, or in one. Results follow what comes, changes and ends. */
export class MessageSearch {
  readonly #ports: SearchPorts;
  readonly #conversationId: ConversationId | null;
  readonly #disposers: (() => void)[];
  #query = $state("");
  #results = $state.raw<Results | null>(null);
  #progress = $state.raw<SearchProgressView>({ indexed: 0, total: 0 });
  #failure = $state.raw<ErrorCode | null>(null);
  #loadingMore = $state(false);
  #cancel: () => void = () => undefined;
  #cancelNews: () => void = () => undefined;
  /** Which question is the latest: answers to others come too late. */
  #asked = 0;

  readonly active: boolean = $derived(this.#query.trim() !== "");
  /** Newest first. */
  readonly hits: readonly SearchHitView[] = $derived(this.#results?.hits ?? []);
  /** Filters that name nobody and nothing. */
  readonly unknown: readonly string[] = $derived(this.#results?.unknown ?? []);
  readonly hasMore: boolean = $derived((this.#results?.before ?? null) !== null);
  /** Whether what is shown answers what was typed. */
  readonly answered: boolean = $derived(this.#results?.query === this.#query);
  /** Whether the index is still being filled. */
  readonly filling: boolean = $derived(this.#progress.indexed < this.#progress.total);

  /**
   * @param conversationId - where to search; null: everywhere
   */
  constructor(ports: SearchPorts, conversationId: ConversationId | null) {
    this.#ports = ports;
    this.#conversationId = conversationId;
    const { runtime } = ports;
    this.#disposers = [
      runtime.on("search.progress", (progress) => {
        this.#progress = progress;
        if (this.active) this.#refreshLater();
      }),
      runtime.on("conversations.changed", () => {
        if (this.active) this.#refreshLater();
      }),
    ];
  }

  get query(): string {
    return this.#query;
  }

  set query(query: string) {
    if (query === this.#query) return;
    this.#query = query;
    this.#cancel();
    this.#failure = null;
    if (query.trim() === "") this.clear();
    else this.#cancel = this.#ports.later(() => void this.#find(), typingMs);
  }

  get progress(): SearchProgressView {
    return this.#progress;
  }

  get failure(): ErrorCode | null {
    return this.#failure;
  }

  get loadingMore(): boolean {
    return this.#loadingMore;
  }

  /** Searches at once what has been typed. */
  async now(): Promise<void> {
    this.#cancel();
    if (this.active && !this.answered) await this.#find();
  }

  /** Tries again what has failed. */
  async retry(): Promise<void> {
    this.#failure = null;
    await this.#find();
  }

  async loadMore(): Promise<void> {
    const results = this.#results;
    const before = results?.before ?? null;
    if (results === null || before === null || this.#loadingMore) return;
    this.#loadingMore = true;
    const asked = this.#asked;
    try {
      const more = await this.#ask(results.query, before);
      if (asked !== this.#asked) return;
      this.#results = { ...more, query: results.query, hits: [...results.hits, ...more.hits] };
    } catch (error) {
      if (asked === this.#asked) this.#failure = ensureAppError(error).code;
    } finally {
      this.#loadingMore = false;
    }
  }

  /** Forgets the question and its answer. */
  clear(): void {
    this.#asked += 1;
    this.#cancel();
    this.#cancelNews();
    this.#query = "";
    this.#results = null;
    this.#failure = null;
  }

  /** Stops following what happens. */
  close(): void {
    this.clear();
    for (const dispose of this.#disposers.splice(0)) dispose();
  }

  async #find(): Promise<void> {
    const query = this.#query;
    const asked = ++this.#asked;
    try {
      const { progress, ...results } = await this.#ask(query, null);
      if (asked !== this.#asked) return;
      this.#progress = progress;
      this.#results = { ...results, query };
      this.#failure = null;
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#results = null;
      this.#failure = ensureAppError(error).code;
    }
  }

  #ask(query: string, before: string | null): Promise<SearchResultsView> {
    return this.#ports.runtime.invoke("search.find", {
      query,
      conversationId: this.#conversationId,
      before,
      limit: searchPageSize,
    });
  }

  /** Of what was loaded further down, the first page is enough: a person who reads there sees it again by asking for more. */
  #refreshLater(): void {
    this.#cancelNews();
    this.#cancelNews = this.#ports.later(() => {
      if (this.active && this.hits.length <= searchPageSize && !this.#loadingMore) {
        void this.#find();
      }
    }, newsMs);
  }
}
