import { toHex, type DeviceRecord, type PersonDeviceView, type VerificationView } from "#protocol";
import type { KeyChanges } from "../account/key-changes.ts";
import type { Core } from "../core/core.ts";
import { digestOf } from "../core/digest.ts";
import type { ClientCommands } from "../types.ts";

type VerificationCommands = Pick<
  ClientCommands,
  Extract<keyof ClientCommands, `verification.${string}`>
>;

/** Of a device key's digest, bytes. It is there to tell devices apart, and nothing is decided by it. */
const shownBytes = 8;

async function deviceView(device: DeviceRecord): Promise<PersonDeviceView> {
  const { deviceId, deviceName, platform, createdAtMs, signatureKey } = device;
  const digits = toHex((await digestOf(signatureKey)).subarray(0, shownBytes));
  const fingerprint = digits.replaceAll(/(.{4})(?=.)/gu, "$1 ");
  return { deviceId, deviceName, platform, createdAtMs, fingerprint };
}

/** Comparing keys with people, and what is decided about them. */
export function verificationCommands(core: Core, keyChanges: KeyChanges): VerificationCommands {
  const { people, store } = core;

  return {
    "verification.get": async ({ userId }): Promise<VerificationView> => {
      const { digits, code } = await keyChanges.safetyNumber(userId);
      const state = store.trusted.states((id) => people.get(id)?.user.accountKey)(userId);
      const verification = state === "verified" ? store.trusted.verification(userId) : undefined;
      const devices = await Promise.all((people.get(userId)?.devices ?? []).map(deviceView));
      return {
        ...people.view(userId),
        state,
        verifiedAtMs: verification?.verifiedAtMs ?? null,
        how: verification?.how ?? null,
        digits,
        code,
        devices,
      };
    },
    "verification.compare": async ({ userId, code }) => ({
      verdict: await keyChanges.compare(userId, code),
    }),
    "verification.accept": async (decision) => {
      await keyChanges.accept(decision);
      return null;
    },
    "verification.clear": async ({ userId }) => {
      await keyChanges.clear(userId);
      return null;
    },
    "verification.dismiss": async (notice) => {
      await keyChanges.dismiss(notice);
      return null;
    },
  };
}
