import { AppError, concatBytes } from "#protocol";
import { wipe, xwingSizes, type Encapsulation, type Primitives } from "../../primitives/index.ts";
import { ascii, createLabeledKdf, labeledDeriveInput, twoBytes } from "./labeled.ts";

/** A raw HPKE key pair. Secret: `privateKey`; its owner wipes it. */
export interface KemKeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** A key encapsulation mechanism in the form HPKE asks for. Source: RFC 9180 §4. */
export interface Kem {
  /** Source: IANA registry "HPKE KEM Identifiers". */
  readonly id: number;
  readonly publicKeyBytes: number;
  readonly privateKeyBytes: number;
  generateKeyPair(): KemKeyPair;
  deriveKeyPair(inputKey: Uint8Array): KemKeyPair;
  /** @throws AppError `argument-invalid` for a public key that isn't one */
  encapsulate(publicKey: Uint8Array): Encapsulation;
  /** @throws AppError `argument-invalid` */
  decapsulate(privateKey: Uint8Array, encapsulated: Uint8Array): Uint8Array;
}

const keyBytes = 32;
const empty = new Uint8Array(0);

/** DHKEM(X25519, HKDF-SHA256), KEM 0x0020. Source: RFC 9180 §4.1, §7.1.3. */
export function createDhkemX25519({ x25519, random }: Primitives): Kem {
  const id = 0x0020;
  const kdf = createLabeledKdf("SHA-256", concatBytes(ascii("KEM"), twoBytes(id)));

  function keyPairOf(privateKey: Uint8Array): KemKeyPair {
    return { privateKey, publicKey: x25519.publicKeyOf(privateKey) };
  }

  /** ExtractAndExpand, §4.1. */
  function sharedSecret(agreed: Uint8Array, kemContext: Uint8Array): Uint8Array {
    const pseudorandomKey = kdf.extract(empty, "eae_prk", agreed);
    const secret = kdf.expand(pseudorandomKey, "shared_secret", kemContext, keyBytes);
    wipe(agreed, pseudorandomKey);
    return secret;
  }

  return {
    id,
    publicKeyBytes: keyBytes,
    privateKeyBytes: keyBytes,
    generateKeyPair: () => keyPairOf(random(keyBytes)),
    deriveKeyPair(inputKey) {
      const pseudorandomKey = kdf.extract(empty, "dkp_prk", inputKey);
      const privateKey = kdf.expand(pseudorandomKey, "sk", empty, keyBytes);
      wipe(pseudorandomKey);
      return keyPairOf(privateKey);
    },
    encapsulate(publicKey) {
      const ephemeral = keyPairOf(random(keyBytes));
      const agreed = x25519.agree(ephemeral.privateKey, publicKey);
      wipe(ephemeral.privateKey);
      return {
        encapsulated: ephemeral.publicKey,
        sharedSecret: sharedSecret(agreed, concatBytes(ephemeral.publicKey, publicKey)),
      };
    },
    decapsulate(privateKey, encapsulated) {
      const agreed = x25519.agree(privateKey, encapsulated);
      const publicKey = x25519.publicKeyOf(privateKey);
      return sharedSecret(agreed, concatBytes(encapsulated, publicKey));
    },
  };
}

/**
 * MLKEM768-X25519, KEM 0x647a, also known as X-Wing.
 *
 * Two drafts share this code point and derive different key pairs from the same input: draft-connolly-cfrg-xwing-kem takes
 * SHAKE256 of it, draft-ietf-hpke-pq takes SHAKE256.LabeledDerive. draft-ietf-mls-pq-ciphersuites builds on the latter, and
 * every node of an MLS tree is derived this way, so the latter it is (docs/adr/0008).
 *
 * Source: draft-ietf-hpke-pq-05 §4.
 */
export function createXWingKem({ xwing, random, shake256 }: Primitives): Kem {
  const id = 0x647a;
  const suiteId = concatBytes(ascii("KEM"), twoBytes(id));
  const { publicKeyBytes, privateKeyBytes } = xwingSizes;

  function keyPairOf(privateKey: Uint8Array): KemKeyPair {
    return { privateKey, publicKey: xwing.publicKeyOf(privateKey) };
  }

  return {
    id,
    publicKeyBytes,
    privateKeyBytes,
    generateKeyPair: () => keyPairOf(random(privateKeyBytes)),
    deriveKeyPair(inputKey) {
      const input = labeledDeriveInput(suiteId, inputKey, "DeriveKeyPair", privateKeyBytes);
      const privateKey = shake256(input, privateKeyBytes);
      wipe(input);
      return keyPairOf(privateKey);
    },
    encapsulate: (publicKey) => xwing.encapsulate(publicKey),
    decapsulate: (privateKey, encapsulated) => xwing.decapsulate(privateKey, encapsulated),
  };
}

/** @throws AppError `argument-invalid` unless `key` has `sizeBytes` */
export function ensureKeySize(key: Uint8Array, sizeBytes: number): Uint8Array {
  if (key.length === sizeBytes) return key;
  throw new AppError("argument-invalid", { data: { keyBytes: key.length } });
}
