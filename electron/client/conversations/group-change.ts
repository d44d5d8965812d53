import {
  encodeRoomState,
  type ConversationId,
  type GroupChange,
  type GroupSummary,
  type UserId,
} from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { insertMessage } from "../core/insert-message.ts";
import { sealBody } from "../core/leaves.ts";
import { localEnd } from "../core/timers.ts";
import { endHistory } from "../linking/history-progress.ts";
import { encodeMembers, type ConversationState, type StoredConversation } from "../store/rows.ts";
import { peopleOf } from "../store/store.ts";
import { reconsiderBurns } from "./receipts.ts";
import { encodeLine, linesOfChange, type StoredLine } from "../views/system-line.ts";

/** The other person of a direct conversation, as far as its group tells. */
export function peerOf({ members, roomState }: GroupSummary, me: UserId): UserId | null {
  if (roomState.kind !== "direct") return null;
  const others = [...peopleOf(members), ...roomState.administrators].filter((id) => id !== me);
  return others[0] ?? null;
}

/** The columns of `conversations` that follow from the group. */
export function groupColumns(summary: GroupSummary, peer: UserId | null) {
  const { roomState, members, epoch, suite, epochAuthenticator } = summary;
  return [
    roomState.kind,
    peer,
    encodeRoomState(roomState),
    encodeMembers(members),
    epoch,
    suite,
    epochAuthenticator,
  ] as const;
}

/** Adds system lines, which end as the conversation's messages do. */
export async function addLines(
  core: Core,
  changes: Changes,
  conversation: Pick<StoredConversation, "conversationId" | "roomState" | "epoch">,
  lines: readonly StoredLine[],
): Promise<void> {
  const { conversationId, roomState, epoch } = conversation;
  const nowMs = core.time.now();
  const end = localEnd(nowMs, roomState.timers, core.policy);
  for (const line of lines) {
    const messageId = core.localId();
    const leaf = core.leaves.take(changes, end.endsAtMs);
    const sealed = await sealBody(core.worker, messageId, leaf, encodeLine(line));
    insertMessage(changes, {
      messageId,
      conversationId,
      order: core.nextOrder(conversationId),
      kind: "system",
      sender: line.by,
      own: line.by === core.self.userId,
      sentAtMs: nowMs,
      end,
      state: null,
      sequence: null,
      epoch,
      body: { leaf, sealed },
      replyTo: null,
      code: null,
      owed: 0,
    });
  }
}

/** Why people's devices went, where the directory says so. */
function excludedOf(
  { people }: Core,
  removed: GroupChange["removed"],
): ReadonlyMap<UserId, "suspended" | "revoked"> {
  const excluded = new Map<UserId, "suspended" | "revoked">();
  for (const { userId, deviceId } of removed) {
    const person = people.get(userId);
    if (person?.suspended === true) excluded.set(userId, "suspended");
    else if (person?.revoked.includes(deviceId) === true) excluded.set(userId, "revoked");
  }
  return excluded;
}

/** Takes a commit that the group has applied: its members and state, and a line for each thing that people should know. */
export async function takeGroupChange(
  core: Core,
  changes: Changes,
  conversation: StoredConversation,
  { change, summary }: { readonly change: GroupChange; readonly summary: GroupSummary },
): Promise<void> {
  const { conversationId, kind } = conversation;
  const peer = conversation.peer ?? peerOf(summary, core.self.userId);
  changes.write("conversation.setGroup", conversationId, ...groupColumns(summary, peer));
  changes.write("leaver.deleteAll", conversationId);
  const after = peopleOf(summary.members);
  const lines = linesOfChange(change, {
    before: new Set(peopleOf(conversation.members)),
    after: new Set(after),
    leavers: new Set([
      ...core.store.leavers(conversationId),
      ...(conversation.state === "leaving" ? [core.self.userId] : []),
    ]),
    excluded: excludedOf(core, change.removed),
    first: conversation.epoch === 0,
    suite: summary.suite === conversation.suite ? null : summary.suite,
  });
  await addLines(
    core,
    changes,
    { conversationId, roomState: change.after, epoch: summary.epoch },
    lines,
  );
  // What was said before they came isn't for them.
  for (const { deviceId } of change.added) {
    changes.write("join.put", conversationId, deviceId, summary.epoch);
  }
  if (change.removed.length > 0) {
    reconsiderBurns(core, changes, { conversationId, members: summary.members });
  }
  // Nobody is left to talk to.
  if (kind === "direct" && after.length === 1 && conversation.epoch > 0) {
    endConversation(core, changes, conversationId, "removed");
  }
  changes.touch(conversationId);
}

/**
 * Nothing is received or sent in a conversation any more; what was said stays until its end. One that its person has deleted is gone
 * now.
 */
export function endConversation(
  core: Core,
  changes: Changes,
  conversationId: ConversationId,
  state: Extract<ConversationState, "left" | "removed">,
): void {
  const leaving = core.store.conversation(conversationId)?.state === "leaving";
  if (leaving && core.store.conversation(conversationId)?.hidden === true) {
    forgetConversation(core, changes, conversationId);
    return;
  }
  changes.write("conversation.setState", conversationId, state);
  changes.write("piece.deleteAll", conversationId);
  changes.write("generation.deleteAll", conversationId);
  changes.write("intent.delete", conversationId);
  changes.write("leaver.deleteAll", conversationId);
  for (const messageId of core.store.waitingIn(conversationId)) {
    changes.write("message.setState", messageId, "failed", "conversation-over");
    changes.upsert(conversationId, messageId);
  }
  changes.write("outbox.failTexts", conversationId);
  changes.write("outbox.deleteOthers", conversationId);
  // Nobody can be asked any more.
  changes.write("gap.deleteAll", conversationId);
  changes.write("orphan.deleteAll", conversationId);
  changes.groups.add(conversationId);
  changes.touch(conversationId);
}

/**
 * As {@link endConversation}, on the word of the relay alone, which may lie or have lost something: nothing is deleted. What waits goes out when a member whom this
 * device knew there lets it come back.
 */
export function endUnsigned(
  core: Core,
  changes: Changes,
  { conversationId, state }: Pick<StoredConversation, "conversationId" | "state">,
): void {
  const ended = state === "leaving" ? "left" : "removed";
  changes.write("conversation.endUnsigned", conversationId, ended);
  for (const messageId of core.store.waitingIn(conversationId)) {
    changes.write("message.setState", messageId, "failed", "conversation-over");
    changes.upsert(conversationId, messageId);
  }
  changes.groups.add(conversationId);
  changes.touch(conversationId);
}

/** Comes back to a conversation, to a place in its log. */
export function comeBack(
  core: Core,
  changes: Changes,
  conversationId: ConversationId,
  sequence: number,
): void {
  changes.write("conversation.rejoin", conversationId, sequence);
  for (const messageId of core.store.heldIn(conversationId)) {
    changes.write("message.setState", messageId, "waiting", null);
    changes.upsert(conversationId, messageId);
  }
  changes.outboxes.add(conversationId);
  changes.asking.add(conversationId);
}

/** Removes everything that was said in a conversation, and what is still to be said but a farewell. */
export function deleteContent(core: Core, changes: Changes, conversationId: ConversationId): void {
  for (const messageId of core.store.messagesOf(conversationId)) {
    changes.remove(conversationId, messageId);
  }
  changes.write("receipt.deleteAll", conversationId);
  changes.write("reaction.deleteAll", conversationId);
  changes.write("outbox.deleteContent", conversationId);
  changes.write("gap.deleteAll", conversationId);
  changes.write("orphan.deleteAll", conversationId);
  changes.write("sent.emptyAll", conversationId);
  changes.write("message.deleteAll", conversationId);
  changes.write("conversation.deleteDraft", conversationId);
  endHistory(core, changes, [conversationId]);
  changes.touch(conversationId);
  changes.forgets = true;
}

/** Removes a conversation of which this device is no member any more, with everything in it. */
export function forgetConversation(
  core: Core,
  changes: Changes,
  conversationId: ConversationId,
): void {
  deleteContent(core, changes, conversationId);
  changes.write("outbox.deleteAll", conversationId);
  changes.write("intent.delete", conversationId);
  changes.write("leaver.deleteAll", conversationId);
  changes.write("piece.deleteAll", conversationId);
  changes.write("generation.deleteAll", conversationId);
  changes.write("sent.deleteAll", conversationId);
  changes.write("join.deleteAll", conversationId);
  changes.write("answer.deleteAll", conversationId);
  changes.write("conversation.delete", conversationId);
}
