import type { ConversationId, GroupMember, SuiteName, UserId } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { digestOf } from "../core/digest.ts";
import { encodeMembers } from "../store/rows.ts";

/** A commit that was just taken. */
interface TakenCommit {
  readonly conversationId: ConversationId;
  /** The epoch that it ended. */
  readonly epoch: number;
  readonly sequence: number;
  /** null for one that this device came in by. */
  readonly bytes: Uint8Array | null;
  readonly committer: UserId;
  /** What it was for, when it is this device's. */
  readonly intent?: Uint8Array | null;
  /** Who was in the conversation before it, and the suite that it had. Left out: that isn't known. */
  readonly membersBefore?: readonly GroupMember[] | undefined;
  readonly suiteBefore?: SuiteName;
}

/** Keeps that a commit was taken, for as long as it can be found void. */
export async function noteFresh(changes: Changes, commit: TakenCommit): Promise<void> {
  const {
    conversationId,
    epoch,
    sequence,
    bytes,
    committer,
    intent = null,
    membersBefore,
    suiteBefore = null,
  } = commit;
  const hash = bytes === null ? null : await digestOf(bytes);
  const columns = [sequence, epoch, hash, committer, intent] as const;
  const before = membersBefore === undefined ? null : encodeMembers(membersBefore);
  changes.write("freshCommit.put", conversationId, ...columns, before, suiteBefore);
}

/** Something of the present epoch has come: what led here stands, but for what whoever it is of has committed alone. */
export function noteFollowed(
  core: Core,
  changes: Changes,
  { conversationId, by }: { readonly conversationId: ConversationId; readonly by: GroupMember },
): void {
  if (by.userId === core.self.userId) return;
  const fresh = core.store.mendings.freshCommits(conversationId);
  if (fresh.every(({ committer }) => committer === by.userId)) return;
  changes.write("freshCommit.deleteFollowed", conversationId, by.userId);
}
