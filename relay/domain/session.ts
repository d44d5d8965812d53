import {
  AppError,
  relayProtocolVersion,
  signingInput,
  signInLabel,
  signInPayload,
  type ParsedRelayParams,
  type RelayResult,
} from "#protocol";
import { verifyEd25519 } from "../primitives.ts";
import { standingsOf } from "./accounts.ts";
import { inboxScope, type RelayContext, type VisitorCaller } from "./context.ts";
import { directoryVersion } from "./directory.ts";
import { keyPackagesLeft } from "./key-packages.ts";
import { deviceSlot, inboxAcknowledgedSlot, vaultSequenceSlot } from "./layout.ts";
import { loadNetwork, policyOf } from "./network.ts";

/** Lets a device in that signs this connection's challenge with the key in its record, unless it is excluded. */
export async function signIn(
  context: RelayContext,
  params: ParsedRelayParams<"session.signIn">,
  caller: VisitorCaller,
): Promise<RelayResult<"session.signIn">> {
  const { deviceId, vaultSequence } = params;
  if (params.protocolVersion !== relayProtocolVersion) {
    throw new AppError("protocol-version-unknown", { data: { version: params.protocolVersion } });
  }
  const { networkId } = await loadNetwork(context);
  const device = await context.reader.load(deviceSlot(deviceId));
  if (device === undefined) throw new AppError("sign-in-refused");
  const payload = signInPayload(networkId, deviceId, caller.challenge, vaultSequence);
  const message = signingInput(signInLabel, payload);
  if (!verifyEd25519(device.signatureKey, message, params.signature)) {
    throw new AppError("signature-invalid", { data: { signature: "sign-in" } });
  }

  const highestVaultSequence = await context.units.run(
    inboxScope(deviceId),
    async (transaction) => {
      const slot = vaultSequenceSlot(deviceId);
      const highest = (await transaction.load(slot))?.highest ?? 0;
      if (vaultSequence <= highest) return highest;
      transaction.store(slot, { highest: vaultSequence });
      return vaultSequence;
    },
  );
  const acknowledged = await context.reader.load(inboxAcknowledgedSlot(deviceId));
  await caller.signIn({ deviceId, userId: device.userId }, async () => {
    const [standing] = await standingsOf(context.reader, [deviceId]);
    if (standing === null || standing === undefined) throw new AppError("sign-in-refused");
    if (standing.refusal !== null) throw new AppError(standing.refusal);
  });
  return {
    relayTimeMs: context.clock.nowMs(),
    highestVaultSequence,
    acknowledgedInboxSequence: acknowledged?.sequence ?? 0,
    directoryVersion: await directoryVersion(context.reader),
    policyVersion: policyOf(await loadNetwork(context)).version,
    keyPackagesLeft: await keyPackagesLeft(context.reader, deviceId),
  };
}
