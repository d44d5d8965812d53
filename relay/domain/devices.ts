import {
  AppError,
  equalBytes,
  maxActiveDevices,
  maxKnownDevices,
  type DeviceRecord,
  type ParsedRelayParams,
  type RelayCloseReason,
  type DeviceId,
} from "#protocol";
import type { Transaction } from "../storage/transaction.ts";
import {
  deviceTopic,
  directoryScope,
  type DeviceCaller,
  type Done,
  type RelayContext,
} from "./context.ts";
import { noteChange } from "./directory.ts";
import { deviceSlot, keyOwnerSlot, userSlot, type StoredUser } from "./layout.ts";
import { loadNetwork } from "./network.ts";
import { openRecord } from "./records.ts";

/** What a client's clock may differ from ours in a record that counts from its time on. */
const recordToleranceMs = 10 * 60_000;

/** Adds a device to the caller's account, or gives one another name. */
export async function addDevice(
  context: RelayContext,
  { device: record }: ParsedRelayParams<"device.add">,
  caller: DeviceCaller,
): Promise<Done> {
  const { networkId } = await loadNetwork(context);
  return context.units.run(directoryScope, async (transaction) => {
    const user = await loadUser(transaction, caller);
    const device = openRecord("device", record, user.accountKey);
    if (device.userId !== caller.userId || device.networkId !== networkId) {
      throw refused("device", "owner");
    }
    const { deviceId, signatureKey } = device;
    if (user.revocations.some((revocation) => revocation.deviceId === deviceId)) {
      throw new AppError("device-revoked");
    }
    if (!(await isKnown(transaction, device))) checkRoom(user);
    transaction.store(deviceSlot(deviceId), { userId: caller.userId, record, signatureKey });
    transaction.store(keyOwnerSlot(signatureKey), { userId: caller.userId });
    const devices = [...new Set([...user.devices, deviceId])];
    await noteChange(context, transaction, { ...user, userId: caller.userId, devices });
    return {};
  });
}

/** Revokes a device of the caller's account, and ends its connections. */
export async function revokeDevice(
  context: RelayContext,
  { revocation: record }: ParsedRelayParams<"device.revoke">,
  { userId, deviceId: callingDevice }: DeviceCaller,
): Promise<Done> {
  const { networkId } = await loadNetwork(context);
  return context.units.run(directoryScope, async (transaction) => {
    const user = await loadUser(transaction, { userId, deviceId: callingDevice });
    const revocation = openRecord("revocation", record, user.accountKey);
    const { deviceId, revokedAtMs } = revocation;
    if (revocation.userId !== userId || revocation.networkId !== networkId) {
      throw refused("revocation", "owner");
    }
    if (!user.devices.includes(deviceId)) {
      throw new AppError("not-found", { data: { what: "device" } });
    }
    if (user.revocations.some((earlier) => earlier.deviceId === deviceId)) return {};
    checkTime(context, "revocation", revokedAtMs);
    const revocations = [...user.revocations, { deviceId, record }];
    await noteChange(context, transaction, { ...user, userId, revocations });
    dismiss(context, transaction, [deviceId], "device-revoked");
    return {};
  });
}

/** Ends the connections of devices, once it is durable why. */
export function dismiss(
  context: RelayContext,
  transaction: Transaction,
  devices: readonly DeviceId[],
  close: RelayCloseReason,
): void {
  transaction.afterCommit(() => {
    for (const deviceId of devices) {
      const nothing = { frame: null, join: null, leave: [] };
      context.storage.announce(deviceTopic(deviceId), { ...nothing, close });
    }
  });
}

/** @throws AppError `record-invalid`: a record that counts from another time than now would exclude what was ordered before, or not what comes after */
export function checkTime(
  { clock }: RelayContext,
  record: "revocation" | "suspension",
  atMs: number,
): void {
  if (Math.abs(atMs - clock.nowMs()) > recordToleranceMs) throw refused(record, "time");
}

/** A record that isn't taken, and why. */
export function refused(record: string, reason: string): AppError {
  return new AppError("record-invalid", { data: { record, reason } });
}

async function loadUser(transaction: Transaction, { userId }: DeviceCaller): Promise<StoredUser> {
  const user = await transaction.load(userSlot(userId));
  if (user === undefined) {
    throw new AppError("relay-storage-failed", { data: { reason: "user-missing" } });
  }
  return user;
}

/** Whether it is the caller's already. @throws AppError `record-invalid`: id or key belong to something else */
async function isKnown(
  transaction: Transaction,
  { userId, deviceId, signatureKey }: DeviceRecord,
): Promise<boolean> {
  const known = await transaction.load(deviceSlot(deviceId));
  if (known === undefined) {
    const owner = await transaction.load(keyOwnerSlot(signatureKey));
    if (owner !== undefined) throw refused("device", "taken");
    return false;
  }
  if (known.userId !== userId || !equalBytes(known.signatureKey, signatureKey)) {
    throw refused("device", "taken");
  }
  return true;
}

function checkRoom({ devices, revocations }: StoredUser): void {
  const active = devices.length - revocations.length;
  if (active >= maxActiveDevices || devices.length >= maxKnownDevices) {
    throw new AppError("too-many-devices");
  }
}
