import type { LockSettings, VaultPolicy } from "#protocol";

/** The person's settings within the bounds of the policy. */
export function effectiveLock(settings: LockSettings, policy: VaultPolicy): LockSettings {
  const { maxIdleMinutes } = policy;
  if (maxIdleMinutes === null) return settings;
  const idleMinutes = Math.min(settings.idleMinutes ?? maxIdleMinutes, maxIdleMinutes);
  return { ...settings, idleMinutes };
}

/** Whether the policy lets a person choose this. */
export function isAllowed(settings: LockSettings, policy: VaultPolicy): boolean {
  return effectiveLock(settings, policy).idleMinutes === settings.idleMinutes;
}
