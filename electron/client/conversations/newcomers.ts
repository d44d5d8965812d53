import type { GroupSummary } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredConversation } from "../store/rows.ts";

/** Keeps who came while this device couldn't follow: what it said before isn't for them, when they ask for it (docs/adr/0023). */
export function noteNewcomers(
  changes: Changes,
  before: Pick<StoredConversation, "members">,
  { conversationId, members, epoch }: GroupSummary,
): void {
  const known = new Set(before.members.map(({ deviceId }) => deviceId));
  for (const { deviceId } of members) {
    if (!known.has(deviceId)) changes.write("join.put", conversationId, deviceId, epoch);
  }
}

/**
 * The first epoch that everybody was there for who is in a conversation now, as far as this device knows. What it said before isn't for all of them.
 */
export function sharedSince(
  core: Core,
  { conversationId, members }: Pick<StoredConversation, "conversationId" | "members">,
): number {
  const others = new Set(members.map(({ deviceId }) => deviceId));
  others.delete(core.self.deviceId);
  return core.store.missing.lastJoin(conversationId, others);
}
