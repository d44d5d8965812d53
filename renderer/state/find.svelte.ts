import type { ConversationId, MessageId, SearchHitView } from "#protocol";
import { MessageSearch, type SearchPorts } from "./message-search.svelte.ts";

/** Searching inside the open conversation: one thing that was found after the other. */
export class Find {
  readonly search: MessageSearch;
  readonly #onShow: (messageId: MessageId) => void;
  #currentId = $state.raw<MessageId | null>(null);
  /** How often the bar was asked for: each time its field gets the focus. */
  #calls = $state(0);

  /** @param onShow - goes to a message of the conversation */
  constructor(
    ports: SearchPorts,
    conversationId: ConversationId,
    onShow: (messageId: MessageId) => void,
  ) {
    this.search = new MessageSearch(ports, conversationId);
    this.#onShow = onShow;
  }

  get #at(): number {
    return this.search.hits.findIndex(({ messageId }) => messageId === this.#currentId);
  }

  /** Which of the messages that were found is shown, from 1; 0 when none is. */
  get position(): number {
    return this.#at + 1;
  }

  /** Whether something older was found. */
  get hasOlder(): boolean {
    return this.#at + 1 < this.search.hits.length || this.search.hasMore;
  }

  get hasNewer(): boolean {
    return this.#at > 0;
  }

  get currentId(): MessageId | null {
    return this.#currentId;
  }

  get calls(): number {
    return this.#calls;
  }

  /** Asked for again: the field takes the focus. */
  call(): void {
    this.#calls += 1;
  }

  /** Goes to the next older message that was found; at first to the newest. */
  async older(): Promise<void> {
    await this.search.now();
    if (this.#at + 1 === this.search.hits.length && this.search.hasMore) {
      await this.search.loadMore();
    }
    this.#show(this.search.hits[this.#at + 1]);
  }

  newer(): void {
    if (this.#at > 0) this.#show(this.search.hits[this.#at - 1]);
  }

  close(): void {
    this.search.close();
    this.#currentId = null;
  }

  #show(hit: SearchHitView | undefined): void {
    if (hit === undefined) return;
    this.#currentId = hit.messageId;
    this.#onShow(hit.messageId);
  }
}
