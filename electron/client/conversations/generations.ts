import type { GroupMember } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredConversation } from "../store/rows.ts";
import { noteUnopenable } from "./unopenable.ts";

/** Where an opened message stands among its sender's of this epoch. Source: RFC 9420 §9. */
export interface Place {
  readonly sender: GroupMember;
  readonly generation: number;
  readonly epoch: number;
}

/**
 * Keeps how far a sender's generations have come, and tells of those that were jumped over: messages that never came. Entries that
 * the relay has dropped, at their end or because they were recalled, account for as many, and so do those that were told of before.
 */
export async function noteGeneration(
  core: Core,
  changes: Changes,
  conversation: StoredConversation,
  { sender: { deviceId }, generation, epoch }: Place,
): Promise<void> {
  const { conversationId, lost } = conversation;
  const jumped = generation - core.store.nextGeneration(conversationId, deviceId, epoch);
  changes.write("generation.put", conversationId, deviceId, epoch, generation + 1);
  if (jumped <= 0) return;
  const explained = Math.min(jumped, lost);
  if (explained > 0) changes.write("conversation.addLost", conversationId, -explained);
  if (jumped === explained) return;
  await noteUnopenable(core, changes, conversation, {
    sender: null,
    sequence: null,
    code: "message-unopenable",
    raw: null,
    count: jumped - explained,
  });
}
