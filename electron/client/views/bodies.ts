import { decodeUtf8, encodeUtf8, type CryptoWorker, type KeyLeaf, type MessageId } from "#protocol";
import { bodyItem } from "../core/leaves.ts";

/** A sealed body and what its key comes from. */
export interface SealedBody {
  readonly messageId: MessageId;
  readonly leaf: KeyLeaf;
  readonly sealed: Uint8Array;
}

/** Text as the bytes of a body. */
export const textBytes = encodeUtf8;

/** Opens bodies in one call. @returns plain bodies by message id; what can't be opened is missing */
export async function openBodies(
  worker: CryptoWorker,
  items: readonly SealedBody[],
): Promise<ReadonlyMap<MessageId, Uint8Array>> {
  if (items.length === 0) return new Map();
  const { plains } = await worker.call("body.open", {
    items: items.map(({ messageId, leaf, sealed }) => ({ ...bodyItem(messageId, leaf), sealed })),
  });
  const opened = new Map<MessageId, Uint8Array>();
  items.forEach(({ messageId }, index) => {
    const plain = plains[index];
    if (plain !== null && plain !== undefined) opened.set(messageId, plain);
  });
  return opened;
}

/** The text of an opened body. */
export function textOf(
  opened: ReadonlyMap<MessageId, Uint8Array>,
  messageId: MessageId,
): string | null {
  const plain = opened.get(messageId);
  return plain === undefined ? null : decodeUtf8(plain);
}
