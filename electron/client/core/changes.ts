import type { ConversationId, Deadline, GroupWrites, MessageId, OwnAccountNotice } from "#protocol";
import type { SqlValue, Statement } from "../../vault/index.ts";
import type { StatementName } from "../sql/statements.ts";
import { statement } from "../store/statement.ts";
import type { Notice } from "../types.ts";

/** What of a conversation the interface must hear of. */
export interface ConversationEffects {
  readonly upserted: Set<MessageId>;
  readonly removed: Set<MessageId>;
  /** Name, members, timers, rights, or anything else of the conversation itself. */
  whole: boolean;
}

/**
 * One vault transaction in the making, and what follows from it once it is on disk: deadlines for the sweeps, news for the
 * interface, notices. Nothing of it happens when the transaction fails.
 */
export class Changes {
  readonly statements: Statement[] = [];
  readonly deadlines: Deadline[] = [];
  readonly cancelled: MessageId[] = [];
  readonly notices: Notice[] = [];
  readonly conversations = new Map<ConversationId, ConversationEffects>();
  /** Conversations whose state in the worker has moved and must go back if this fails. */
  readonly groups = new Set<ConversationId>();
  /** Conversations whose outbox has something new. */
  readonly outboxes = new Set<ConversationId>();
  /** Conversations in which receipts are owed. */
  readonly owing = new Set<ConversationId>();
  /** Conversations in which something is to be asked for, or has come that others waited for. */
  readonly asking = new Set<ConversationId>();
  /** What the person should read about their account: see `account/notices.ts`. */
  readonly news: OwnAccountNotice[] = [];
  /** Ended content is to leave the vault's files. */
  forgets = false;

  write(name: StatementName, ...params: readonly SqlValue[]): void {
    this.statements.push(statement(name, ...params));
  }

  /** Sealed group state from the worker. */
  writeGroup({ conversationId, pieces }: GroupWrites): void {
    this.groups.add(conversationId);
    for (const { name, sealed } of pieces) {
      if (sealed === null) this.write("piece.delete", conversationId, name);
      else this.write("piece.put", conversationId, name, sealed);
    }
  }

  upsert(conversationId: ConversationId, messageId: MessageId): void {
    this.#of(conversationId).upserted.add(messageId);
  }

  remove(conversationId: ConversationId, messageId: MessageId): void {
    this.hide(conversationId, messageId);
    this.cancelled.push(messageId);
    this.forgets = true;
  }

  /** Takes a message off the screen; it is still there. */
  hide(conversationId: ConversationId, messageId: MessageId): void {
    this.#of(conversationId).removed.add(messageId);
  }

  /** The list's row of a conversation; with `whole`, everything about it. */
  touch(conversationId: ConversationId, whole = true): void {
    const effects = this.#of(conversationId);
    effects.whole ||= whole;
  }

  #of(conversationId: ConversationId): ConversationEffects {
    const known = this.conversations.get(conversationId);
    if (known !== undefined) return known;
    const effects = { upserted: new Set<MessageId>(), removed: new Set<MessageId>(), whole: false };
    this.conversations.set(conversationId, effects);
    return effects;
  }
}
