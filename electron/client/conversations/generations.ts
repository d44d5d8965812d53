import type { GroupMember } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredConversation } from "../store/rows.ts";
import { noteJumped } from "./gaps.ts";

/** Where an opened message stands among its sender's of this epoch. Source: RFC 9420 §9. */
export interface Place {
  readonly sender: GroupMember;
  readonly generation: number;
  readonly epoch: number;
}

/**
 * Keeps how far a sender's generations have come, and has those asked for that were jumped over: messages that never came. Entries that
 * the relay has dropped account for as many, and so do those that couldn't be opened: they are told of, or asked for, already.
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
  const first = generation - jumped;
  const keys = Array.from({ length: jumped }, (_, index) => {
    return { deviceId, epoch, number: first + index };
  });
  await noteJumped(core, changes, conversation, { keys, explained });
}
