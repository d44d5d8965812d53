import type { DeviceId, SealedAgain } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredConversation } from "../store/rows.ts";

/**
 * The key that a request brings, to which is sealed what not everybody may read who is there now (docs/adr/0023): one for all that is missing in a
 * conversation, until nothing is.
 */
export async function answerKeyFor(
  core: Core,
  changes: Changes,
  { conversationId, suite }: StoredConversation,
): Promise<Uint8Array> {
  const known = core.store.missing.answerKey(conversationId);
  if (known?.suite === suite) return known.publicKey;
  const made = await core.worker.call("missing.makeKey", { conversationId, suite });
  const { publicKey, sealedPrivate } = made;
  changes.write("answerKey.put", conversationId, suite, publicKey, sealedPrivate);
  return publicKey;
}

/** Opens what was said again to one device. @returns null where it isn't for this one, or can't be opened: it is asked for again */
export async function openSealed(
  core: Core,
  { conversationId }: StoredConversation,
  answerer: DeviceId,
  { requester, kemOutput, ciphertext }: SealedAgain,
): Promise<Uint8Array | null> {
  if (requester !== core.self.deviceId) return null;
  const key = core.store.missing.answerKey(conversationId);
  if (key === undefined) return null;
  const { suite, sealedPrivate } = key;
  const sealed = { sealedPrivate, kemOutput, ciphertext };
  const params = { conversationId, suite, answerer, ...sealed };
  return (await core.worker.call("missing.openAnswer", params)).plain;
}
