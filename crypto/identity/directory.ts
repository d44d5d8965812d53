import {
  AppError,
  equalBytes,
  maxKnownDevices,
  type DeviceId,
  type DeviceRecord,
  type FormerRecords,
  type NetworkId,
  type Objection,
  type PersonRecords,
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

/** What came of a person's records. */
export type TrustAnswer =
  | { readonly kind: "trusted"; readonly person: TrustedPerson }
  /** Properly issued and newer than what is known, but for another account key: nothing of it is believed before `acceptKey`. */
  | { readonly kind: "other-key"; readonly user: UserRecord }
  | { readonly kind: "refused" };

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
   * Checks a person's record, their devices', revocations and suspension. The first account key that is believed for a person stays
   * theirs until {@link acceptKey}.
   *
   * @throws AppError `not-ready` before {@link setNetwork}
   */
  trust(records: PersonRecords): TrustAnswer;
  /**
   * Takes another account key in place of the one that is known. The devices of the former ones are as good as revoked.
   *
   * @returns null when the issuer hasn't signed it, when it is older than what is known, and for this device's own person
   * @throws AppError `not-ready` before {@link setNetwork}
   */
  acceptKey(records: PersonRecords): TrustedPerson | null;
  /** The device key of a believed record; undefined for a device that isn't known. */
  deviceKeyOf(deviceId: DeviceId): Uint8Array | undefined;
  clear(): void;
}

/** A device's record as it was signed, and by which account key. */
interface KnownDevice {
  readonly device: DeviceRecord;
  readonly record: SignedRecord;
  readonly accountKey: Uint8Array;
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
  const devices = new Map<DeviceId, KnownDevice>();
  const exclusions = new Exclusions(ed25519);
  let network: Network | null = null;

  function issuedUser(record: SignedRecord, { networkId, issuerKey }: Network): UserRecord | null {
    const user = orNull(() => verifyRecord(ed25519, "user", record, issuerKey));
    return user?.networkId === networkId ? user : null;
  }

  /** A record as it is issued now: an older one than the one we have is a roll-back. */
  function currentUser(record: SignedRecord, from: Network): UserRecord | null {
    const user = issuedUser(record, from);
    if (user === null) return null;
    return (people.get(user.userId)?.issuedAtMs ?? 0) > user.issuedAtMs ? null : user;
  }

  /** What their former account keys have signed is known, so that the log can be read, and is theirs no longer. */
  function expelFormer(
    { userId, issuedAtMs }: UserRecord,
    former: readonly FormerRecords[],
    from: Network,
  ): void {
    for (const { user: record, devices: deviceRecords } of former) {
      const user = issuedUser(record, from);
      if (user?.userId !== userId) continue;
      for (const deviceRecord of deviceRecords) {
        const device = verifiedDevice(deviceRecord, user);
        if (device === null) continue;
        know(device, deviceRecord, user);
        exclusions.expel(device, issuedAtMs);
      }
    }
  }

  function believe(user: UserRecord, records: PersonRecords, from: Network): TrustedPerson {
    const { devices: deviceRecords, revocations = [], suspension = null, former = [] } = records;
    // First: a device id that another key had is never theirs again.
    expelFormer(user, former, from);
    people.set(user.userId, user);
    const objections: Objection[] = [];
    const given = new Set<DeviceId>();
    for (const record of deviceRecords) {
      const device = verifiedDevice(record, user);
      if (device === null || !hasRoomFor(device, user)) {
        objections.push({ kind: "device", record });
        continue;
      }
      given.add(device.deviceId);
      know(device, record, user);
    }
    const { userId } = user;
    const known = devicesOf(user);
    const ids = new Set(known.map(({ device }) => device.deviceId));
    const refused = exclusions.take(
      user,
      { revocations, suspension },
      { networkKey: from.networkKey, isKnown: (deviceId) => ids.has(deviceId) },
    );
    const { kept, ...standing } = exclusions.of(userId);
    const present = known.filter(
      ({ device: { deviceId } }) => !exclusions.isRevoked({ userId, deviceId }),
    );
    const leftOut = present.filter(({ device }) => !given.has(device.deviceId));
    return {
      user,
      devices: present.map(({ device }) => device),
      objections: [
        ...objections,
        ...refused.map((record) => ({ kind: "exclusion", record }) as const),
        ...leftOut.map(({ record }) => ({ kind: "left-out", record }) as const),
      ],
      ...standing,
      kept: { ...kept, devices: known.map(({ record }) => record) },
    };
  }

  function know(device: DeviceRecord, record: SignedRecord, { accountKey }: UserRecord): void {
    devices.set(device.deviceId, { device, record, accountKey });
  }

  /** All of them stay, in the vault too: as many as the protocol lets a person have. */
  function hasRoomFor({ deviceId }: DeviceRecord, user: UserRecord): boolean {
    return devices.has(deviceId) || devicesOf(user).length < maxKnownDevices;
  }

  /** All that a person's account key was ever seen to sign: a device that the relay leaves out is theirs until it is revoked. */
  function devicesOf({ userId, accountKey }: UserRecord): readonly KnownDevice[] {
    return [...devices.values()].filter(
      (known) => known.device.userId === userId && equalBytes(known.accountKey, accountKey),
    );
  }

  function ensureNetwork(): Network {
    if (network === null) throw new AppError("not-ready", { data: { reason: "no network yet" } });
    return network;
  }

  function verifiedDevice(record: SignedRecord, user: UserRecord): DeviceRecord | null {
    const device = orNull(() => verifyRecord(ed25519, "device", record, user.accountKey));
    if (device?.networkId !== user.networkId || device.userId !== user.userId) return null;
    const known = devices.get(device.deviceId)?.device;
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

    trust(records) {
      const from = ensureNetwork();
      const user = currentUser(records.user, from);
      if (user === null) return { kind: "refused" };
      const key = people.get(user.userId)?.accountKey ?? ownKey(user.userId) ?? user.accountKey;
      // The issuer, which the relay is, can't put another key in its place: people decide that.
      if (!equalBytes(key, user.accountKey)) return { kind: "other-key", user };
      return { kind: "trusted", person: believe(user, records, from) };
    },

    acceptKey(records) {
      const from = ensureNetwork();
      const user = currentUser(records.user, from);
      if (user === null || ownKey(user.userId) !== undefined) return null;
      return believe(user, records, from);
    },

    mayBeAdded: (member, at) => exclusions.mayBeAdded(member, at),
    mayBeRemoved: (member, at) => exclusions.mayBeRemoved(member, at),

    judge({ networkId, userId, deviceId, certificate }, signatureKey): TrustVerdict {
      if (network === null) return "unknown";
      if (network.networkId !== networkId) return "refused";
      const device = devices.get(deviceId)?.device;
      if (device === undefined) return "unknown";
      const deviceKey = device.signatureKey;
      const same =
        device.userId === userId &&
        isLeafKeyOf(ed25519, { deviceId, deviceKey }, { signatureKey, certificate });
      return same ? "trusted" : "refused";
    },

    deviceKeyOf: (deviceId) => devices.get(deviceId)?.device.signatureKey,

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
