/**
 * The cipher suites Sotto speaks: 1 to 7 of RFC 9420 and two with ML-KEM. The network's policy chooses; a conversation
 * that has another one is taken over (docs/adr/0027).
 *
 * `default`: MLKEM768-X25519 (X-Wing), AES-256-GCM, SHA-384, Ed25519. `cnsa`: only what CNSA 2.0 lets protect national security
 * systems. Both are added to ts-mls, or moved to the private range of code points there, by `patches/`.
 *
 * Source: RFC 9420 §17.1; draft-ietf-mls-pq-ciphersuites.
 */
export const suiteNames = {
  default: "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
  cnsa: "MLS_256_MLKEM1024_AES256GCM_SHA512_MLDSA87",
  chacha20: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
  aes128: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
  p256: "MLS_128_DHKEMP256_AES128GCM_SHA256_P256",
  p384: "MLS_256_DHKEMP384_AES256GCM_SHA384_P384",
  p521: "MLS_256_DHKEMP521_AES256GCM_SHA512_P521",
  x448: "MLS_256_DHKEMX448_AES256GCM_SHA512_Ed448",
  x448ChaCha20: "MLS_256_DHKEMX448_CHACHA20POLY1305_SHA512_Ed448",
} as const;

/** The name of a suite Sotto speaks. */
export type SuiteName = (typeof suiteNames)[keyof typeof suiteNames];

/** The numbers by which suites are named in MLS messages. Source: RFC 9420 §17.1; the private range until IANA assigns others. */
export const suiteCodes: Readonly<Record<SuiteName, number>> = {
  [suiteNames.default]: 0xf002,
  [suiteNames.cnsa]: 0xf003,
  [suiteNames.aes128]: 1,
  [suiteNames.p256]: 2,
  [suiteNames.chacha20]: 3,
  [suiteNames.x448]: 4,
  [suiteNames.p521]: 5,
  [suiteNames.x448ChaCha20]: 6,
  [suiteNames.p384]: 7,
};

/** Every suite name, best first. */
export const supportedSuites: readonly SuiteName[] = Object.values(suiteNames);

/** How many devices of a suite fit in what travels as one frame (`maxFrameBytes`). */
export interface SuiteLimits {
  /** That one commit adds: their key packages, its Welcome and its GroupInfo. */
  readonly added: number;
  /** That are in a conversation: a commit that renews a leaf, and its GroupInfo. */
  readonly together: number;
  /** That go over to it at once: the Welcome, and its GroupInfo. */
  readonly takenOver: number;
}

const most: SuiteLimits = { added: 2000, together: 2000, takenOver: 2000 };

/** Those of suites with large keys are measured; `tests/unit/crypto/mls/suite-limits.test.ts` holds all of them against what is made. */
export const suiteLimits: Readonly<Record<SuiteName, SuiteLimits>> = {
  [suiteNames.default]: { added: 1100, together: 2000, takenOver: 1900 },
  [suiteNames.cnsa]: { added: 220, together: 700, takenOver: 400 },
  [suiteNames.aes128]: most,
  [suiteNames.p256]: most,
  [suiteNames.chacha20]: most,
  [suiteNames.x448]: most,
  [suiteNames.p521]: most,
  [suiteNames.x448ChaCha20]: most,
  [suiteNames.p384]: most,
};

/**
 * How many devices one commit can add to a conversation. Who is there takes about half the place in its frame of who comes: the Welcome and the
 * GroupInfo each hold the tree.
 *
 * @param present - devices in the conversation
 */
export function roomFor(suite: SuiteName, present: number): number {
  const { added, together } = suiteLimits[suite];
  return Math.max(0, Math.min(added - Math.ceil(present / 2), together - present));
}
