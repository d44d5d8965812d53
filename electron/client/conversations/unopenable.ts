import { isBlockingCode, type ErrorCode, type MessageId, type UserId } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { insertMessage, type SealedUnder } from "../core/insert-message.ts";
import { sealBody } from "../core/leaves.ts";
import { localEnd } from "../core/timers.ts";
import { nobody, type StoredConversation } from "../store/rows.ts";

/** Something that should be read and can't be. */
export interface Unopenable {
  /** Who MLS says it is of; null when only the relay names somebody, which counts for nothing. */
  readonly sender: UserId | null;
  /** Its place in the log; null for what never came. */
  readonly sequence: number | null;
  readonly code: ErrorCode;
  /** The content, when it could be decrypted: a later version may understand it. */
  readonly raw: Uint8Array | null;
  /** How many arrivals it stands for. */
  readonly count?: number;
}

/**
 * Lets something that can't be shown stand in the conversation, and counts it. What is of nobody known is one line, not many.
 *
 * @returns the line that stands for it
 */
export async function noteUnopenable(
  core: Core,
  changes: Changes,
  conversation: StoredConversation,
  unopenable: Unopenable,
): Promise<MessageId> {
  const { conversationId } = conversation;
  const { sender, code, count = 1 } = unopenable;
  changes.write("conversation.countUnopenable", conversationId, count);
  changes.touch(conversationId);
  const last = core.store.newest(conversation, core.time.now());
  const merges =
    sender === null &&
    last?.kind === "unopenable" &&
    last.sender === nobody &&
    isBlockingCode(last.code) === isBlockingCode(code);
  if (merges) {
    changes.write("message.addMissing", last.messageId, count, code);
    changes.upsert(conversationId, last.messageId);
    return last.messageId;
  }
  return insertLine(core, changes, conversation, { ...unopenable, count });
}

async function insertLine(
  core: Core,
  changes: Changes,
  { conversationId, roomState, epoch }: StoredConversation,
  { sender, sequence, code, raw, count }: Required<Unopenable>,
): Promise<MessageId> {
  const messageId = core.localId();
  const nowMs = core.time.now();
  const end = localEnd(nowMs, roomState.timers, core.policy);
  let body: SealedUnder | null = null;
  if (raw !== null) {
    const leaf = core.leaves.take(changes, end.endsAtMs);
    body = { leaf, sealed: await sealBody(core.worker, messageId, leaf, raw) };
  }
  insertMessage(changes, {
    messageId,
    conversationId,
    order: core.nextOrder(conversationId),
    kind: "unopenable",
    sender: sender ?? nobody,
    own: sender === core.self.userId,
    sentAtMs: nowMs,
    end,
    state: null,
    sequence,
    epoch,
    body,
    replyTo: null,
    code,
    owed: 0,
  });
  if (count > 1) changes.write("message.addMissing", messageId, count - 1, code);
  return messageId;
}
