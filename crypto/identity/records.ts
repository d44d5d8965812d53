import {
  AppError,
  decodeRecord,
  encodeRecord,
  recordKinds,
  signingInput,
  type RecordKindName,
  type RecordValue,
  type SignedRecord,
} from "#protocol";
import type { Ed25519 } from "../primitives/index.ts";

/**
 * Signs a record.
 *
 * @throws AppError `record-invalid` for a value that isn't one of its kind
 */
export function signRecord<Kind extends RecordKindName>(
  ed25519: Ed25519,
  kind: Kind,
  value: RecordValue<Kind>,
  privateKey: Uint8Array,
): SignedRecord {
  const payload = encodeRecord(kind, value);
  const signature = ed25519.sign(privateKey, signingInput(recordKinds[kind].label, payload));
  return { payload, signature };
}

/**
 * Checks a record's signature, then parses it.
 *
 * @throws AppError `signature-invalid`, `record-invalid`, `frame-malformed`, `frame-too-large`
 */
export function verifyRecord<Kind extends RecordKindName>(
  ed25519: Ed25519,
  kind: Kind,
  { payload, signature }: SignedRecord,
  publicKey: Uint8Array,
): RecordValue<Kind> {
  const signed = signingInput(recordKinds[kind].label, payload);
  if (!ed25519.verify(publicKey, signed, signature)) {
    throw new AppError("signature-invalid", { data: { kind } });
  }
  return decodeRecord(kind, payload);
}
