import { aes128Gcm, aes256Gcm, type Aead } from "./aead.ts";
import { digest, hkdf, hmac, type HashName } from "./hash.ts";
import { nistAnswers } from "./known-answers-nist.ts";
import type { Primitives } from "./primitives.ts";
import { xaes256Gcm } from "./xaes.ts";

/** One computation whose result is known beforehand. */
export interface KnownAnswer {
  readonly name: string;
  /** @param primitives - whose randomness is {@link encapsulationSeed}, repeated */
  readonly compute: (primitives: Primitives) => Uint8Array;
  /** Hexadecimal. */
  readonly expected: string;
}

/** The randomness that the X-Wing answer was made with. Source: draft-connolly-cfrg-xwing-kem-10, appendix C. */
export const encapsulationSeed: Uint8Array = hex(
  "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2" +
    "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
);

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Seals, opens again, and opens a damaged copy; only when all three went right the ciphertext is the answer. */
function sealAndOpen(
  aead: Aead,
  input: { key: string; nonce: string; aad: string; plaintext: Uint8Array },
): Uint8Array {
  const [key, nonce, aad] = [hex(input.key), hex(input.nonce), hex(input.aad)];
  const sealed = aead.seal(key, nonce, aad, input.plaintext);
  const damaged = sealed.slice();
  damaged.set([(sealed[0] ?? 0) ^ 1]);
  const opened = aead.open(key, nonce, aad, sealed);
  const right =
    opened !== undefined &&
    Buffer.compare(opened, input.plaintext) === 0 &&
    aead.open(key, nonce, aad, damaged) === undefined;
  return right ? sealed : new Uint8Array(0);
}

const gcmInput = {
  nonce: "cafebabefacedbaddecaf888",
  aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
  plaintext: hex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  ),
} as const;

const ed25519Seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
const ed25519Signature =
  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

function hashOfAbc(name: HashName, expected: string): KnownAnswer {
  return { name, compute: () => digest(name, ascii("abc")), expected };
}

function hmacOfJefe(name: HashName, expected: string): KnownAnswer {
  return {
    name: `HMAC-${name}`,
    compute: () => hmac(name, ascii("Jefe"), ascii("what do ya want for nothing?")),
    expected,
  };
}

/** Run at each start, in every host: OpenSSL and BoringSSL must agree, and so must libsodium's two builds. */
export const knownAnswers: readonly KnownAnswer[] = [
  // FIPS 180-4 examples.
  hashOfAbc("SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  hashOfAbc(
    "SHA-384",
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
  ),
  hashOfAbc(
    "SHA-512",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  ),
  // RFC 4231 §4.3.
  hmacOfJefe("SHA-256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
  hmacOfJefe(
    "SHA-384",
    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
  ),
  hmacOfJefe(
    "SHA-512",
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554" +
      "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
  ),
  {
    name: "HKDF-SHA-256", // RFC 5869 A.1
    compute: () =>
      hkdf("SHA-256", new Uint8Array(22).fill(0x0b), {
        salt: hex("000102030405060708090a0b0c"),
        info: hex("f0f1f2f3f4f5f6f7f8f9"),
        sizeBytes: 42,
      }),
    expected:
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    name: "AES-128-GCM", // The Galois/Counter Mode of Operation (McGrew, Viega), test case 4
    compute: () => sealAndOpen(aes128Gcm, { ...gcmInput, key: "feffe9928665731c6d6a8f9467308308" }),
    expected:
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e" +
      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091" +
      "5bc94fbc3221a5db94fae95ae7121a47",
  },
  {
    name: "AES-256-GCM", // test case 16
    compute: () =>
      sealAndOpen(aes256Gcm, {
        ...gcmInput,
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
      }),
    expected:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" +
      "76fc6ece0f4e1768cddf8853bb2d551b",
  },
  {
    name: "XAES-256-GCM", // C2SP XAES-256-GCM, test vectors
    compute: () =>
      sealAndOpen(xaes256Gcm, {
        key: "03".repeat(32),
        nonce: Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWX").toString("hex"),
        aad: Buffer.from("c2sp.org/XAES-256-GCM").toString("hex"),
        plaintext: ascii("XAES-256-GCM"),
      }),
    expected: "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
  },
  {
    name: "ChaCha20-Poly1305", // RFC 8439 §2.8.2
    compute: ({ chacha20Poly1305 }) =>
      sealAndOpen(chacha20Poly1305, {
        key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        nonce: "070000004041424344454647",
        aad: "50515253c0c1c2c3c4c5c6c7",
        plaintext: ascii(
          "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
        ),
      }),
    expected:
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6" +
      "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36" +
      "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
      "3ff4def08e4b7a9de576d26586cec64b6116" +
      "1ae10b594f09e26a7e902ecbd0600691",
  },
  {
    name: "Ed25519 sign", // RFC 8032 §7.1, test 2
    compute: ({ ed25519 }) => ed25519.sign(hex(ed25519Seed), hex("72")),
    expected: ed25519Signature,
  },
  {
    name: "Ed25519 verify",
    compute: ({ ed25519 }: Primitives): Uint8Array => {
      const publicKey = ed25519.publicKeyOf(hex(ed25519Seed));
      const verifies = (message: string): boolean =>
        ed25519.verify(publicKey, hex(message), hex(ed25519Signature));
      return Uint8Array.of(Number(verifies("72")), Number(verifies("73")));
    },
    expected: "0100",
  },
  {
    name: "X25519", // RFC 7748 §5.2
    compute: ({ x25519 }) =>
      x25519.agree(
        hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
        hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
      ),
    expected: "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
  },
  {
    name: "X-Wing", // draft-connolly-cfrg-xwing-kem-10, appendix C
    compute: ({ xwing }: Primitives): Uint8Array => {
      const seed = hex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
      const sent = xwing.encapsulate(xwing.publicKeyOf(seed));
      const received = xwing.decapsulate(seed, sent.encapsulated);
      return Buffer.compare(sent.sharedSecret, received) === 0 ? received : new Uint8Array(0);
    },
    expected: "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384",
  },
  {
    name: "SHAKE256", // FIPS 202: of the empty string
    compute: ({ shake256 }) => shake256(new Uint8Array(0), 32),
    expected: "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f",
  },
  {
    name: "Argon2id", // the smallest cost libsodium takes; agrees with @noble/hashes (tests/unit/crypto/primitives)
    compute: ({ argon2id }) =>
      argon2id(ascii("password"), new Uint8Array(16), { passes: 1, memoryBytes: 8192 }, 32),
    expected: "c9a6de29d0aa7da6589bccaab4448c22ec30202096b855c4501b5c2c7fc388af",
  },
  ...nistAnswers,
];
