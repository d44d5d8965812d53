import type { ErrorCode } from "#protocol";

const everywhere: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "relay-unreachable",
  "worker-stopped",
  "not-ready",
  "vault-write-failed",
  "vault-read-only",
  "disk-full",
]);

/** Whether a failure that met one conversation will meet all of them: the connection, the worker or the disk is gone. */
export function isEverywhere(code: ErrorCode): boolean {
  return everywhere.has(code);
}
