import {
  AppError,
  maxKnownDevices,
  type DeviceId,
  type GroupMember,
  type Revocation,
  type SignedRecord,
  type Suspension,
  type TrustedPerson,
  type UserId,
  type UserRecord,
} from "#protocol";
import type { JudgedAt, Standing } from "../mls/client-config.ts";
import type { Ed25519 } from "../primitives/index.ts";
import { verifyRecord } from "./records.ts";

/**
 * The relay stores a revocation or suspension only within this of its own clock, and adds nobody afterwards; so what it ordered before may
 * bear a time that is this much later, milliseconds.
 */
const clockToleranceMs = 10 * 60_000;

interface Signed<Value> {
  readonly value: Value;
  readonly record: SignedRecord;
}

/** The revocations and suspensions that were verified. A revocation is for ever; of suspensions the latest counts. */
export class Exclusions implements Standing {
  readonly #ed25519: Ed25519;
  readonly #revocations = new Map<UserId, Map<DeviceId, Signed<Revocation>>>();
  readonly #suspensions = new Map<UserId, Signed<Suspension>>();
  readonly #expelled = new Map<UserId, Map<DeviceId, number>>();

  constructor(ed25519: Ed25519) {
    this.#ed25519 = ed25519;
  }

  /**
   * Believes what is properly signed of a person's records, and passes over the rest. Of devices that nobody has seen it keeps so many revocations at
   * most: all of them stay in the vault, and whoever has an account key can sign any number.
   *
   * @returns what isn't properly signed, or is a suspension older than the known one
   */
  take(
    user: UserRecord,
    records: {
      readonly revocations: readonly SignedRecord[];
      readonly suspension: SignedRecord | null;
    },
    by: { readonly networkKey: Uint8Array; readonly isKnown: (deviceId: DeviceId) => boolean },
  ): readonly SignedRecord[] {
    const refused: SignedRecord[] = [];
    for (const record of records.revocations) {
      const value = this.#verified("revocation", record, user.accountKey);
      if (value?.networkId !== user.networkId || value.userId !== user.userId) {
        refused.push(record);
        continue;
      }
      const hasRoom = (this.#revocations.get(user.userId)?.size ?? 0) < maxKnownDevices;
      if (hasRoom || by.isKnown(value.deviceId)) this.#revoke({ value, record });
    }
    const { suspension: record } = records;
    if (record === null) return refused;
    const value = this.#verified("suspension", record, by.networkKey);
    const isTheirs = value?.networkId === user.networkId && value.userId === user.userId;
    const known = this.#suspensions.get(user.userId)?.value.issuedAtMs ?? -1;
    if (!isTheirs || value.issuedAtMs < known) return [...refused, record];
    if (value.issuedAtMs > known) this.#suspensions.set(user.userId, { value, record });
    return refused;
  }

  /** A device of an account key that its person no longer has: as if it had been revoked when the next key was issued. */
  expel({ userId, deviceId }: GroupMember, sinceMs: number): void {
    const ofUser = this.#expelled.get(userId) ?? new Map<DeviceId, number>();
    if (!ofUser.has(deviceId)) ofUser.set(deviceId, sinceMs);
    this.#expelled.set(userId, ofUser);
  }

  /** What is known of a person. */
  of(userId: UserId): Pick<TrustedPerson, "revoked" | "suspended"> & {
    readonly kept: Omit<TrustedPerson["kept"], "devices">;
  } {
    const revocations = [...(this.#revocations.get(userId)?.values() ?? [])];
    const suspension = this.#suspensions.get(userId);
    return {
      revoked: [
        ...new Set([
          ...revocations.map(({ value }) => value.deviceId),
          ...(this.#expelled.get(userId)?.keys() ?? []),
        ]),
      ],
      suspended: suspension?.value.suspended ?? false,
      kept: {
        revocations: revocations.map(({ record }) => record),
        suspension: suspension?.record ?? null,
      },
    };
  }

  isRevoked(member: GroupMember): boolean {
    return this.#revokedAtMs(member) !== undefined;
  }

  mayBeAdded(member: GroupMember, at: JudgedAt): boolean {
    const revokedAtMs = this.#revokedAtMs(member);
    const suspension = this.#suspensions.get(member.userId)?.value;
    const isOver = (sinceMs: number): boolean => at === "now" || at > sinceMs + clockToleranceMs;
    if (revokedAtMs !== undefined && isOver(revokedAtMs)) return false;
    return suspension?.suspended !== true || !isOver(suspension.issuedAtMs);
  }

  mayBeRemoved(member: GroupMember, at: JudgedAt): boolean {
    if (this.isRevoked(member)) return true;
    const suspension = this.#suspensions.get(member.userId)?.value;
    if (suspension === undefined || suspension.suspended) return suspension !== undefined;
    // It was lifted since: of the suspension before it only this much is known.
    return at !== "now" && at <= suspension.issuedAtMs + clockToleranceMs;
  }

  clear(): void {
    this.#revocations.clear();
    this.#suspensions.clear();
    this.#expelled.clear();
  }

  #revokedAtMs({ userId, deviceId }: GroupMember): number | undefined {
    const revocation = this.#revocations.get(userId)?.get(deviceId)?.value;
    return revocation?.revokedAtMs ?? this.#expelled.get(userId)?.get(deviceId);
  }

  #revoke(revocation: Signed<Revocation>): void {
    const { userId, deviceId } = revocation.value;
    const ofUser = this.#revocations.get(userId) ?? new Map<DeviceId, Signed<Revocation>>();
    // The earliest counts, whichever came first: everybody comes to the same time from which it does.
    const knownAtMs = ofUser.get(deviceId)?.value.revokedAtMs ?? Infinity;
    if (revocation.value.revokedAtMs < knownAtMs) ofUser.set(deviceId, revocation);
    this.#revocations.set(userId, ofUser);
  }

  #verified<Kind extends "revocation" | "suspension">(
    kind: Kind,
    record: SignedRecord,
    publicKey: Uint8Array,
  ) {
    try {
      return verifyRecord(this.#ed25519, kind, record, publicKey);
    } catch (error) {
      if (error instanceof AppError && error.fault === "peer") return null;
      throw error;
    }
  }
}
