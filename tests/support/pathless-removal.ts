import type { ClientState } from "ts-mls";
import { createConfirmationTag, createContentCommitSignature } from "ts-mls/framedContent.js";
import { protect } from "ts-mls/messageProtection.js";
import type { ConversationId, DeviceId } from "#protocol";
import { encodePrivateMessage } from "../../crypto/mls/codec.ts";
import { leavesOf } from "../../crypto/mls/room.ts";
import type { MlsDevice } from "./mls-device.ts";
import { afterCommit } from "./seat.ts";

/**
 * A removal as it must never be made: without the path that RFC 9420 §12.4 asks for, so that who goes can derive the next epoch. The member who makes it is in
 * that epoch afterwards; other members refuse it.
 */
export async function unsafeRemoveWithoutPath(
  member: MlsDevice,
  id: ConversationId,
  deviceId: DeviceId,
): Promise<Uint8Array> {
  const memory = member.memory(id);
  const { impl, state } = memory;
  const { privatePath, signaturePrivateKey, groupContext, keySchedule } = state;
  const leaves = [...leavesOf(state.ratchetTree).values()];
  const removed = leaves.find((leaf) => leaf.deviceId === deviceId)!.leafIndex;
  const proposal = { proposalType: "remove", remove: { removed } } as const;
  const { framedContent, signature } = await createContentCommitSignature(
    groupContext,
    "mls_private_message",
    { proposals: [{ proposalOrRefType: "proposal", proposal }], path: undefined },
    { senderType: "member", leafIndex: privatePath.leafIndex },
    new Uint8Array(0),
    signaturePrivateKey,
    impl.signature,
  );
  const authOf = (confirmationTag: Uint8Array) =>
    ({ contentType: "commit", signature, confirmationTag }) as const;
  const derived = await afterCommit(impl, state, {
    wireformat: "mls_private_message",
    content: framedContent,
    auth: authOf(new Uint8Array(0)),
  });
  const next: ClientState = await derived.with(new Uint8Array(impl.kdf.size));
  const confirmationTag = await createConfirmationTag(
    next.keySchedule.confirmationKey,
    next.groupContext.confirmedTranscriptHash,
    impl.hash,
  );
  const { privateMessage } = await protect(
    keySchedule.senderDataSecret,
    new Uint8Array(0),
    groupContext,
    state.secretTree,
    { ...framedContent, auth: authOf(confirmationTag) },
    privatePath.leafIndex,
    state.clientConfig.paddingConfig,
    impl,
  );
  member.keep(id, { ...memory, state: { ...next, confirmationTag } });
  return encodePrivateMessage(privateMessage);
}
