import { ensureAppError, type DeviceId } from "#protocol";
import type { Core } from "../core/core.ts";
import type { Directory } from "./directory.ts";

/** Takes a device of this person out of the account, for good. @throws AppError `relay-unreachable`, `not-found`, … */
export async function revokeDevice(
  core: Core,
  directory: Directory,
  deviceId: DeviceId,
): Promise<void> {
  const { networkId, userId } = core.self;
  const { record } = await core.worker.call("record.sign", {
    kind: "revocation",
    value: { networkId, userId, deviceId, revokedAtMs: core.time.now() },
  });
  await core.request("device.revoke", { revocation: record });
  await directory.refresh();
}

/** As {@link revokeDevice}; what the relay has never heard of is out already. @throws AppError */
export async function revokeIfKnown(
  core: Core,
  directory: Directory,
  deviceId: DeviceId,
): Promise<void> {
  try {
    await revokeDevice(core, directory, deviceId);
  } catch (error) {
    if (ensureAppError(error).code !== "not-found") throw error;
  }
}
