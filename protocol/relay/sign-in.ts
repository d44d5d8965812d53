import { encodeCbor } from "../cbor.ts";
import type { DeviceId, NetworkId } from "../ids.ts";

/**
 * What a device signs to prove itself, under `signInLabel`: bound to this network, this device and this connection.
 *
 * @param challenge - the 32 bytes of the connection's `hello`
 */
export function signInPayload(
  networkId: NetworkId,
  deviceId: DeviceId,
  challenge: Uint8Array,
  vaultSequence: number,
): Uint8Array {
  return encodeCbor([networkId, deviceId, challenge, vaultSequence]);
}
