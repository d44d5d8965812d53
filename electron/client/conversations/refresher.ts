import {
  encodeRoomState,
  ensureAppError,
  equalBytes,
  type ConversationId,
  type GroupChange,
} from "#protocol";
import type { Core } from "../core/core.ts";
import type { StoredConversation } from "../store/rows.ts";
import type { Commits } from "./commits.ts";

const hourMs = 60 * 60_000;
/** A leaf is older than this for no longer than until this device is on line next: one week. */
const leafLifeMs = 7 * 24 * hourMs;
/** Members of a conversation that were made at one time don't all come at one time. */
const weeklySpreadMs = 6 * hourMs;
/** Nor do those who all come to work at nine. */
const overdueSpreadMs = 5000;
const retryMs = 10 * 60_000;

/**
 * Whether a commit gave its maker a new leaf: one that only adds has no path. Source: RFC 9420 §12.4.
 *
 * @param change - what it changed for people
 */
export function renewsLeaf({ added, removed, before, after }: GroupChange): boolean {
  const changed = !equalBytes(encodeRoomState(before), encodeRoomState(after));
  return added.length === 0 || removed.length > 0 || changed;
}

/**
 * Gives this device a new leaf in each conversation every week, by a commit that does nothing else: who once copied its keys can't read
 * what is said afterwards (post-compromise security). A device that was away for longer does so soon after it has signed in. Source: RFC 9420
 * §12.4, RFC 9750 §8.2.2.
 */
export class Refresher {
  readonly #core: Core;
  readonly #commits: Commits;
  #cancel: (() => void) | null = null;
  #running = false;
  #closed = false;

  constructor(core: Core, commits: Commits) {
    this.#core = core;
    this.#commits = commits;
  }

  /** This device has signed in, and knows what it missed. */
  resume(): void {
    this.#schedule(overdueSpreadMs * this.#fraction());
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  /** @param leastMs - not before this has passed */
  #schedule(leastMs: number): void {
    this.#cancel?.();
    const nowMs = this.#core.time.now();
    const dueMs = this.#core.store
      .conversations()
      .filter(isRefreshable)
      .map((conversation) => this.#dueAtMs(conversation));
    if (dueMs.length === 0 || this.#closed) return;
    const waitMs = Math.min(...dueMs) - nowMs;
    const spreadMs = waitMs > leastMs ? weeklySpreadMs * this.#fraction() : 0;
    this.#cancel = this.#core.clock.setTimeout(
      () => void this.#refresh(),
      Math.max(leastMs, waitMs + spreadMs),
    );
  }

  #fraction(): number {
    const [high = 0, low = 0] = this.#core.random(2);
    return (high * 256 + low) / 0x10000;
  }

  #dueAtMs({ conversationId }: StoredConversation): number {
    return this.#core.store.refreshedAtMs(conversationId) + leafLifeMs;
  }

  async #refresh(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { store, time } = this.#core;
    try {
      for (const conversation of store.conversations()) {
        if (!this.#core.online || this.#closed) break;
        if (!isRefreshable(conversation) || this.#dueAtMs(conversation) > time.now()) continue;
        await this.#refreshOne(conversation.conversationId);
      }
    } finally {
      this.#running = false;
    }
    this.#schedule(retryMs);
  }

  async #refreshOne(conversationId: ConversationId): Promise<void> {
    const { store } = this.#core;
    // A commit of ours that is under way gives a new leaf itself, most likely; what is left is looked at again later.
    if (store.intent(conversationId) !== undefined) return;
    const sinceMs = store.refreshedAtMs(conversationId);
    await this.#commits.run(conversationId, { kind: "refresh", sinceMs }).catch(ensureAppError);
  }
}

/** Whether there is somebody else in it, and it can be changed. */
function isRefreshable({ state, blocked, stale, members }: StoredConversation): boolean {
  return state === "active" && blocked === null && !stale && members.length > 1;
}
