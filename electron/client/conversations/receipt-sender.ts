import {
  ensureAppError,
  messageStatus,
  type ConversationId,
  type PerMessageStatus,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { enqueue } from "./enqueue.ts";
import { owedRead } from "./receipts.ts";

/** How long receipts are gathered, milliseconds: one report for all that came together. */
const gatherMs = 150;
/** Most messages in one report. */
const maxStatuses = 500;

/** Reports to others what this device has received and what its person has read. */
export class ReceiptSender {
  readonly #core: Core;
  readonly #due = new Set<ConversationId>();
  #cancel: (() => void) | null = null;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Receipts that were owed when the client stopped. */
  resume(): void {
    this.owe(this.#core.store.conversationsOwing());
  }

  owe(conversations: Iterable<ConversationId>): void {
    for (const conversationId of conversations) this.#due.add(conversationId);
    if (this.#due.size === 0) return;
    this.#cancel ??= this.#core.clock.setTimeout(() => {
      this.#cancel = null;
      void this.#sendAll();
    }, gatherMs);
  }

  close(): void {
    this.#cancel?.();
  }

  async #sendAll(): Promise<void> {
    const due = [...this.#due];
    this.#due.clear();
    // What fails here is still owed in the vault, and is sent with the next receipt or at the next start.
    await Promise.all(
      due.map((conversationId) => this.#send(conversationId).catch(ensureAppError)),
    );
  }

  async #send(conversationId: ConversationId): Promise<void> {
    const { store, time } = this.#core;
    if (store.conversation(conversationId)?.state !== "active") return;
    const owing = store.owing(conversationId, time.now(), maxStatuses);
    if (owing.length === 0) return;
    const statuses: readonly PerMessageStatus[] = owing.map(({ messageId, owed }) => ({
      messageId,
      status: owed >= owedRead ? messageStatus.read : messageStatus.delivered,
    }));
    const changes = new Changes();
    for (const { messageId, owed } of owing) changes.write("message.told", messageId, owed);
    await enqueue(this.#core, changes, {
      conversationId,
      kind: "status",
      intent: { kind: "status", statuses },
      // When the last of these messages has ended, nobody needs the report.
      endsAtMs: Math.max(...owing.map(({ endsAtMs }) => endsAtMs)),
      burnSeconds: null,
      target: null,
    });
    await this.#core.commit(changes);
    if (owing.length === maxStatuses) this.owe([conversationId]);
  }
}
