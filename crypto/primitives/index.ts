export { aes128Gcm, aes256Gcm, type Aead } from "./aead.ts";
export { argon2idSaltBytes, type Argon2id, type Argon2idCost } from "./argon2id.ts";
export { equalConstantTime, systemRandom, wipe, type RandomSource } from "./bytes.ts";
export { firstPrivateKey } from "./ecdsa.ts";
export type { Ed25519 } from "./ed25519.ts";
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
export type { KeyAgreement } from "./key-agreement.ts";
export type { Encapsulation, KeyEncapsulation } from "./key-encapsulation.ts";
export type { NistCurve } from "./key-objects.ts";
export { loadPrimitives, type Primitives } from "./primitives.ts";
export { SecretBytes } from "./secret-bytes.ts";
export type { RarePrimitive } from "./known-answers-rare.ts";
export { checkRarePrimitives, runSelfTest, type SelfTestReport } from "./self-test.ts";
export type { SignatureKeyPair, SignatureScheme } from "./signature.ts";
export { createSignatures, type SignatureName } from "./signatures.ts";
export { xwingSizes, type XWing } from "./xwing.ts";
export { deriveXaesKey, xaes256Gcm, xaesDerivingBytes } from "./xaes.ts";
