import type { UserId } from "#protocol";
import type { StoredConversation } from "./rows.ts";
import { peopleOf, type Store } from "./store.ts";

/** Whether this person has asked to leave a conversation, on another of their computers: nothing goes out from here until that is carried out. */
export function isLeavingElsewhere(
  store: Store,
  { conversationId, state }: Pick<StoredConversation, "conversationId" | "state">,
  me: UserId,
): boolean {
  return state === "active" && store.leavers(conversationId).includes(me);
}

/** Those in a conversation whose key was verified and has changed: until somebody here decides, nothing that was written goes out. */
export function stoppedFor(
  { trusted }: Store,
  { members, peer }: Pick<StoredConversation, "members" | "peer">,
): readonly UserId[] {
  const pending = trusted.pending();
  if (pending.size === 0) return [];
  const people = peopleOf(members);
  const all = peer === null || people.includes(peer) ? people : [...people, peer];
  return all.filter((userId) => pending.has(userId));
}
