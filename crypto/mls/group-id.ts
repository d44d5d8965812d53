import { AppError, idFromBytes, idToBytes, type ConversationId } from "#protocol";

/*
 * A conversation outlives its MLS group: a ReInit (RFC 9420 §11.2) leads to another group, with another id, whose epochs begin at 0
 * again. Relay, log and vault order by the conversation's epochs, which only grow; this is where the one is told from the other
 * (docs/adr/0027).
 */

const conversationBytes = 16;
const baseBytes = 8;
const freshBytes = 8;
const laterGroupBytes = conversationBytes + baseBytes + freshBytes;
/** No conversation comes this far, and every sum of epochs below it is exact. */
const maxBaseEpoch = 2 ** 48;

/** What a group's id says. */
export interface GroupPlace {
  readonly conversationId: ConversationId;
  /** The conversation's epoch at the group's own epoch 0. */
  readonly baseEpoch: number;
}

/** The id of a conversation's first group: its own. */
export function firstGroupId(conversationId: ConversationId): Uint8Array {
  return idToBytes(conversationId);
}

/**
 * The id of the group that a ReInit leads to: the conversation's, the epoch that the ReInit ends (8 bytes, big-endian) and 8 random
 * bytes, since an epoch can be opened again (docs/adr/0022) and be ended by another ReInit.
 */
export function laterGroupId(
  { conversationId, baseEpoch }: GroupPlace,
  { randomBytes }: { readonly randomBytes: (sizeBytes: number) => Uint8Array },
): Uint8Array {
  const groupId = new Uint8Array(laterGroupBytes);
  groupId.set(idToBytes(conversationId));
  new DataView(groupId.buffer).setBigUint64(conversationBytes, BigInt(baseEpoch));
  groupId.set(randomBytes(freshBytes), conversationBytes + baseBytes);
  return groupId;
}

/**
 * Which conversation a group is of, and which of its epochs the group began in.
 *
 * @throws AppError `frame-malformed` for an id that is none of ours
 */
export function placeOfGroup(groupId: Uint8Array): GroupPlace {
  const conversationId = (): ConversationId =>
    idFromBytes<ConversationId>(groupId.subarray(0, conversationBytes));
  if (groupId.length === conversationBytes) {
    return { conversationId: conversationId(), baseEpoch: 0 };
  }
  const view = new DataView(groupId.buffer, groupId.byteOffset, groupId.byteLength);
  const base = groupId.length === laterGroupBytes ? view.getBigUint64(conversationBytes) : null;
  if (base === null || base > BigInt(maxBaseEpoch)) {
    throw new AppError("frame-malformed", { data: { reason: "not a conversation's group" } });
  }
  return { conversationId: conversationId(), baseEpoch: Number(base) };
}

/**
 * The conversation's epoch that a group context or a message names.
 *
 * @throws AppError `frame-malformed` for a group that is none of ours
 */
export function conversationEpoch({
  groupId,
  epoch,
}: {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
}): number {
  return placeOfGroup(groupId).baseEpoch + Number(epoch);
}
