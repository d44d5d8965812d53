import type { TrustedPerson, UserId } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { addLines } from "../conversations/group-change.ts";
import type { StoredConversation } from "../store/rows.ts";
import { isLive } from "../store/store.ts";
import type { StoredLine } from "../views/system-line.ts";

/** Whether a person hears what is said in a conversation. */
function isIn({ members, peer }: StoredConversation, userId: UserId): boolean {
  return peer === userId || members.some((member) => member.userId === userId);
}

/** The conversations that this person shares with another. */
export function sharedWith(core: Core, userId: UserId): readonly StoredConversation[] {
  return core.store
    .conversations()
    .filter(({ state }) => isLive(state) && state !== "creating")
    .filter((conversation) => isIn(conversation, userId));
}

/** Lets lines about a person stand in every conversation with them. */
export async function noteInShared(
  core: Core,
  changes: Changes,
  userId: UserId,
  lines: readonly StoredLine[],
): Promise<void> {
  if (lines.length === 0) return;
  for (const conversation of sharedWith(core, userId)) {
    await addLines(core, changes, conversation, lines);
  }
}

/** What others should know of a person's devices. One that the relay no longer tells of has not gone: only its person can take it away. */
export function deviceLines(
  before: TrustedPerson,
  after: TrustedPerson,
): readonly Extract<StoredLine, { readonly kind: "device-added" | "device-removed" }>[] {
  const by = after.user.userId;
  const known = new Set(before.devices.map(({ deviceId }) => deviceId));
  const added = after.devices.filter(({ deviceId }) => !known.has(deviceId));
  const gone = before.devices.filter(({ deviceId }) => after.revoked.includes(deviceId));
  return [
    ...added.map(({ deviceName }) => ({ kind: "device-added", by, deviceName }) as const),
    ...gone.map(({ deviceName }) => ({ kind: "device-removed", by, deviceName }) as const),
  ];
}
