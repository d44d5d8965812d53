export { aes128Gcm, aes256Gcm, type Aead } from "./aead.ts";
export { argon2idSaltBytes, type Argon2id, type Argon2idCost } from "./argon2id.ts";
export { equalConstantTime, systemRandom, wipe, type RandomSource } from "./bytes.ts";
export type { Ed25519, SignatureKeyPair } from "./ed25519.ts";
export {
  digest,
  hashSizeBytes,
  hkdf,
  hkdfExpand,
  hkdfExtract,
  hmac,
  verifyHmac,
  type HashName,
} from "./hash.ts";
export { loadPrimitives, type Primitives } from "./primitives.ts";
export { SecretBytes } from "./secret-bytes.ts";
export { runSelfTest, type SelfTestReport } from "./self-test.ts";
export type { X25519 } from "./x25519.ts";
export { xwingSizes, type Encapsulation, type XWing } from "./xwing.ts";
export { xaes256Gcm } from "./xaes.ts";
