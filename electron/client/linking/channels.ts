import type { DeviceId, LinkChannel } from "#protocol";

/** A lasting channel lives no longer: what hasn't come over by then doesn't any more. 7 days. */
export const channelLifeMs = 7 * 24 * 3_600_000;

/** A channel as the vault keeps it. */
export interface StoredChannel extends LinkChannel {
  readonly role: "owner" | "joiner";
  /** The new device; null in the new device's own vault. */
  readonly deviceId: DeviceId | null;
  /** Whether messages come over. */
  readonly history: boolean;
  readonly expiresAtMs: number;
}
