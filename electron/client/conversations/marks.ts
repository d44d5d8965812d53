import { encodeCbor, equalBytes, type ConversationId, type UserId } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { digestOf } from "../core/digest.ts";
import type { StoredConversation } from "../store/rows.ts";
import { addLines } from "./group-change.ts";

const markLabel = "Sotto epoch mark";

/** What others have shown of an epoch. */
interface Seen {
  readonly epoch: number;
  /** Somebody else's mark was this device's, or wasn't. */
  agreed: boolean;
  differed: boolean;
}

/**
 * Marks of epochs: a hash of an epoch's authenticator and of the place in the log where it began. Each commit and each message carries its
 * sender's, signed; where two differ, the relay has shown two people different logs, or a group has split. Source: mls.md rule 4.
 */
export class Marks {
  readonly #core: Core;
  readonly #made = new Map<ConversationId, { readonly key: string; readonly mark: Uint8Array }>();
  readonly #seen = new Map<ConversationId, Seen>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** This device's mark of the present epoch, 32 bytes; empty when it isn't known where the epoch began. */
  async of(conversation: StoredConversation): Promise<Uint8Array> {
    const { conversationId, authenticator, epochStart } = conversation;
    if (epochStart === null) return new Uint8Array();
    const key = `${authenticator}.${String(epochStart)}`;
    const made = this.#made.get(conversationId);
    if (made?.key === key) return made.mark;
    const mark = await digestOf(encodeCbor([markLabel, authenticator, epochStart]));
    this.#made.set(conversationId, { key, mark });
    return mark;
  }

  /** Holds what somebody's commit or message of the present epoch carries against this device's mark. */
  async hold(
    changes: Changes,
    conversation: StoredConversation,
    theirs: { readonly sender: UserId | null; readonly data: Uint8Array | undefined },
  ): Promise<void> {
    const { data = new Uint8Array(), sender } = theirs;
    const own = await this.of(conversation);
    if (own.length === 0 || data.length === 0) return;
    const seen = this.#seenOf(conversation);
    if (!equalBytes(own, data)) {
      seen.differed = true;
      await this.#doubt(changes, conversation);
      return;
    }
    if (sender === null || sender === this.#core.self.userId) return;
    seen.agreed = true;
    if (seen.differed || !conversation.doubtful) return;
    changes.write("conversation.setDoubtful", conversation.conversationId, 0);
    changes.touch(conversation.conversationId);
  }

  /** Whether others doubt this device's view of the present epoch, and nobody shares it. */
  isAlone(conversation: StoredConversation): boolean {
    const { agreed, differed } = this.#seenOf(conversation);
    return conversation.doubtful && differed && !agreed;
  }

  #seenOf({ conversationId, epoch }: StoredConversation): Seen {
    const known = this.#seen.get(conversationId);
    if (known?.epoch === epoch) return known;
    const seen = { epoch, agreed: false, differed: false };
    this.#seen.set(conversationId, seen);
    return seen;
  }

  async #doubt(changes: Changes, conversation: StoredConversation): Promise<void> {
    if (conversation.doubtful) return;
    changes.write("conversation.setDoubtful", conversation.conversationId, 1);
    changes.touch(conversation.conversationId);
    const by = this.#core.self.userId;
    await addLines(this.#core, changes, conversation, [{ kind: "forked", by }]);
  }
}
