import { AppError, type ConversationId, type DeviceId } from "#protocol";
import type { Reader } from "../../storage/transaction.ts";
import { groupHeadSlot, membershipSlot, type GroupHead, type Membership } from "../layout.ts";

/** A conversation as one device may see it. */
export interface GroupAccess {
  readonly head: GroupHead;
  readonly membership: Membership;
  /** The last sequence and the epoch this device may know of: the log's, or those of its removal. */
  readonly headSequence: number;
  readonly epoch: number;
}

/**
 * What `deviceId` may see of a conversation. A removed device sees the log up to the commit that removed it, until it has
 * acknowledged it.
 *
 * @throws AppError `not-found`, `not-allowed`
 */
export async function openGroup(
  reader: Reader,
  conversationId: ConversationId,
  deviceId: DeviceId,
): Promise<GroupAccess> {
  const [[head], [membership]] = [
    await reader.loadAll([groupHeadSlot(conversationId)]),
    await reader.loadAll([membershipSlot(deviceId, conversationId)]),
  ];
  if (head === undefined) throw new AppError("not-found", { data: { what: "conversation" } });
  if (membership === undefined) throw new AppError("not-allowed");
  const { removed } = membership;
  return {
    head,
    membership,
    headSequence: removed?.sequence ?? head.headSequence,
    epoch: removed?.epoch ?? head.epoch,
  };
}

/**
 * As {@link openGroup}, for what only a member may do.
 *
 * @throws AppError `not-found`, `not-allowed`
 */
export async function openGroupAsMember(
  reader: Reader,
  conversationId: ConversationId,
  deviceId: DeviceId,
): Promise<GroupAccess> {
  const access = await openGroup(reader, conversationId, deviceId);
  if (access.membership.removed !== null) throw new AppError("not-allowed");
  return access;
}
