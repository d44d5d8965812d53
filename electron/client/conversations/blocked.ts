import type { BlockingCode, ConversationId } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredConversation } from "../store/rows.ts";
import { noteUnopenable } from "./unopenable.ts";

/**
 * Notes that a log can't be read on, and says so in the conversation, in one line for as long as it lasts. That nobody vouches says more than
 * what was to be mended.
 */
export async function noteBlocked(
  core: Core,
  changes: Changes,
  conversation: StoredConversation,
  code: BlockingCode,
): Promise<void> {
  const { conversationId, cursor, blocked } = conversation;
  if (blocked === "members-unvouched" && code !== blocked) return;
  const line = blocked === null ? undefined : core.store.mendings.blockedLine(conversationId);
  if (line?.code === code && blocked === code) return;
  changes.write("conversation.setBlocked", conversationId, code);
  changes.touch(conversationId);
  if (line !== undefined) {
    changes.write("message.addMissing", line.lineId, 0, code);
    changes.upsert(conversationId, line.lineId);
    return;
  }
  const sequence = cursor + 1;
  await noteUnopenable(core, changes, conversation, { sender: null, sequence, code, raw: null });
}

/** The log can be read on, or there is nothing to be read any more: what said otherwise goes. */
export function forgetBlocked(core: Core, changes: Changes, conversationId: ConversationId): void {
  changes.write("conversation.setBlocked", conversationId, null);
  forgetStuckLine(core, changes, conversationId);
  changes.touch(conversationId);
}

/** The line that said that a log can't be read on goes, if it stands for nothing else. */
export function forgetStuckLine(
  core: Core,
  changes: Changes,
  conversationId: ConversationId,
): void {
  const lineId = core.store.mendings.stuckLine(conversationId);
  if (lineId === undefined) return;
  changes.write("message.delete", lineId);
  changes.write("conversation.countUnopenable", conversationId, -1);
  changes.remove(conversationId, lineId);
}
