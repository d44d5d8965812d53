import { generateKeyPackageWithKey, type CiphersuiteImpl, type KeyPackage } from "ts-mls";
import { makeKeyPackageRef } from "ts-mls/keyPackage.js";
import * as v from "valibot";
import {
  decodeCbor,
  encodeCbor,
  idFromBytes,
  parse,
  type GroupMember,
  type KeyPackageRef,
} from "#protocol";
import { capabilities, keyPackageLifetime, lastResortExtensionType } from "./client-config.ts";
import { decodeKeyPackage, encodeKeyPackage } from "./codec.ts";
import { credentialOf, leafIdentityOf, type LeafIdentity } from "./credential.ts";
import { memberOf } from "./rules.ts";

/** This device, as it signs and joins. Secret: `signaturePrivateKey`; the identity's owner wipes it. */
export interface OwnDevice extends LeafIdentity {
  readonly signatureKey: Uint8Array;
  readonly signaturePrivateKey: Uint8Array;
}

/** A key package and what is needed to use it. Secret: the private keys. */
export interface OwnKeyPackage {
  readonly keyPackage: KeyPackage;
  readonly initPrivateKey: Uint8Array;
  readonly hpkePrivateKey: Uint8Array;
}

/**
 * Makes a key package. Source: RFC 9420 §10.
 *
 * @param nowMs - the worker's time
 */
export async function createKeyPackage(
  impl: CiphersuiteImpl,
  device: OwnDevice,
  { nowMs, lastResort }: { readonly nowMs: number; readonly lastResort: boolean },
): Promise<OwnKeyPackage> {
  const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
    credentialOf(device),
    capabilities,
    keyPackageLifetime(nowMs),
    lastResort
      ? [{ extensionType: lastResortExtensionType, extensionData: new Uint8Array(0) }]
      : [],
    { signKey: device.signaturePrivateKey, publicKey: device.signatureKey },
    impl,
  );
  return {
    keyPackage: publicPackage,
    initPrivateKey: privatePackage.initPrivateKey,
    hpkePrivateKey: privatePackage.hpkePrivateKey,
  };
}

/**
 * Whose key package it says it is.
 *
 * @throws AppError `frame-malformed`
 */
export function keyPackageOwner(bytes: Uint8Array): GroupMember {
  return memberOf(leafIdentityOf(decodeKeyPackage(bytes).leafNode.credential));
}

/** The name under which a Welcome asks for a key package. Source: RFC 9420 §5.2. */
export async function keyPackageRefOf(
  impl: CiphersuiteImpl,
  keyPackage: KeyPackage,
): Promise<KeyPackageRef> {
  return idFromBytes<KeyPackageRef>(await makeKeyPackageRef(keyPackage, impl.hash));
}

const storedSchema = v.strictObject({
  keyPackage: v.instance(Uint8Array),
  initPrivateKey: v.instance(Uint8Array),
  hpkePrivateKey: v.instance(Uint8Array),
});
const maxStoredBytes = 32 * 1024;

/** For storage. Secret: the result; whoever seals it wipes it. */
export function encodeOwnKeyPackage(own: OwnKeyPackage): Uint8Array {
  return encodeCbor({ ...own, keyPackage: encodeKeyPackage(own.keyPackage) });
}

/** @throws AppError `frame-malformed` */
export function decodeOwnKeyPackage(bytes: Uint8Array): OwnKeyPackage {
  const stored = parse(storedSchema, decodeCbor(bytes, maxStoredBytes));
  return { ...stored, keyPackage: decodeKeyPackage(stored.keyPackage) };
}
