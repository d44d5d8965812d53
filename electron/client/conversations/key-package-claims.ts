import { AppError, policySuite, type DeviceId, type SuiteName, type UserId } from "#protocol";
import type { Core } from "../core/core.ts";
import type { CommitPlan } from "./intent.ts";

/** Pauses before asking again for key packages that aren't there, milliseconds. */
const waitsMs = [500, 1000, 2000] as const;

/** What key packages are claimed for. */
interface Claim {
  /** Those that are there already; gets the others. */
  readonly packages: Map<DeviceId, Uint8Array>;
  readonly suite: SuiteName;
}

/**
 * Fetches a key package for each device that a plan adds, unless a lost race has left one. Somebody who has just joined is still making
 * theirs: they are waited for.
 *
 * @returns the devices that have none
 * @throws AppError `key-packages-exhausted` when somebody of whom the plan requires one has none, `suite-outdated` when they can't have any,
 *   `key-package-foreign`, and as `Core.request`
 */
export async function claimKeyPackages(
  core: Core,
  plan: CommitPlan,
  claim: Claim,
): Promise<{ readonly lacking: readonly DeviceId[] }> {
  const { packages, suite } = claim;
  for (const waitMs of [...waitsMs, null]) {
    const lacking = await claimMissing(core, plan, claim);
    const reached = new Set<UserId | undefined>(
      plan.addDevices
        .filter((deviceId) => packages.has(deviceId))
        .map((deviceId) => core.people.ownerOf(deviceId)),
    );
    if (plan.required.every((userId) => reached.has(userId))) return { lacking };
    if (waitMs === null) break;
    await new Promise<void>((resolve) => {
      core.clock.setTimeout(resolve, waitMs);
    });
  }
  // Devices publish key packages of the policy's suite alone: waiting for this one to come on line is no use.
  const isOutdated = suite !== policySuite(core.policy);
  throw new AppError(isOutdated ? "suite-outdated" : "key-packages-exhausted");
}

async function claimMissing(
  core: Core,
  plan: CommitPlan,
  { packages, suite }: Claim,
): Promise<readonly DeviceId[]> {
  const devices = plan.addDevices.filter((deviceId) => !packages.has(deviceId));
  if (devices.length === 0) return [];
  const whole = plan.reinitTo !== undefined;
  const params = { devices, suite, whole };
  const { keyPackages, lacking } = await core.request("keyPackages.claim", params);
  const claimed = devices.flatMap((deviceId, index) => {
    const bytes = keyPackages[index]?.bytes;
    return bytes === undefined ? [] : [{ deviceId, bytes }];
  });
  const { owners } = await core.worker.call("keyPackages.owners", {
    keyPackages: claimed.map(({ bytes }) => bytes),
  });
  claimed.forEach(({ deviceId, bytes }, index) => {
    // By another device's key package that one would come in: whom the relay chose.
    if (owners[index]?.deviceId !== deviceId) {
      throw new AppError("key-package-foreign", { data: { deviceId } });
    }
    packages.set(deviceId, bytes);
  });
  // Whatever the relay names: what counts is what came.
  const missing = devices.filter((deviceId) => !packages.has(deviceId));
  const named = missing.filter((deviceId) => lacking.includes(deviceId));
  return named.length > 0 ? named : missing;
}
