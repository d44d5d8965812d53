import type { CiphersuiteImpl } from "ts-mls";
import { decryptWithLabel, encryptWithLabel } from "ts-mls/crypto/hpke.js";
import { encodeCbor, idToBytes, type ConversationId, type DeviceId } from "#protocol";
import { mapMlsError } from "./errors.ts";
import type { KemKeyPair } from "./hpke/kem.ts";

/*
 * A message that is said again for one device alone (docs/adr/0023). Whose the answer is, MLS says: it stands in a message of the group.
 */

/** Between whom an answer goes. */
export interface AnswerWay {
  readonly conversationId: ConversationId;
  readonly answerer: DeviceId;
  readonly requester: DeviceId;
}

/** An answer under a public key. Source: RFC 9420 §5.1.3, HPKECiphertext. */
export interface SealedAnswer {
  readonly kemOutput: Uint8Array;
  readonly ciphertext: Uint8Array;
}

const label = "Sotto said again";

function contextOf({ conversationId, answerer, requester }: AnswerWay): Uint8Array {
  return encodeCbor([conversationId, answerer, requester].map((id) => idToBytes(id)));
}

/** A pair that answers to one device can be sealed to. Secret: `privateKey`; its caller wipes it. */
export async function createAnswerKey({ hpke }: CiphersuiteImpl): Promise<KemKeyPair> {
  const { publicKey, privateKey } = await hpke.generateKeyPair();
  return {
    publicKey: await hpke.exportPublicKey(publicKey),
    privateKey: await hpke.exportPrivateKey(privateKey),
  };
}

/**
 * EncryptWithLabel. Source: RFC 9420 §5.1.3.
 *
 * @returns null when the public key isn't one of the suite
 */
export function sealAnswer(
  { hpke }: CiphersuiteImpl,
  way: AnswerWay,
  publicKey: Uint8Array,
  plain: Uint8Array,
): Promise<SealedAnswer | null> {
  return orNull(async () => {
    const key = await hpke.importPublicKey(publicKey);
    const { ct, enc } = await encryptWithLabel(key, label, contextOf(way), plain, hpke);
    return { kemOutput: enc, ciphertext: ct };
  });
}

/**
 * DecryptWithLabel. Source: RFC 9420 §5.1.3.
 *
 * @returns null when it wasn't sealed to this key, or went another way
 */
export function openAnswer(
  { hpke }: CiphersuiteImpl,
  way: AnswerWay,
  privateKey: Uint8Array,
  { kemOutput, ciphertext }: SealedAnswer,
): Promise<Uint8Array | null> {
  return orNull(async () => {
    const key = await hpke.importPrivateKey(privateKey);
    return decryptWithLabel(key, label, contextOf(way), kemOutput, ciphertext, hpke);
  });
}

/** Keys and ciphertexts come from others: those that can't be used are an outcome. */
async function orNull<Result>(run: () => Promise<Result>): Promise<Result | null> {
  try {
    return await run();
  } catch (error) {
    const mapped = mapMlsError(error, "message-unopenable");
    if (mapped.code === "message-unopenable") return null;
    throw mapped;
  }
}
