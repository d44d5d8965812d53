import * as v from "valibot";
import {
  decodeCbor,
  deviceIdSchema,
  ed25519PublicKeyBytes,
  encodeCbor,
  exactBytesSchema,
  idFromBytes,
  parse,
  userIdSchema,
  type DeviceId,
  type NetworkId,
  type UserId,
} from "#protocol";
import { digest, wipe, type Primitives, type SignatureKeyPair } from "../primitives/index.ts";

/** This person and this device. Secret: the private keys; {@link wipeIdentity} when the vault is locked. */
export interface Identity {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  /** Certifies this person's devices. */
  readonly account: SignatureKeyPair;
  /** Signs this device's MLS messages and its sign-in. */
  readonly signature: SignatureKeyPair;
}

const idBytes = 16;
const maxIdentityBytes = 1024;
const seedSchema = exactBytesSchema(ed25519PublicKeyBytes);
const identitySchema = v.strictObject({
  userId: userIdSchema,
  deviceId: deviceIdSchema,
  accountPrivateKey: seedSchema,
  signaturePrivateKey: seedSchema,
});

/** A new person on a new device. */
export function createIdentity({ ed25519, random }: Primitives): Identity {
  return {
    userId: idFromBytes<UserId>(random(idBytes)),
    deviceId: idFromBytes<DeviceId>(random(idBytes)),
    account: ed25519.generateKeyPair(),
    signature: ed25519.generateKeyPair(),
  };
}

/** For storage. Secret: the result; whoever seals it wipes it. */
export function encodeIdentity({ userId, deviceId, account, signature }: Identity): Uint8Array {
  return encodeCbor({
    userId,
    deviceId,
    accountPrivateKey: account.privateKey,
    signaturePrivateKey: signature.privateKey,
  });
}

/** @throws AppError `vault-damaged` */
export function decodeIdentity({ ed25519 }: Primitives, plain: Uint8Array): Identity {
  const stored = parse(identitySchema, decodeCbor(plain, maxIdentityBytes), "vault-damaged");
  const pairOf = (privateKey: Uint8Array): SignatureKeyPair => ({
    privateKey,
    publicKey: ed25519.publicKeyOf(privateKey),
  });
  return {
    userId: stored.userId,
    deviceId: stored.deviceId,
    account: pairOf(stored.accountPrivateKey),
    signature: pairOf(stored.signaturePrivateKey),
  };
}

export function wipeIdentity({ account, signature }: Identity): void {
  wipe(account.privateKey, signature.privateKey);
}

/** The network that a network key is the root of: the first 16 bytes of its SHA-256. */
export function networkIdOf(networkKey: Uint8Array): NetworkId {
  return idFromBytes<NetworkId>(digest("SHA-256", networkKey).slice(0, idBytes));
}
