import type { Credential } from "ts-mls";
import * as v from "valibot";
import {
  AppError,
  decodeCbor,
  ed25519SignatureBytes,
  encodeCbor,
  exactBytesSchema,
  idFromBytes,
  idToBytes,
  parse,
  type DeviceId,
  type GroupMember,
  type NetworkId,
  type UserId,
} from "#protocol";

/** Whose leaf it is. The device is part of it: two devices of one person never share a credential. */
export interface LeafIdentity extends GroupMember {
  readonly networkId: NetworkId;
  /** The device key's signature on the leaf's own, in suites that sign otherwise than with Ed25519; see `identity/leaf-keys.ts`. */
  readonly certificate?: Uint8Array;
}

const idBytes = 16;
const maxIdentityBytes = 128;
const idSchema = exactBytesSchema(idBytes);
const certificateSchema = exactBytesSchema(ed25519SignatureBytes);
const identitySchema = v.union([
  v.strictTuple([idSchema, idSchema, idSchema]),
  v.strictTuple([idSchema, idSchema, idSchema, certificateSchema]),
]);

/** The basic credential of a device: deterministic CBOR `[network id, user id, device id, ? certificate]`. Source: RFC 9420 §5.3. */
export function credentialOf(leaf: LeafIdentity): Credential {
  const { networkId, userId, deviceId, certificate } = leaf;
  const identity = encodeCbor([
    idToBytes(networkId),
    idToBytes(userId),
    idToBytes(deviceId),
    ...(certificate === undefined ? [] : [certificate]),
  ]);
  return { credentialType: "basic", identity };
}

/** Credentials are never changed in place; a group of a thousand reads each of them at every commit. */
const known = new WeakMap<Credential, LeafIdentity>();

/**
 * Reads a credential, once for each object that holds one. Says nothing about whether it is true.
 *
 * @throws AppError `frame-malformed` for anything but a credential of ours
 */
export function leafIdentityOf(credential: Credential): LeafIdentity {
  const remembered = known.get(credential);
  if (remembered !== undefined) return remembered;
  const identity = readIdentity(credential);
  known.set(credential, identity);
  return identity;
}

function readIdentity(credential: Credential): LeafIdentity {
  if (credential.credentialType !== "basic" || !("identity" in credential)) {
    throw new AppError("frame-malformed", { data: { reason: "not a basic credential" } });
  }
  const decoded = decodeCbor(credential.identity, maxIdentityBytes);
  const [networkId, userId, deviceId, certificate] = parse(identitySchema, decoded);
  return {
    networkId: idFromBytes<NetworkId>(networkId),
    userId: idFromBytes<UserId>(userId),
    deviceId: idFromBytes<DeviceId>(deviceId),
    ...(certificate === undefined ? {} : { certificate }),
  };
}
