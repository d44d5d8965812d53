import { encodeCbor } from "./cbor.ts";
import type { ConversationId } from "./ids.ts";

/** The purpose label under which a device signs that it can't take a commit (see `signingInput`). */
export const rejectionLabel = "RejectCommit";

/** A commit at its place in a conversation's log. */
export interface CommitPlace {
  readonly conversationId: ConversationId;
  /** The epoch that the commit would end. */
  readonly epoch: number;
  readonly sequence: number;
  /** SHA-256 of the commit's bytes, 32 bytes. */
  readonly commitHash: Uint8Array;
}

/** What a device signs to say so, under {@link rejectionLabel}. */
export function rejectionPayload(place: CommitPlace): Uint8Array {
  const { conversationId, epoch, sequence, commitHash } = place;
  return encodeCbor([conversationId, epoch, sequence, commitHash]);
}
