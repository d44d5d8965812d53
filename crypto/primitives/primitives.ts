import { createChaCha20Poly1305, type Aead } from "./aead.ts";
import { loadArgon2id, type Argon2id } from "./argon2id.ts";
import { systemRandom, type RandomSource } from "./bytes.ts";
import { x448Agreement } from "./curve448.ts";
import type { Ed25519 } from "./ed25519.ts";
import { createKeyAgreement, type KeyAgreement } from "./key-agreement.ts";
import type { KeyEncapsulation } from "./key-encapsulation.ts";
import type { NistCurve } from "./key-objects.ts";
import { createMlKem1024 } from "./ml-kem-1024.ts";
import { createSignatures, type SignatureName } from "./signatures.ts";
import type { SignatureScheme } from "./signature.ts";
import { loadSodium } from "./sodium.ts";
import { createXWing, type XWing } from "./xwing.ts";

/** What needs randomness, a cache or libsodium. Hashes and AES-GCM need nothing and are plain exports. */
export interface Primitives {
  readonly random: RandomSource;
  readonly ed25519: Ed25519;
  /** Every signature scheme, {@link Primitives.ed25519} among them. */
  readonly signatures: Readonly<Record<SignatureName, SignatureScheme>>;
  readonly x25519: KeyAgreement;
  readonly x448: KeyAgreement;
  readonly ecdh: Readonly<Record<NistCurve, KeyAgreement>>;
  readonly xwing: XWing;
  readonly mlKem1024: KeyEncapsulation;
  readonly chacha20Poly1305: Aead;
  /** Source: FIPS 202 §6.2. */
  readonly shake256: (data: Uint8Array, sizeBytes: number) => Uint8Array;
  readonly argon2id: Argon2id;
  readonly libsodiumVersion: string;
}

/** @param random - the operating system's generator except in tests */
export async function loadPrimitives(random: RandomSource = systemRandom): Promise<Primitives> {
  const [sodium, argon2id] = await Promise.all([loadSodium(), loadArgon2id()]);
  const signatures = createSignatures(random);
  return {
    random,
    argon2id,
    libsodiumVersion: sodium.SODIUM_VERSION_STRING,
    ed25519: signatures.Ed25519,
    signatures,
    x25519: createKeyAgreement("X25519"),
    x448: x448Agreement,
    ecdh: {
      "P-256": createKeyAgreement("P-256"),
      "P-384": createKeyAgreement("P-384"),
      "P-521": createKeyAgreement("P-521"),
    },
    xwing: createXWing(sodium, random),
    mlKem1024: createMlKem1024(random),
    chacha20Poly1305: createChaCha20Poly1305(sodium),
    shake256: (data, sizeBytes) => sodium.crypto_xof_shake256(sizeBytes, data),
  };
}
