import {
  AppError,
  equalBytes,
  type DeviceId,
  type DeviceRecord,
  type ParsedRelayParams,
  type RelayResult,
  type UserId,
} from "#protocol";
import { sha256 } from "../primitives.ts";
import type { Reader, Transaction } from "../storage/transaction.ts";
import { directoryScope, type RelayContext } from "./context.ts";
import { noteChange } from "./directory.ts";
import { findOpenInvite } from "./invites.ts";
import {
  claimSlot,
  deviceSlot,
  inviteSlot,
  keyOwnerSlot,
  networkSlot,
  userSlot,
  type Network,
  type StoredUser,
} from "./layout.ts";
import { loadIssuer } from "./network.ts";
import { openRecord, signRecord } from "./records.ts";

type Redeem = ParsedRelayParams<"invite.redeem">;
type Redeemed = RelayResult<"invite.redeem">;

/** Makes an account with its first device, or says again what it said when it made it. */
export async function redeemInvite(context: RelayContext, params: Redeem): Promise<Redeemed> {
  const issuer = await loadIssuer(context);
  const tokenHash = sha256(params.token);
  return context.units.run(directoryScope, async (transaction) => {
    const network = await transaction.load(networkSlot);
    if (network === undefined) throw new AppError("invite-unknown");
    const device = checkDevice(params, network);

    const made = await alreadyMade(transaction, params, device);
    if (made !== null && equalBytes(made.redeemedWith, tokenHash)) return { user: made.record };
    const nowMs = context.clock.nowMs();
    const { inviteId, ...invite } = await findOpenInvite(transaction, tokenHash, nowMs);
    // The same account with another open invite: it exists, so nothing is used up.
    if (made !== null) return { user: made.record };

    const first = network.administratorInvite === inviteId;
    const role = first ? "administrator" : "member";
    const record = signRecord(
      "user",
      {
        networkId: network.networkId,
        userId: params.userId,
        displayName: params.displayName,
        role,
        accountKey: params.accountKey,
        issuedAtMs: nowMs,
      },
      issuer.seed,
    );
    await noteChange(context, transaction, {
      version: null,
      userId: params.userId,
      record,
      accountKey: params.accountKey,
      role,
      devices: [device.deviceId],
      redeemedWith: tokenHash,
      revocations: [],
      suspension: null,
    });
    transaction.store(deviceSlot(device.deviceId), {
      userId: params.userId,
      record: params.device,
      signatureKey: device.signatureKey,
    });
    transaction.store(keyOwnerSlot(params.accountKey), { userId: params.userId });
    transaction.store(keyOwnerSlot(device.signatureKey), { userId: params.userId });
    transaction.store(inviteSlot(inviteId), { ...invite, usesLeft: invite.usesLeft - 1 });
    if (first) {
      // From here on the relay can't be claimed any more.
      transaction.store(networkSlot, { ...network, administratorInvite: null });
      transaction.remove(claimSlot);
    }
    return { user: record };
  });
}

/** @throws AppError `signature-invalid`, `record-invalid`: not a device of this account in this network */
function checkDevice(params: Redeem, network: Network): DeviceRecord {
  const device = openRecord("device", params.device, params.accountKey);
  if (device.userId !== params.userId || device.networkId !== network.networkId) {
    throw new AppError("record-invalid", { data: { record: "device", reason: "owner" } });
  }
  return device;
}

/**
 * The account of an earlier request with the same user, account key and device, though its record may have been signed anew; null
 * when all of them are new.
 *
 * @throws AppError `record-invalid`: some are taken, by somebody else or for something else
 */
async function alreadyMade(
  transaction: Transaction,
  params: Redeem,
  { deviceId, signatureKey }: DeviceRecord,
): Promise<StoredUser | null> {
  const { userId, accountKey } = params;
  const user = await transaction.load(userSlot(userId));
  const device = await transaction.load(deviceSlot(deviceId));
  if (
    user !== undefined &&
    device?.userId === userId &&
    equalBytes(user.accountKey, accountKey) &&
    equalBytes(device.signatureKey, signatureKey)
  ) {
    return user;
  }
  const owners = await transaction.loadAll([keyOwnerSlot(accountKey), keyOwnerSlot(signatureKey)]);
  if (user !== undefined || device !== undefined || owners.some((owner) => owner !== undefined)) {
    throw new AppError("record-invalid", { data: { record: "device", reason: "taken" } });
  }
  return null;
}

/** How a device stands: whose it is, and whether it may be in conversations. Null: the directory doesn't have it. */
interface DeviceStanding {
  readonly userId: UserId;
  readonly refusal: "device-revoked" | "account-suspended" | null;
}

/** How devices stand, in the order asked. */
export async function standingsOf(
  reader: Reader,
  devices: readonly DeviceId[],
): Promise<readonly (DeviceStanding | null)[]> {
  const stored = await reader.loadAll(devices.map(deviceSlot));
  const ids = [...new Set(stored.flatMap((device) => device?.userId ?? []))];
  const users = await reader.loadAll(ids.map(userSlot));
  const byId = new Map(ids.map((userId, index) => [userId, users[index]]));
  return devices.map((deviceId, index) => {
    const userId = stored[index]?.userId;
    const user = userId === undefined ? undefined : byId.get(userId);
    if (userId === undefined || user === undefined) return null;
    return { userId, refusal: refusalOf(user, deviceId) };
  });
}

function refusalOf(user: StoredUser, deviceId: DeviceId): DeviceStanding["refusal"] {
  if (user.revocations.some((revocation) => revocation.deviceId === deviceId)) {
    return "device-revoked";
  }
  return user.suspension?.suspended === true ? "account-suspended" : null;
}
