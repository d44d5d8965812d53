import { ensureAppError, type ConversationId } from "#protocol";
import type { Core } from "../core/core.ts";
import type { StoredConversation } from "../store/rows.ts";
import type { Commits } from "./commits.ts";

/** How long each further member waits for the ones before it, milliseconds. */
const stepMs = 3000;
const longestMs = 60_000;

/**
 * Carries out others' wishes to leave: any member may, and one is enough, so that they come forward one after another. Whoever sends
 * something first doesn't wait (see `Outbox`).
 */
export class LeaveHelper {
  readonly #core: Core;
  readonly #commits: Commits;
  readonly #waiting = new Map<ConversationId, () => void>();

  constructor(core: Core, commits: Commits) {
    this.#core = core;
    this.#commits = commits;
  }

  /** What was asked for before this client started. */
  resume(): void {
    for (const conversationId of this.#core.store.conversationsWithLeavers()) {
      this.proposed(conversationId);
    }
  }

  proposed(conversationId: ConversationId): void {
    if (this.#waiting.has(conversationId)) return;
    const cancel = this.#core.clock.setTimeout(() => {
      this.#waiting.delete(conversationId);
      void this.#carryOut(conversationId);
    }, this.#delayMs(conversationId));
    this.#waiting.set(conversationId, cancel);
  }

  close(): void {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  #delayMs(conversationId: ConversationId): number {
    const { store, self } = this.#core;
    const leavers = store.leavers(conversationId);
    const members = store.conversation(conversationId)?.members ?? [];
    const rank = members
      .filter(({ userId }) => !leavers.includes(userId))
      .map(({ deviceId }) => deviceId)
      .toSorted()
      .indexOf(self.deviceId);
    return Math.min(Math.max(rank, 0) * stepMs, longestMs);
  }

  /** Whether this device leaves too, and all others do: then one of them takes the others out, and is alone. */
  #isLast(conversation: StoredConversation | undefined): boolean {
    if (conversation?.state !== "leaving") return false;
    const { store, self } = this.#core;
    const going = new Set([self.userId, ...store.leavers(conversation.conversationId)]);
    return conversation.members.every(({ userId }) => going.has(userId));
  }

  async #carryOut(conversationId: ConversationId): Promise<void> {
    const { store, online, closed } = this.#core;
    // Somebody was faster, or the next session asks again.
    if (closed || !online || store.leavers(conversationId).length === 0) return;
    const conversation = store.conversation(conversationId);
    if (conversation?.state !== "active" && !this.#isLast(conversation)) return;
    await this.#commits.run(conversationId, { kind: "leavers" }).catch(ensureAppError);
  }
}
