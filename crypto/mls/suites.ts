import type { CiphersuiteName } from "ts-mls";

/**
 * The suites Sotto speaks. The network's policy chooses; a conversation keeps the one it began with.
 *
 * `default`: MLKEM768-X25519 (X-Wing), AES-256-GCM, SHA-384, Ed25519. Source: draft-ietf-mls-pq-ciphersuites (TBD2), at the
 * private code point 0xf002; added to ts-mls by `patches/`.
 */
export const suiteNames = {
  default: "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
  aes128: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
  chacha20: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
} as const satisfies Readonly<Record<string, CiphersuiteName>>;

/** The name of a suite Sotto speaks. */
export type SuiteName = (typeof suiteNames)[keyof typeof suiteNames];

/** Every suite name, best first. */
export const supportedSuites: readonly SuiteName[] = [
  suiteNames.default,
  suiteNames.chacha20,
  suiteNames.aes128,
];

/** Whether Sotto speaks the suite `name`. */
export function isSupportedSuite(name: string): name is SuiteName {
  return supportedSuites.some((supported) => supported === name);
}
