import * as v from "valibot";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import {
  deviceIdSchema,
  networkIdSchema,
  userIdSchema,
  type DeviceId,
  type NetworkId,
  type UserId,
} from "./ids.ts";
import { policySchema, type Policy } from "./policy.ts";
import {
  bytesSchema,
  exactBytesSchema,
  nameSchema,
  parse,
  timestampMsSchema,
  type Schema,
} from "./schema.ts";

/** Sizes of Ed25519 keys and signatures, bytes. Source: RFC 8032 §5.1. */
export const ed25519PublicKeyBytes = 32;
export const ed25519SignatureBytes = 64;

const publicKeySchema = exactBytesSchema(ed25519PublicKeyBytes);
const maxRecordBytes = 4096;

/** A record as it travels and is stored: the exact bytes that were signed, and the signature over {@link signingInput}. */
export interface SignedRecord {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

export const signedRecordSchema: v.GenericSchema<unknown, SignedRecord> = v.strictObject({
  payload: bytesSchema(maxRecordBytes),
  signature: exactBytesSchema(ed25519SignatureBytes),
});

/** The network key says: this key issues user records for my network. */
export interface IssuerCertificate {
  readonly networkId: NetworkId;
  readonly issuerKey: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export type NetworkRole = "administrator" | "member";

/** The issuer says: this account key is this person's. */
export interface UserRecord {
  readonly networkId: NetworkId;
  readonly userId: UserId;
  readonly displayName: string;
  readonly role: NetworkRole;
  readonly accountKey: Uint8Array;
  readonly issuedAtMs: number;
}

/** The account key says: this device is mine, and this is its MLS signature key. */
export interface DeviceRecord {
  readonly networkId: NetworkId;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly deviceName: string;
  readonly platform: string;
  readonly signatureKey: Uint8Array;
  readonly createdAtMs: number;
}

/** The account key says: this device is mine no longer, for ever. */
export interface Revocation {
  readonly networkId: NetworkId;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly revokedAtMs: number;
}

/** The network key says: this person's devices leave every conversation, or may come back. The latest one counts. */
export interface Suspension {
  readonly networkId: NetworkId;
  readonly userId: UserId;
  readonly suspended: boolean;
  readonly issuedAtMs: number;
}

interface RecordKind<Value> {
  /** What {@link signingInput} is bound to. */
  readonly label: string;
  readonly schema: v.GenericSchema<unknown, Value>;
}

const issuerCertificateKind: RecordKind<IssuerCertificate> = {
  label: "IssuerCertificate",
  schema: v.pipe(
    v.strictObject({
      networkId: networkIdSchema,
      issuerKey: publicKeySchema,
      notBeforeMs: timestampMsSchema,
      notAfterMs: timestampMsSchema,
    }),
    v.check(({ notBeforeMs, notAfterMs }) => notBeforeMs < notAfterMs, "never valid"),
  ),
};

const userRecordKind: RecordKind<UserRecord> = {
  label: "UserRecord",
  schema: v.strictObject({
    networkId: networkIdSchema,
    userId: userIdSchema,
    displayName: nameSchema,
    role: v.picklist(["administrator", "member"]),
    accountKey: publicKeySchema,
    issuedAtMs: timestampMsSchema,
  }),
};

const deviceRecordKind: RecordKind<DeviceRecord> = {
  label: "DeviceRecord",
  schema: v.strictObject({
    networkId: networkIdSchema,
    userId: userIdSchema,
    deviceId: deviceIdSchema,
    deviceName: nameSchema,
    platform: v.pipe(v.string(), v.maxLength(40)),
    signatureKey: publicKeySchema,
    createdAtMs: timestampMsSchema,
  }),
};

const revocationKind: RecordKind<Revocation> = {
  label: "Revocation",
  schema: v.strictObject({
    networkId: networkIdSchema,
    userId: userIdSchema,
    deviceId: deviceIdSchema,
    revokedAtMs: timestampMsSchema,
  }),
};

const suspensionKind: RecordKind<Suspension> = {
  label: "Suspension",
  schema: v.strictObject({
    networkId: networkIdSchema,
    userId: userIdSchema,
    suspended: v.boolean(),
    issuedAtMs: timestampMsSchema,
  }),
};

const policyKind: RecordKind<Policy> = { label: "Policy", schema: policySchema };

/** Every kind of signed record: its label and what its payload must be. */
export const recordKinds = {
  issuerCertificate: issuerCertificateKind,
  user: userRecordKind,
  device: deviceRecordKind,
  revocation: revocationKind,
  suspension: suspensionKind,
  policy: policyKind,
} as const satisfies Readonly<Record<string, RecordKind<unknown> & { schema: Schema }>>;

/** The name of a kind of signed record. */
export type RecordKindName = keyof typeof recordKinds;

/** The parsed value of a kind of signed record. */
export type RecordValue<Kind extends RecordKindName> = v.InferOutput<
  (typeof recordKinds)[Kind]["schema"]
>;

/**
 * The bytes a signature is made over, so that one made for one purpose can't stand for another.
 *
 * @param label - a record kind's label, or another purpose's
 * Source: the shape of SignContent, RFC 9420 §5.1.2, in CBOR.
 */
export function signingInput(label: string, payload: Uint8Array): Uint8Array {
  return encodeCbor([`Sotto 1.0 ${label}`, payload]);
}

/** The bytes of a record, ready to be signed. */
export function encodeRecord<Kind extends RecordKindName>(
  kind: Kind,
  value: RecordValue<Kind>,
): Uint8Array {
  return encodeCbor(parse(recordKinds[kind].schema, value, "record-invalid"));
}

/**
 * Parses a record's payload. Says nothing about its signature.
 *
 * @throws AppError `record-invalid`, `frame-malformed`, `frame-too-large`
 */
export function decodeRecord<Kind extends RecordKindName>(
  kind: Kind,
  payload: Uint8Array,
): RecordValue<Kind> {
  return parse(recordKinds[kind].schema, decodeCbor(payload, maxRecordBytes), "record-invalid");
}
