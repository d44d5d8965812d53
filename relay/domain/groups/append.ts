import {
  type ConversationId,
  type DeviceId,
  type GroupEntry,
  type Ordered,
  type ParsedRelayParams,
} from "#protocol";
import type { Transaction } from "../../storage/transaction.ts";
import {
  answerRetentionMs,
  groupScope,
  schedule,
  storeNote,
  type DeviceCaller,
  type RelayContext,
} from "../context.ts";
import {
  entryBytesSlot,
  entrySlot,
  groupHeadSlot,
  messageAnswerSlot,
  type GroupHead,
} from "../layout.ts";
import { loadNetwork, policyOf } from "../network.ts";
import { checkPartSizes } from "../pages.ts";
import { openGroupAsMember } from "./access.ts";
import { announceEntry } from "./deliver.ts";
import { isVoid, loadVoids } from "./undecided.ts";

/**
 * Appends an application message at the log's epoch. A message id that this device had accepted before gets its first answer, even when
 * the bytes differ: a client that never saw the answer may have sealed the message anew.
 */
export function appendMessage(
  context: RelayContext,
  params: ParsedRelayParams<"group.append">,
  { deviceId }: DeviceCaller,
): Promise<Ordered> {
  const { conversationId, epoch, messageId, bytes } = params;
  return context.units.run(groupScope(conversationId), async (transaction) => {
    checkPartSizes(bytes);
    const { head } = await openGroupAsMember(transaction, conversationId, deviceId);
    const answerSlot = messageAnswerSlot(conversationId, deviceId, messageId);
    const earlier = await transaction.load(answerSlot);
    // What stood on a void commit was never said, in the others' eyes.
    const counts =
      earlier !== undefined &&
      !isVoid(await loadVoids(transaction, conversationId), earlier.sequence);
    if (counts) return accepted(earlier);
    if (epoch !== head.epoch) return stale(head);

    const nowMs = context.clock.nowMs();
    const entry = {
      kind: "application",
      epoch,
      sender: deviceId,
      receivedAtMs: nowMs,
      expiresAtMs: await boundExpiry(context, params.expiresAtMs, nowMs),
    } as const;
    const sequence = head.headSequence + 1;
    transaction.store(groupHeadSlot(conversationId), { ...head, headSequence: sequence });
    const answer = { sequence, receivedAtMs: nowMs };
    storeNote(context, transaction, {
      slot: answerSlot,
      value: answer,
      retentionMs: answerRetentionMs,
    });
    // A message whose end has come already takes its place in the order, and nothing of it is kept.
    if (entry.expiresAtMs !== null && entry.expiresAtMs <= nowMs) {
      announceEntry(context, transaction, { conversationId, entry: { kind: "dropped", sequence } });
      return accepted(answer);
    }
    storeEntry(context, transaction, { conversationId, entry: { ...entry, sequence, bytes } });
    return accepted(answer);
  });
}

/** Puts an entry at its place in the log, and tells the members. */
export function storeEntry(
  context: RelayContext,
  transaction: Transaction,
  place: {
    readonly conversationId: ConversationId;
    readonly entry: Extract<GroupEntry, { readonly kind: "application" | "commit" }>;
    /** Devices for which it is the last entry. */
    readonly leave?: readonly DeviceId[];
  },
): void {
  const { conversationId, entry } = place;
  const { sequence, bytes, ...stored } = entry;
  const expiresAtMs = stored.kind === "application" ? stored.expiresAtMs : null;
  transaction.store(entrySlot(conversationId, sequence), { ...stored, expiresAtMs });
  transaction.store(entryBytesSlot(conversationId, sequence), bytes);
  if (expiresAtMs !== null) {
    schedule(context, transaction, {
      atMs: expiresAtMs,
      subject: dueSubject(conversationId, sequence),
      due: { kind: "entry", conversationId, sequence },
    });
  }
  announceEntry(context, transaction, place);
}

/** Under what an entry's end is scheduled. */
export const dueSubject = (conversationId: ConversationId, sequence: number): string =>
  `entry.${conversationId}.${String(sequence)}`;

/** The answer of an accepted commit or message. */
export function accepted(answer: {
  readonly sequence: number;
  readonly receivedAtMs: number;
}): Ordered {
  return { kind: "accepted", sequence: answer.sequence, receivedAtMs: answer.receivedAtMs };
}

/** The answer of one that was made for another epoch. */
export function stale({ epoch, headSequence }: GroupHead): Ordered {
  return { kind: "stale", epoch, headSequence };
}

/** No ciphertext stays longer than the network's policy lets a message live, whatever its sender says. */
async function boundExpiry(
  context: RelayContext,
  expiresAtMs: number | null,
  nowMs: number,
): Promise<number | null> {
  if (expiresAtMs === null) return null;
  const { maxExpirationSeconds } = policyOf(await loadNetwork(context));
  return Math.min(expiresAtMs, nowMs + maxExpirationSeconds * 1000);
}
