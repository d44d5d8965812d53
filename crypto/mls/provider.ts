import type {
  AeadAlgorithm,
  Ciphersuite,
  CiphersuiteImpl,
  CryptoProvider,
  Hpke,
  KdfAlgorithm,
  KemAlgorithm,
  PrivateKey,
  PublicKey,
} from "ts-mls";
import { AppError } from "#protocol";
import {
  aes128Gcm,
  aes256Gcm,
  digest,
  hashSizeBytes,
  hkdfExpand,
  hkdfExtract,
  hmac,
  loadPrimitives,
  verifyHmac,
  type Aead,
  type HashName,
  type Primitives,
  type RarePrimitive,
} from "../primitives/index.ts";
import { createHpke } from "./hpke/hpke.ts";
import { createDhkemNist, createDhkemX25519, createDhkemX448 } from "./hpke/dhkem.ts";
import { ensureKeySize, type Kem, type KemKeyPair } from "./hpke/kem.ts";
import { createMlKem1024Kem, createXWingKem } from "./hpke/seed-kem.ts";
import { isSupportedSuite } from "./suites.ts";

const empty = new Uint8Array(0);

/**
 * The algorithms of a suite, on libsodium, Node's crypto and the noble libraries.
 *
 * Everything is computed at once: WebCrypto's thread pool, which the library's own provider uses, costs more per call than the
 * calls themselves.
 *
 * @throws AppError `argument-invalid` for a suite that Sotto doesn't speak
 * Source: RFC 9420 §5.1.
 */
export function createCiphersuiteImpl(primitives: Primitives, suite: Ciphersuite): CiphersuiteImpl {
  if (!isSupportedSuite(suite.name)) throw unsupported(suite);
  const { signatures, random } = primitives;
  const signature = signatures[suite.signature];
  return {
    name: suite.name,
    rng: { randomBytes: random },
    hash: {
      digest: promising((data) => digest(suite.hash, data)),
      mac: promising((key, data) => hmac(suite.hash, key, data)),
      verifyMac: promising((key, tag, data) => verifyHmac(suite.hash, key, data, tag)),
    },
    kdf: createKdf(kdfHash(suite.hpke.kdf)),
    signature: {
      sign: promising((privateKey, message) => signature.sign(privateKey, message)),
      verify: promising((publicKey, message, signed) =>
        signature.verify(publicKey, message, signed),
      ),
      keygen: promising(() => {
        const { publicKey, privateKey } = signature.generateKeyPair();
        return { publicKey, signKey: privateKey };
      }),
    },
    hpke: createMlsHpke(primitives, suite),
  };
}

/** What a suite uses that isn't checked at each start. */
export function rarePrimitivesOf({ hpke, signature }: Ciphersuite): readonly RarePrimitive[] {
  return [
    ...(hpke.kem === "DHKEM-X448-HKDF-SHA512" ? (["X448"] as const) : []),
    ...(hpke.kem === "ML-KEM-1024" ? (["ML-KEM-1024"] as const) : []),
    ...(signature === "Ed448" || signature === "ML-DSA-87" ? [signature] : []),
  ];
}

/** Our provider for ts-mls, with the suites of {@link isSupportedSuite}. */
export const sodiumCryptoProvider: CryptoProvider = {
  getCiphersuiteImpl: async (suite) => createCiphersuiteImpl(await loadPrimitives(), suite),
};

function unsupported(suite: Ciphersuite): AppError {
  return new AppError("argument-invalid", { data: { suite: suite.name } });
}

function kdfHash(kdf: KdfAlgorithm): HashName {
  switch (kdf) {
    case "HKDF-SHA256":
      return "SHA-256";
    case "HKDF-SHA384":
      return "SHA-384";
    case "HKDF-SHA512":
      return "SHA-512";
  }
}

/** The library asks for promises; what is thrown becomes a rejection. */
function promising<Parameters extends readonly unknown[], Result>(
  compute: (...parameters: Parameters) => Result,
): (...parameters: Parameters) => Promise<Result> {
  return (...parameters) =>
    new Promise((resolve) => {
      resolve(compute(...parameters));
    });
}

function createKdf(hash: HashName): CiphersuiteImpl["kdf"] {
  return {
    size: hashSizeBytes(hash),
    extract: promising((salt, inputKey) => hkdfExtract(hash, salt, inputKey)),
    expand: promising((pseudorandomKey, info, sizeBytes) =>
      hkdfExpand(hash, pseudorandomKey, info, sizeBytes),
    ),
  };
}

// Source: IANA registry "HPKE AEAD Identifiers".
function aeadOf(
  primitives: Primitives,
  name: AeadAlgorithm,
): { readonly aead: Aead; readonly aeadId: number } {
  switch (name) {
    case "AES128GCM":
      return { aead: aes128Gcm, aeadId: 1 };
    case "AES256GCM":
      return { aead: aes256Gcm, aeadId: 2 };
    case "CHACHA20POLY1305":
      return { aead: primitives.chacha20Poly1305, aeadId: 3 };
  }
}

function kemOf(primitives: Primitives, name: KemAlgorithm): Kem | undefined {
  switch (name) {
    case "DHKEM-X25519-HKDF-SHA256":
      return createDhkemX25519(primitives);
    case "DHKEM-X448-HKDF-SHA512":
      return createDhkemX448(primitives);
    case "DHKEM-P256-HKDF-SHA256":
      return createDhkemNist(primitives, "P-256");
    case "DHKEM-P384-HKDF-SHA384":
      return createDhkemNist(primitives, "P-384");
    case "DHKEM-P521-HKDF-SHA512":
      return createDhkemNist(primitives, "P-521");
    case "X-Wing":
      return createXWingKem(primitives);
    case "ML-KEM-1024":
      return createMlKem1024Kem(primitives);
    case "ML-KEM-512":
    case "ML-KEM-768":
      return undefined;
  }
}

// The library's key types are WebCrypto's, but it only ever passes them back: ours are the raw bytes.
function opaque(key: Uint8Array): PrivateKey & PublicKey {
  return key as unknown as PrivateKey & PublicKey;
}
function raw(key: PrivateKey | PublicKey): Uint8Array {
  return key as unknown as Uint8Array;
}
function opaquePair(pair: KemKeyPair): { privateKey: PrivateKey; publicKey: PublicKey } {
  return { privateKey: opaque(pair.privateKey), publicKey: opaque(pair.publicKey) };
}

function opened(plaintext: Uint8Array | undefined): Uint8Array {
  if (plaintext === undefined) throw new AppError("message-unopenable");
  return plaintext;
}

function createMlsHpke(primitives: Primitives, suite: Ciphersuite): Hpke {
  const kem = kemOf(primitives, suite.hpke.kem);
  if (kem === undefined) throw unsupported(suite);
  const { aead, aeadId } = aeadOf(primitives, suite.hpke.aead);
  const hpke = createHpke({ kem, aead, aeadId, hash: kdfHash(suite.hpke.kdf) });
  return {
    keyLength: aead.keyBytes,
    nonceLength: aead.nonceBytes,
    seal: promising((publicKey, plaintext, info, aad = empty) => {
      const sealed = hpke.seal(raw(publicKey), { info, aad }, plaintext);
      return { enc: sealed.encapsulated, ct: sealed.ciphertext };
    }),
    open: promising((...[privateKey, kemOutput, ciphertext, info, aad]: Parameters<Hpke["open"]>) =>
      opened(hpke.open(raw(privateKey), kemOutput, { info, aad: aad ?? empty }, ciphertext)),
    ),
    exportSecret: promising((publicKey, exporterContext, length, info) => {
      const sent = hpke.sendExport(raw(publicKey), info, exporterContext, length);
      return { enc: sent.encapsulated, secret: sent.secret };
    }),
    importSecret: promising(
      (
        ...[privateKey, exporterContext, encapsulated, length, info]: Parameters<
          Hpke["importSecret"]
        >
      ) => hpke.receiveExport(raw(privateKey), { encapsulated, info }, exporterContext, length),
    ),
    importPrivateKey: promising((key) => opaque(ensureKeySize(key, kem.privateKeyBytes))),
    importPublicKey: promising((key) => opaque(ensureKeySize(key, kem.publicKeyBytes))),
    exportPublicKey: promising(raw),
    exportPrivateKey: promising(raw),
    deriveKeyPair: promising((inputKey) => opaquePair(kem.deriveKeyPair(inputKey))),
    generateKeyPair: promising(() => opaquePair(kem.generateKeyPair())),
    encryptAead: promising((key, nonce, aad, plaintext) =>
      aead.seal(key, nonce, aad ?? empty, plaintext),
    ),
    decryptAead: promising((key, nonce, aad, ciphertext) =>
      opened(aead.open(key, nonce, aad ?? empty, ciphertext)),
    ),
  };
}
