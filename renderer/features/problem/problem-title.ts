import type { ErrorCode } from "#protocol";
import type { MessageKey } from "../../i18n/index.ts";

const byPrefix = [
  ["keychain-", "problem.title.keychain"],
  ["vault-key-", "problem.title.keychain"],
  ["vault-erased", "problem.title.erased"],
  ["vault-in-use", "problem.title.in-use"],
  ["vault-", "problem.title.vault"],
  ["disk-", "problem.title.disk"],
  ["crypto-", "problem.title.encryption"],
  ["worker-", "problem.title.encryption"],
  ["relay-", "problem.title.relay"],
  ["device-revoked", "problem.title.removed"],
] as const satisfies readonly (readonly [string, MessageKey])[];

/** A short title for what went wrong; the words of the code say the rest. */
export function problemTitle(
  code: ErrorCode,
): (typeof byPrefix)[number][1] | "problem.title.other" {
  return byPrefix.find(([prefix]) => code.startsWith(prefix))?.[1] ?? "problem.title.other";
}
