import type { ConversationId, DecodedMessage, MessageId } from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { sealBody } from "../core/leaves.ts";
import { incomingEnd } from "../core/timers.ts";
import { isHistoryComing } from "../linking/history-progress.ts";
import { openBodies } from "../views/bodies.ts";
import { takeContent, type Taking } from "./content.ts";

/** Most of a conversation that wait for messages that are missing. The oldest go first. */
const maxOrphans = 200;

/** Whether messages of a conversation are asked for, or come over from the device that linked this one. */
function isMissing(core: Core, conversationId: ConversationId): boolean {
  return core.store.missing.gapCount(conversationId) > 0 || isHistoryComing(core, conversationId);
}

/**
 * Keeps what changes a message that isn't here, while something is missing that may be it. At other times the message has ended or was
 * deleted, and nothing of it is kept.
 */
export async function stashOrphan(
  { core, changes, conversation, arrival }: Taking,
  { messageId, ...claimed }: Pick<DecodedMessage, "messageId" | "expiresAtMs" | "burnSeconds">,
  awaits: MessageId,
): Promise<void> {
  const { conversationId, roomState } = conversation;
  // It waited once, and for something else.
  if (arrival.deviceId === null) return;
  if (!changes.asking.has(conversationId) && !isMissing(core, conversationId)) return;
  const { sender, sequence, epoch, sentAtMs, content } = arrival;
  const { endsAtMs } = incomingEnd(sentAtMs, claimed, roomState.timers, core.policy);
  const leaf = core.leaves.take(changes, endsAtMs);
  const sealed = await sealBody(core.worker, messageId, leaf, content);
  const place = [awaits, sender, sequence, epoch, sentAtMs, endsAtMs] as const;
  changes.write("orphan.put", messageId, conversationId, ...place, sealed, leaf.hour, leaf.leaf);
  changes.write("orphan.trim", conversationId, maxOrphans);
  changes.deadlines.push({ messageId, deadlineMs: endsAtMs });
}

/** Applies what waited for messages that have come. When nothing is missing any more, the rest waits for nothing. */
export async function adoptOrphans(core: Core, conversationId: ConversationId): Promise<void> {
  const conversation = core.store.conversation(conversationId);
  if (conversation === undefined) return;
  const { missing } = core.store;
  for (const { messageId, leaf, content, ...place } of missing.adoptable(conversationId)) {
    const changes = new Changes();
    const opened = await openBodies(core.worker, [{ messageId, leaf, sealed: content }]);
    const plain = opened.get(messageId);
    if (plain !== undefined) {
      const arrival = { ...place, deviceId: null, content: plain, order: null };
      await takeContent({ core, changes, conversation, arrival });
    }
    changes.write("orphan.delete", messageId);
    await core.commit(changes);
  }
  if (isMissing(core, conversationId) || !missing.hasOrphans(conversationId)) return;
  const changes = new Changes();
  changes.write("orphan.deleteAll", conversationId);
  await core.commit(changes);
}
