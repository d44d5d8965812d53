import { encodeCbor, equalBytes, idToBytes, signingInput, type DeviceId } from "#protocol";
import {
  createSignatures,
  hkdf,
  type Ed25519,
  type RandomSource,
  type SignatureKeyPair,
  type SignatureName,
} from "../primitives/index.ts";

/*
 * Suites whose signature scheme isn't Ed25519 need another signature key in their leaves than the one that the account key has
 * certified. The device's own key derives it and signs it; the signature stands in the leaf's credential. So the chain of trust goes
 * on through the device's record, whatever suites a network chooses one after the other (docs/adr/0020).
 */

/** A leaf's signature key with the device key's signature on it; none when it is the device key itself. */
export interface LeafKey extends SignatureKeyPair {
  readonly certificate?: Uint8Array;
}

const label = "LeafKey";

function certifiedBytes(deviceId: DeviceId, leafKey: Uint8Array): Uint8Array {
  return signingInput(label, encodeCbor([idToBytes(deviceId), leafKey]));
}

/** Bytes that only whoever has `secret` can draw, the same ones every time. */
function derivingSource(secret: Uint8Array, purpose: string): RandomSource {
  let draws = 0;
  return (sizeBytes) => {
    const info = new TextEncoder().encode(`Sotto 1.0 ${purpose} ${String(draws++)}`);
    return hkdf("SHA-512", secret, { info, sizeBytes });
  };
}

/**
 * The key with which a device signs in groups of a scheme's suites.
 *
 * @param device - its id, and the key pair that its record names
 * @returns Secret: `privateKey`; its caller wipes it, unless it is the device's own
 */
export function leafKeyOf(
  ed25519: Ed25519,
  device: { readonly deviceId: DeviceId; readonly signature: SignatureKeyPair },
  scheme: SignatureName,
): LeafKey {
  const { deviceId, signature } = device;
  if (scheme === "Ed25519") return signature;
  const source = derivingSource(signature.privateKey, `${label} ${scheme}`);
  const pair = createSignatures(source)[scheme].generateKeyPair();
  const certificate = ed25519.sign(signature.privateKey, certifiedBytes(deviceId, pair.publicKey));
  return { ...pair, certificate };
}

/**
 * Whether a leaf's signature key is the device's, or has its signature.
 *
 * @param deviceKey - from the device's record
 */
export function isLeafKeyOf(
  ed25519: Ed25519,
  device: { readonly deviceId: DeviceId; readonly deviceKey: Uint8Array },
  leaf: { readonly signatureKey: Uint8Array; readonly certificate: Uint8Array | undefined },
): boolean {
  const { deviceId, deviceKey } = device;
  const { signatureKey, certificate } = leaf;
  if (certificate === undefined) return equalBytes(deviceKey, signatureKey);
  return ed25519.verify(deviceKey, certifiedBytes(deviceId, signatureKey), certificate);
}
