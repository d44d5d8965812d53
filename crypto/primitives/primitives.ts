import { createChaCha20Poly1305, type Aead } from "./aead.ts";
import { loadArgon2id, type Argon2id } from "./argon2id.ts";
import { systemRandom, type RandomSource } from "./bytes.ts";
import { createEd25519, type Ed25519 } from "./ed25519.ts";
import { loadSodium } from "./sodium.ts";
import { createX25519, type X25519 } from "./x25519.ts";
import { createXWing, type XWing } from "./xwing.ts";

/** What needs randomness, a cache or libsodium. Hashes and AES-GCM need nothing and are plain exports. */
export interface Primitives {
  readonly random: RandomSource;
  readonly ed25519: Ed25519;
  readonly x25519: X25519;
  readonly xwing: XWing;
  readonly chacha20Poly1305: Aead;
  /** Source: FIPS 202 §6.2. */
  readonly shake256: (data: Uint8Array, sizeBytes: number) => Uint8Array;
  readonly argon2id: Argon2id;
  readonly libsodiumVersion: string;
}

/** @param random - the operating system's generator except in tests */
export async function loadPrimitives(random: RandomSource = systemRandom): Promise<Primitives> {
  const [sodium, argon2id] = await Promise.all([loadSodium(), loadArgon2id()]);
  return {
    random,
    argon2id,
    libsodiumVersion: sodium.SODIUM_VERSION_STRING,
    ed25519: createEd25519(random),
    x25519: createX25519(),
    xwing: createXWing(sodium, random),
    chacha20Poly1305: createChaCha20Poly1305(sodium),
    shake256: (data, sizeBytes) => sodium.crypto_xof_shake256(sizeBytes, data),
  };
}
