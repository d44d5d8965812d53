import { toHex, type CommitPlace, type ConversationId } from "#protocol";

/** A commit that this device refused, and how often the very same. */
export interface RefusedCommit {
  readonly place: CommitPlace;
  readonly times: number;
}

/** Remembers which commit a conversation stands before. */
export class RefusedCommits {
  readonly #refused = new Map<ConversationId, RefusedCommit>();

  get(conversationId: ConversationId): RefusedCommit | undefined {
    return this.#refused.get(conversationId);
  }

  note(place: CommitPlace): void {
    const { conversationId, sequence, commitHash } = place;
    const known = this.#refused.get(conversationId);
    const same =
      known?.place.sequence === sequence && toHex(known.place.commitHash) === toHex(commitHash);
    this.#refused.set(conversationId, { place, times: same ? known.times + 1 : 1 });
  }

  forget(conversationId: ConversationId): void {
    this.#refused.delete(conversationId);
  }
}
