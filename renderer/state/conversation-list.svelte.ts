import type { ConversationId, ConversationRowView, Runtime } from "#protocol";

/** What the list shows. */
export type ListFilter = "all" | "unread" | "direct" | "rooms";
export const listFilters = ["all", "unread", "direct", "rooms"] as const;

/** Whether each word that is looked for begins a word of the name, in any order, whatever case and accents. */
export function nameMatches(name: string, query: string): boolean {
  const words = foldCase(name).split(/[\s\-–—·.,/]+/u);
  const folded = foldCase(name);
  return foldCase(query)
    .split(/\s+/u)
    .filter((word) => word !== "")
    .every(
      (word) =>
        words.some((start) => start.startsWith(word)) || (word.length > 2 && folded.includes(word)),
    );
}

function foldCase(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .toLocaleLowerCase();
}

function passes(row: ConversationRowView, filter: ListFilter): boolean {
  switch (filter) {
    case "all":
      return true;
    case "unread":
      return row.unreadCount > 0;
    case "direct":
      return row.kind === "direct";
    case "rooms":
      return row.kind !== "direct";
  }
}

/** Pinned ones first, then by time. */
export function sortRows(rows: readonly ConversationRowView[]): readonly ConversationRowView[] {
  return rows.toSorted((left, right) => {
    if (left.pinned !== right.pinned) return left.pinned ? -1 : 1;
    return right.lastActivityMs - left.lastActivityMs;
  });
}

/** All conversations, and which of them are shown. */
export class ConversationList {
  #rows = $state.raw<readonly ConversationRowView[]>([]);
  #loaded = $state(false);
  #selectedId = $state.raw<ConversationId | null>(null);
  /** What is looked for among the names. */
  query = $state("");
  filter = $state<ListFilter>("all");

  readonly sorted: readonly ConversationRowView[] = $derived(sortRows(this.#rows));
  /** The rows that pass the filter and the search. The selected one stays while it is read, although it isn't unread any more. */
  readonly visible: readonly ConversationRowView[] = $derived(
    this.sorted.filter(
      (row) =>
        (passes(row, this.filter) ||
          (this.filter === "unread" && row.conversationId === this.#selectedId)) &&
        nameMatches(row.title, this.query),
    ),
  );
  /** All rows that the search is about, whatever the filter. */
  readonly matching: readonly ConversationRowView[] = $derived(
    this.sorted.filter(({ title }) => nameMatches(title, this.query)),
  );
  /** Unread messages in conversations that aren't muted. */
  readonly unreadTotal: number = $derived(
    this.#rows.reduce((total, row) => total + (row.muted ? 0 : row.unreadCount), 0),
  );

  get rows(): readonly ConversationRowView[] {
    return this.#rows;
  }

  /** False until the rows have come for the first time. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get selectedId(): ConversationId | null {
    return this.#selectedId;
  }

  set selectedId(id: ConversationId | null) {
    this.#selectedId = id;
  }

  set(rows: readonly ConversationRowView[]): void {
    this.#rows = rows;
    this.#loaded = true;
  }

  find(id: ConversationId): ConversationRowView | null {
    return this.#rows.find(({ conversationId }) => conversationId === id) ?? null;
  }

  async load(runtime: Runtime): Promise<void> {
    this.set(await runtime.invoke("conversations.list", {}));
  }

  /**
   * The conversation before or after the selected one, as they are shown.
   *
   * @param step - -1 for the previous one, 1 for the next
   */
  neighbour(step: -1 | 1): ConversationId | null {
    const rows = this.visible;
    const at = rows.findIndex(({ conversationId }) => conversationId === this.#selectedId);
    if (at === -1) return (step === 1 ? rows[0] : rows.at(-1))?.conversationId ?? null;
    return rows[at + step]?.conversationId ?? null;
  }

  /** The next unread conversation below the selected one, from the top again when there is none. */
  nextUnread(): ConversationId | null {
    const rows = this.sorted;
    const at = rows.findIndex(({ conversationId }) => conversationId === this.#selectedId);
    const turned = [...rows.slice(at + 1), ...rows.slice(0, at + 1)];
    return (
      turned.find((row) => row.unreadCount > 0 && row.conversationId !== this.#selectedId)
        ?.conversationId ?? null
    );
  }
}
