import type { Credential } from "ts-mls";
import * as v from "valibot";
import {
  AppError,
  decodeCbor,
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
}

const idBytes = 16;
const maxIdentityBytes = 64;
const identitySchema = v.strictTuple([
  exactBytesSchema(idBytes),
  exactBytesSchema(idBytes),
  exactBytesSchema(idBytes),
]);

/** The basic credential of a device: deterministic CBOR `[network id, user id, device id]`. Source: RFC 9420 §5.3. */
export function credentialOf({ networkId, userId, deviceId }: LeafIdentity): Credential {
  const identity = encodeCbor([idToBytes(networkId), idToBytes(userId), idToBytes(deviceId)]);
  return { credentialType: "basic", identity };
}

/**
 * Reads a credential. Says nothing about whether it is true.
 *
 * @throws AppError `frame-malformed` for anything but a credential of ours
 */
export function leafIdentityOf(credential: Credential): LeafIdentity {
  if (credential.credentialType !== "basic" || !("identity" in credential)) {
    throw new AppError("frame-malformed", { data: { reason: "not a basic credential" } });
  }
  const decoded = decodeCbor(credential.identity, maxIdentityBytes);
  const [networkId, userId, deviceId] = parse(identitySchema, decoded);
  return {
    networkId: idFromBytes<NetworkId>(networkId),
    userId: idFromBytes<UserId>(userId),
    deviceId: idFromBytes<DeviceId>(deviceId),
  };
}
