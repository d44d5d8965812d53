import type { ErrorCode } from "#protocol";

const firstDelayMs = 500;
const longestDelayMs = 30_000;
/** How long to wait where trying again soon can't help, and each try costs the other side something. */
const refusedDelayMs = 30_000;

const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "relay-identity-changed",
  "policy-rollback",
  "sign-in-refused",
  "device-revoked",
  "account-suspended",
  "protocol-version-unknown",
  "clock-differs",
]);

/**
 * How long to wait before connecting again: doubling, between half and all of it, so that clients of a relay that was
 * restarted don't come back all at once.
 *
 * @param failures - tries that failed since the last lasting connection, from 1
 * @param fraction - random, from 0 to 1
 * @returns milliseconds
 */
export function backoffDelayMs(failures: number, code: ErrorCode, fraction: number): number {
  const doubled = firstDelayMs * 2 ** Math.min(Math.max(failures, 1) - 1, 20);
  const delayMs = refusals.has(code) ? refusedDelayMs : Math.min(doubled, longestDelayMs);
  return Math.round(delayMs * (0.5 + fraction / 2));
}
