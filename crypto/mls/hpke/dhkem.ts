import { concatBytes } from "#protocol";
import {
  firstPrivateKey,
  hashSizeBytes,
  wipe,
  type HashName,
  type KeyAgreement,
  type NistCurve,
  type Primitives,
} from "../../primitives/index.ts";
import type { Kem, KemKeyPair } from "./kem.ts";
import { ascii, createLabeledKdf, twoBytes } from "./labeled.ts";

/** What Diffie-Hellman KEMs differ in. Source: RFC 9180 §7.1. */
interface DhkemFacts {
  /** Source: IANA registry "HPKE KEM Identifiers". */
  readonly id: number;
  readonly hash: HashName;
  readonly agreement: KeyAgreement;
  /** The curve, when not every byte string is one of its private keys. */
  readonly nistCurve: NistCurve | null;
}

const empty = new Uint8Array(0);

/** Source: RFC 9180 §4.1. */
function createDhkem({ id, hash, agreement, nistCurve }: DhkemFacts, { random }: Primitives): Kem {
  const { privateKeyBytes, publicKeyBytes } = agreement;
  const kdf = createLabeledKdf(hash, concatBytes(ascii("KEM"), twoBytes(id)));

  function keyPairOf(privateKey: Uint8Array): KemKeyPair {
    return { privateKey, publicKey: agreement.publicKeyOf(privateKey) };
  }

  function generateKeyPair(): KemKeyPair {
    const draw = (): Uint8Array => random(privateKeyBytes);
    return keyPairOf(nistCurve === null ? draw() : firstPrivateKey(nistCurve, draw));
  }

  /** ExtractAndExpand; wipes `agreed`. */
  function sharedSecret(agreed: Uint8Array, kemContext: Uint8Array): Uint8Array {
    const pseudorandomKey = kdf.extract(empty, "eae_prk", agreed);
    const secret = kdf.expand(pseudorandomKey, "shared_secret", kemContext, hashSizeBytes(hash));
    wipe(agreed, pseudorandomKey);
    return secret;
  }

  return {
    id,
    privateKeyBytes,
    publicKeyBytes,
    generateKeyPair,
    // §7.1.3.
    deriveKeyPair(inputKey) {
      const pseudorandomKey = kdf.extract(empty, "dkp_prk", inputKey);
      const privateKey =
        nistCurve === null
          ? kdf.expand(pseudorandomKey, "sk", empty, privateKeyBytes)
          : firstPrivateKey(nistCurve, (counter) =>
              kdf.expand(pseudorandomKey, "candidate", Uint8Array.of(counter), privateKeyBytes),
            );
      wipe(pseudorandomKey);
      return keyPairOf(privateKey);
    },
    encapsulate(publicKey) {
      const ephemeral = generateKeyPair();
      const agreed = agreement.agree(ephemeral.privateKey, publicKey);
      wipe(ephemeral.privateKey);
      return {
        encapsulated: ephemeral.publicKey,
        sharedSecret: sharedSecret(agreed, concatBytes(ephemeral.publicKey, publicKey)),
      };
    },
    decapsulate(privateKey, encapsulated) {
      const agreed = agreement.agree(privateKey, encapsulated);
      const publicKey = agreement.publicKeyOf(privateKey);
      return sharedSecret(agreed, concatBytes(encapsulated, publicKey));
    },
  };
}

/** DHKEM(X25519, HKDF-SHA256). */
export function createDhkemX25519(primitives: Primitives): Kem {
  const agreement = primitives.x25519;
  return createDhkem({ id: 0x0020, hash: "SHA-256", agreement, nistCurve: null }, primitives);
}

/** DHKEM(X448, HKDF-SHA512). */
export function createDhkemX448(primitives: Primitives): Kem {
  const agreement = primitives.x448;
  return createDhkem({ id: 0x0021, hash: "SHA-512", agreement, nistCurve: null }, primitives);
}

const nistKems: Readonly<Record<NistCurve, Pick<DhkemFacts, "id" | "hash">>> = {
  "P-256": { id: 0x0010, hash: "SHA-256" },
  "P-384": { id: 0x0011, hash: "SHA-384" },
  "P-521": { id: 0x0012, hash: "SHA-512" },
};

/** DHKEM on a NIST curve, with the hash of its strength. */
export function createDhkemNist(primitives: Primitives, nistCurve: NistCurve): Kem {
  const agreement = primitives.ecdh[nistCurve];
  return createDhkem({ ...nistKems[nistCurve], agreement, nistCurve }, primitives);
}
