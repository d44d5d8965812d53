import {
  AppError,
  equalBytes,
  type DeviceId,
  type DeviceRecord,
  type NetworkId,
  type SignedRecord,
  type TrustedPerson,
  type UserId,
  type UserRecord,
} from "#protocol";
import type { DeviceTrust, TrustVerdict } from "../mls/client-config.ts";
import type { Ed25519 } from "../primitives/index.ts";
import { Exclusions } from "./exclusions.ts";
import { networkIdOf } from "./identity.ts";
import { isLeafKeyOf } from "./leaf-keys.ts";
import { verifyRecord } from "./records.ts";

/** A person's records, as signed. */
export interface PersonRecords {
  readonly user: SignedRecord;
  readonly devices: readonly SignedRecord[];
  readonly revocations?: readonly SignedRecord[];
  readonly suspension?: SignedRecord | null;
}

/** The records this worker believes, and hence the devices it lets into a group. */
export interface TrustDirectory extends DeviceTrust {
  /**
   * Names the network: its key signs the issuer's certificate.
   *
   * @param nowMs - the worker's time; the certificate must be valid then
   * @throws AppError `relay-identity-changed` when certificate, keys and network don't belong together
   */
  setNetwork(
    network: {
      readonly networkKey: Uint8Array;
      readonly issuerCertificate: SignedRecord;
      readonly issuerKey: Uint8Array;
    },
    nowMs: number,
  ): NetworkId;
  /**
   * Checks a person's record, their devices', revocations and suspension. The first account key that is believed for a person is the only one.
   *
   * @returns what was believed, or null when the person's record was refused
   * @throws AppError `not-ready` before {@link setNetwork}
   */
  trust(records: PersonRecords): TrustedPerson | null;
  clear(): void;
}

interface Network {
  readonly networkId: NetworkId;
  readonly networkKey: Uint8Array;
  readonly issuerKey: Uint8Array;
}

/** @param ownKey - the account key of this device's own person; undefined for anybody else */
export function createTrustDirectory(
  ed25519: Ed25519,
  ownKey: (userId: UserId) => Uint8Array | undefined,
): TrustDirectory {
  const people = new Map<UserId, UserRecord>();
  const devices = new Map<DeviceId, DeviceRecord>();
  const exclusions = new Exclusions(ed25519);
  let network: Network | null = null;

  function verifiedUser(
    record: SignedRecord,
    { networkId, issuerKey }: Network,
  ): UserRecord | null {
    const user = orNull(() => verifyRecord(ed25519, "user", record, issuerKey));
    if (user?.networkId !== networkId) return null;
    const known = people.get(user.userId);
    // A person has one account key for ever: the issuer, which the relay is, can't put another in its place.
    if (!equalBytes(known?.accountKey ?? ownKey(user.userId) ?? user.accountKey, user.accountKey)) {
      return null;
    }
    // An older record than the one we have is a roll-back.
    return known !== undefined && known.issuedAtMs > user.issuedAtMs ? null : user;
  }

  function verifiedDevice(record: SignedRecord, user: UserRecord): DeviceRecord | null {
    const device = orNull(() => verifyRecord(ed25519, "device", record, user.accountKey));
    if (device?.networkId !== user.networkId || device.userId !== user.userId) return null;
    const known = devices.get(device.deviceId);
    // A device id belongs to one person and one key for ever.
    const taken =
      known !== undefined &&
      (known.userId !== device.userId || !equalBytes(known.signatureKey, device.signatureKey));
    return taken ? null : device;
  }

  return {
    setNetwork({ networkKey, issuerCertificate, issuerKey }, nowMs) {
      const networkId = networkIdOf(networkKey);
      const certificate = orNull(() =>
        verifyRecord(ed25519, "issuerCertificate", issuerCertificate, networkKey),
      );
      if (
        certificate?.networkId !== networkId ||
        !equalBytes(certificate.issuerKey, issuerKey) ||
        nowMs < certificate.notBeforeMs ||
        nowMs > certificate.notAfterMs
      ) {
        throw new AppError("relay-identity-changed");
      }
      if (network !== null && network.networkId !== networkId) {
        throw new AppError("relay-identity-changed", { data: { reason: "another network" } });
      }
      network = { networkId, networkKey, issuerKey };
      return networkId;
    },

    trust({ user: userRecord, devices: deviceRecords, revocations = [], suspension = null }) {
      if (network === null) throw new AppError("not-ready", { data: { reason: "no network yet" } });
      const user = verifiedUser(userRecord, network);
      if (user === null) return null;
      people.set(user.userId, user);
      const believed: DeviceRecord[] = [];
      for (const record of deviceRecords) {
        const device = verifiedDevice(record, user);
        if (device === null) continue;
        devices.set(device.deviceId, device);
        believed.push(device);
      }
      exclusions.take(user, { revocations, suspension }, network.networkKey);
      const { userId } = user;
      return {
        user,
        devices: believed.filter(({ deviceId }) => !exclusions.isRevoked({ userId, deviceId })),
        refusedDevices: deviceRecords.length - believed.length,
        ...exclusions.of(userId),
      };
    },

    mayBeAdded: (member, at) => exclusions.mayBeAdded(member, at),
    mayBeRemoved: (member, at) => exclusions.mayBeRemoved(member, at),

    judge({ networkId, userId, deviceId, certificate }, signatureKey): TrustVerdict {
      if (network === null) return "unknown";
      if (network.networkId !== networkId) return "refused";
      const device = devices.get(deviceId);
      if (device === undefined) return "unknown";
      const deviceKey = device.signatureKey;
      const same =
        device.userId === userId &&
        isLeafKeyOf(ed25519, { deviceId, deviceKey }, { signatureKey, certificate });
      return same ? "trusted" : "refused";
    },

    clear() {
      people.clear();
      devices.clear();
      exclusions.clear();
      network = null;
    },
  };
}

/** What `verify` gives, or null for a record that was refused. */
function orNull<Result>(verify: () => Result): Result | null {
  try {
    return verify();
  } catch (error) {
    if (error instanceof AppError && error.fault === "peer") return null;
    throw error;
  }
}
