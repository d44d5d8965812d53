import { rejectionLabel, rejectionPayload, signingInput } from "#protocol";
import type { Handlers, WorkerContext } from "./context.ts";

/** Devices' word that they can't take a commit (docs/adr/0022). */
export function rejectionHandlers(
  context: WorkerContext,
): Handlers<"rejection.sign" | "rejection.check"> {
  const { ed25519 } = context.ports.primitives;
  return {
    "rejection.sign": ({ place }) => {
      const { privateKey } = context.identity.signature;
      const message = signingInput(rejectionLabel, rejectionPayload(place));
      return { signature: ed25519.sign(privateKey, message) };
    },
    "rejection.check": ({ place, rejections }) => {
      const message = signingInput(rejectionLabel, rejectionPayload(place));
      const valid = rejections.filter(({ deviceId, signature }) => {
        const key = context.directory.deviceKeyOf(deviceId);
        return key !== undefined && ed25519.verify(key, message, signature);
      });
      return { devices: valid.map(({ deviceId }) => deviceId) };
    },
  };
}
