import type { ConversationId, MessageId } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { readFact } from "../store/facts.ts";

/** Until when messages may come from the device that linked this one, milliseconds; null: none do. */
function historyUntil({ vault, clock }: Core): number | null {
  const channel = readFact(vault, "linkChannels")?.find(({ role }) => role === "joiner");
  return channel !== undefined && channel.expiresAtMs > clock.now() ? channel.expiresAtMs : null;
}

/** Whether messages of a conversation are still to come from the device that linked this one. */
export function isHistoryComing(core: Core, conversationId: ConversationId): boolean {
  if (historyUntil(core) === null) return false;
  const progress = readFact(core.vault, "historyProgress");
  // What comes over hasn't been said yet: it may be any.
  if (progress === undefined) return true;
  const listed = progress.listed.find((one) => one.conversationId === conversationId);
  return listed !== undefined && listed.beforeOrder !== null;
}

/** What is deleted here, messages or all of a conversation, doesn't come back with a page that has it still. */
export function endHistory(
  core: Core,
  changes: Changes,
  ids: readonly (MessageId | ConversationId)[],
): void {
  if (ids.length === 0) return;
  const untilMs = historyUntil(core);
  if (untilMs === null) return;
  for (const id of ids) changes.write("history.end", id, untilMs);
}
