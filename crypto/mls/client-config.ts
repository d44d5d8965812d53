import type { Capabilities, ClientConfig, Credential, Lifetime } from "ts-mls";
import { roomStateExtensionType, type DeviceId, type GroupMember } from "#protocol";
import { supportedSuites } from "./suites.ts";
import { leafIdentityOf, type LeafIdentity } from "./credential.ts";

/** What is known about a leaf's claim to be a device. */
export type TrustVerdict = "trusted" | "unknown" | "refused";

/** When a commit is judged: ours now, by what is known now; that of somebody else by when the relay had ordered it, milliseconds. */
export type JudgedAt = "now" | number;

/** Who is excluded, and when: devices that were revoked, and people who are suspended. See docs/adr/0021. */
export interface Standing {
  /** Whether this device may be added to groups. */
  mayBeAdded(member: GroupMember, at: JudgedAt): boolean;
  /** Whether every member may remove it, whatever their role: it was revoked, or its person suspended. */
  mayBeRemoved(member: GroupMember, at: JudgedAt): boolean;
}

/** Decides which device a signature key belongs to; the directory's verified records. One that was revoked is known still. */
export interface DeviceTrust extends Standing {
  judge(identity: LeafIdentity, signatureKey: Uint8Array): TrustVerdict;
}

/** Padmé for every size, and never below 256 bytes. Source: RFC 9420 §15.1; the kind is ours, see `patches/`. */
export const paddingConfig: ClientConfig["paddingConfig"] = { kind: "padme", minimumLength: 256 };

/** Key packages may mark themselves as the last resort. Source: draft-ietf-mls-extensions §5.3. */
export const lastResortExtensionType = 0x000a;

/** What every leaf of ours says it can do. Source: RFC 9420 §7.2. */
export const capabilities: Capabilities = {
  versions: ["mls10"],
  ciphersuites: [...supportedSuites],
  extensions: [lastResortExtensionType, roomStateExtensionType],
  proposals: [],
  credentials: ["basic"],
};

const daySeconds = 86_400;
/** How long a key package may wait for its use; the leaf it became grows as old as the group. */
const lifetimeSeconds = 366 * daySeconds;
const clockSkewSeconds = daySeconds;
const maxLifetimeSeconds = lifetimeSeconds + clockSkewSeconds;
/** A package with less left isn't added any more: members read the commit later than it is made. */
const minRemainingSeconds = 30 * daySeconds;

/** The lifetime of a key package made now. Source: RFC 9420 §7.2, §10. */
export function keyPackageLifetime(nowMs: number): Lifetime {
  const nowSeconds = Math.floor(nowMs / 1000);
  return {
    notBefore: BigInt(nowSeconds - clockSkewSeconds),
    notAfter: BigInt(nowSeconds + lifetimeSeconds),
  };
}

/** Whether a key package may be added now: begun, not about to expire, and no longer-lived than ours are. */
export function lifetimeAllowsAdding(lifetime: Lifetime, nowMs: number): boolean {
  const nowSeconds = BigInt(Math.floor(nowMs / 1000));
  return (
    lifetime.notBefore <= nowSeconds &&
    lifetime.notAfter >= nowSeconds + BigInt(minRemainingSeconds) &&
    lifetime.notAfter - lifetime.notBefore <= BigInt(maxLifetimeSeconds)
  );
}

/**
 * Whether a key package was valid when the relay ordered the commit that adds it. Every receiver comes to the same verdict, however late it reads. Source:
 * RFC 9420 §7.3.
 *
 * @param atMs - the relay's time, which may differ from the maker's
 */
export function lifetimeHeld(lifetime: Lifetime, atMs: number): boolean {
  const atSeconds = BigInt(Math.floor(atMs / 1000));
  return (
    lifetime.notBefore <= atSeconds + BigInt(clockSkewSeconds) &&
    lifetime.notAfter >= atSeconds &&
    lifetime.notAfter - lifetime.notBefore <= BigInt(maxLifetimeSeconds)
  );
}

/**
 * The library's authentication service, which also remembers who was unknown: it lets them pass, and whoever called it throws
 * the result away when {@link TrustGate.takeUnknown} isn't empty. So one answer names them all.
 */
export interface TrustGate {
  readonly clientConfig: ClientConfig;
  readonly standing: Standing;
  /** The devices that were unknown since the last call. */
  takeUnknown(): readonly DeviceId[];
}

export function createTrustGate(trust: DeviceTrust): TrustGate {
  const unknown = new Set<DeviceId>();

  function validate(credential: Credential, signatureKey: Uint8Array): boolean {
    const identity = leafIdentityOrNull(credential);
    if (identity === null) return false;
    const verdict = trust.judge(identity, signatureKey);
    if (verdict === "unknown") unknown.add(identity.deviceId);
    return verdict !== "refused";
  }

  return {
    standing: trust,
    takeUnknown() {
      const taken = [...unknown];
      unknown.clear();
      return taken;
    },
    clientConfig: {
      paddingConfig,
      keyRetentionConfig: {
        // The relay orders every message within an epoch (docs/adr/0002): nothing arrives late, so nothing is kept for it.
        retainKeysForGenerations: 0,
        retainKeysForEpochs: 0,
        // Messages that expired unread leave gaps in a sender's generations.
        maximumForwardRatchetSteps: 10_000,
      },
      lifetimeConfig: {
        maximumTotalLifetime: BigInt(maxLifetimeSeconds),
        // The library's check is by this computer's time, at which a leaf that grew old in the group must still be joined with, and a commit
        // of a month ago be followed (RFC 9420 §7.3). Ours: `lifetimeAllowsAdding` by whoever adds, `lifetimeHeld` by every receiver.
        validateLifetimeOnReceive: false,
      },
      keyPackageEqualityConfig: {
        // One leaf per device, whatever its keys.
        compareKeyPackages: (a, b) => sameDevice(a.leafNode.credential, b.leafNode.credential),
        compareKeyPackageToLeafNode: (a, b) => sameDevice(a.leafNode.credential, b.credential),
      },
      authService: {
        validateCredential: (credential, signatureKey) =>
          Promise.resolve(validate(credential, signatureKey)),
      },
    },
  };
}

function sameDevice(left: Credential, right: Credential): boolean {
  const [one, two] = [leafIdentityOrNull(left), leafIdentityOrNull(right)];
  return (
    one !== null &&
    one.networkId === two?.networkId &&
    one.userId === two.userId &&
    one.deviceId === two.deviceId
  );
}

function leafIdentityOrNull(credential: Credential): LeafIdentity | null {
  try {
    return leafIdentityOf(credential);
  } catch {
    return null;
  }
}
