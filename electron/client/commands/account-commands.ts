import {
  AppError,
  formatInviteLink,
  type DeviceId,
  type DeviceRecord,
  type DeviceView,
  type InviteSummary,
  type InviteView,
  type LockSettings,
  type PersonDetailsView,
  type SettingsView,
} from "#protocol";
import { revokeDevice } from "../account/revoke-device.ts";
import { Changes } from "../core/changes.ts";
import { putFact } from "../store/facts.ts";
import type { ClientCommands } from "../types.ts";
import type { Engine } from "./engine.ts";

type AccountCommands = Pick<
  ClientCommands,
  Extract<
    keyof ClientCommands,
    `people.${string}` | `invites.${string}` | `devices.${string}` | `settings.${string}`
  >
>;

/** When the app locks by itself before anybody has chosen, if there is an app lock. */
export const defaultLockSettings: LockSettings = {
  idleMinutes: 15,
  onOsLock: true,
  onSuspend: true,
};

/** How things are before anybody has chosen. */
export const defaultSettings: SettingsView = {
  theme: "system",
  textScale: 1,
  closeToTray: true,
  notifications: true,
};

function inviteView({
  inviteId,
  createdAtMs,
  expiresAtMs,
  uses,
  usesLeft,
}: InviteSummary): InviteView {
  return { inviteId, createdAtMs, expiresAtMs, uses, usesLeft };
}

/** Everything about people, invites, this person's devices and settings. */
export function accountCommands(engine: Engine): AccountCommands {
  const { core, account } = engine;

  const ownDevice = (deviceId: DeviceId): DeviceRecord => {
    const devices = core.people.get(core.self.userId)?.devices ?? [];
    const device = devices.find((one) => one.deviceId === deviceId);
    if (device === undefined) throw new AppError("not-found");
    return device;
  };

  return {
    "people.list": () => {
      const trustIn = core.store.trusted.states((id) => core.people.get(id)?.user.accountKey);
      return Promise.resolve(
        core.people
          .all()
          .map(({ user, devices, suspended }): PersonDetailsView => ({
            userId: user.userId,
            displayName: user.displayName,
            role: user.role,
            suspended,
            trust: trustIn(user.userId),
            deviceCount: devices.length,
            me: user.userId === core.self.userId,
          }))
          .toSorted((left, right) => left.displayName.localeCompare(right.displayName)),
      );
    },

    "invites.list": async () => {
      const { invites } = await core.request("invite.list", {});
      return invites.map(inviteView);
    },
    "invites.create": async ({ lifetimeSeconds, uses }) => {
      const expiresAtMs = core.time.now() + lifetimeSeconds * 1000;
      const { token, invite } = await core.request("invite.create", { expiresAtMs, uses });
      const { relayUrl } = engine;
      const { networkKey } = account;
      const { networkName } = core.policy;
      const link = formatInviteLink({ relayUrl, networkKey, networkName, token });
      return { link, invite: inviteView(invite) };
    },
    "invites.revoke": async ({ inviteId }) => {
      await core.request("invite.revoke", { inviteId });
      return null;
    },

    "devices.list": () => {
      const devices = core.people.get(core.self.userId)?.devices ?? [];
      return Promise.resolve(
        devices.map(({ deviceId, deviceName, platform, createdAtMs }): DeviceView => ({
          deviceId,
          deviceName,
          platform,
          createdAtMs,
          thisDevice: deviceId === core.self.deviceId,
        })),
      );
    },

    "devices.rename": async ({ deviceId, deviceName }) => {
      core.ensureWritable();
      const device = ownDevice(deviceId);
      const value = { ...device, deviceName };
      const { record } = await core.worker.call("record.sign", { kind: "device", value });
      await core.request("device.add", { device: record });
      await engine.directory.refresh();
      return null;
    },
    "devices.remove": async ({ deviceId }) => {
      core.ensureWritable();
      if (deviceId === core.self.deviceId) throw new AppError("argument-invalid");
      ownDevice(deviceId);
      await revokeDevice(core, engine.directory, deviceId);
      return null;
    },

    "settings.set": async (wanted) => {
      core.ensureWritable();
      const { settings } = engine;
      const next: SettingsView = {
        theme: wanted.theme ?? settings.theme,
        textScale: wanted.textScale ?? settings.textScale,
        closeToTray: wanted.closeToTray ?? settings.closeToTray,
        notifications: wanted.notifications ?? settings.notifications,
      };
      const changes = new Changes();
      changes.statements.push(putFact("settings", next));
      await core.commit(changes);
      engine.settings = next;
      engine.viewChanged();
      return next;
    },
  };
}
