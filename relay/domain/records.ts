import {
  AppError,
  decodeRecord,
  encodeRecord,
  idFromBytes,
  recordKinds,
  signingInput,
  type NetworkId,
  type RecordKindName,
  type RecordValue,
  type SignedRecord,
} from "#protocol";
import { sha256, signEd25519, verifyEd25519 } from "../primitives.ts";

/** The network a network key founds: its hash's first 16 bytes. */
export function networkIdOf(networkKey: Uint8Array): NetworkId {
  return idFromBytes<NetworkId>(sha256(networkKey).subarray(0, 16));
}

/**
 * Checks a record's signature, then reads it.
 *
 * @throws AppError `signature-invalid`, `record-invalid`
 */
export function openRecord<Kind extends RecordKindName>(
  kind: Kind,
  record: SignedRecord,
  publicKey: Uint8Array,
): RecordValue<Kind> {
  const message = signingInput(recordKinds[kind].label, record.payload);
  if (!verifyEd25519(publicKey, message, record.signature)) {
    throw new AppError("signature-invalid", { data: { record: kind } });
  }
  try {
    return decodeRecord(kind, record.payload);
  } catch (cause) {
    throw new AppError("record-invalid", { data: { record: kind }, cause });
  }
}

/** @param seed - the signer's Ed25519 seed; secret */
export function signRecord<Kind extends RecordKindName>(
  kind: Kind,
  value: RecordValue<Kind>,
  seed: Uint8Array,
): SignedRecord {
  const payload = encodeRecord(kind, value);
  return { payload, signature: signEd25519(seed, signingInput(recordKinds[kind].label, payload)) };
}
