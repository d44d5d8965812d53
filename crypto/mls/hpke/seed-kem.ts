import { concatBytes } from "#protocol";
import { wipe, type KeyEncapsulation, type Primitives } from "../../primitives/index.ts";
import type { Kem, KemKeyPair } from "./kem.ts";
import { ascii, labeledDeriveInput, twoBytes } from "./labeled.ts";

/**
 * A mechanism whose private keys are seeds, as HPKE uses it. Source: draft-ietf-hpke-pq-05 §3, §4.
 *
 * @param id - IANA registry "HPKE KEM Identifiers"
 */
function createSeedKem(
  id: number,
  encapsulation: KeyEncapsulation,
  { random, shake256 }: Primitives,
): Kem {
  const suiteId = concatBytes(ascii("KEM"), twoBytes(id));
  const { privateKeyBytes, publicKeyBytes } = encapsulation;

  function keyPairOf(privateKey: Uint8Array): KemKeyPair {
    return { privateKey, publicKey: encapsulation.publicKeyOf(privateKey) };
  }

  return {
    id,
    privateKeyBytes,
    publicKeyBytes,
    generateKeyPair: () => keyPairOf(random(privateKeyBytes)),
    deriveKeyPair(inputKey) {
      const input = labeledDeriveInput(suiteId, inputKey, "DeriveKeyPair", privateKeyBytes);
      const privateKey = shake256(input, privateKeyBytes);
      wipe(input);
      return keyPairOf(privateKey);
    },
    encapsulate: (publicKey) => encapsulation.encapsulate(publicKey),
    decapsulate: (privateKey, encapsulated) => encapsulation.decapsulate(privateKey, encapsulated),
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
export function createXWingKem(primitives: Primitives): Kem {
  return createSeedKem(0x647a, primitives.xwing, primitives);
}

/** ML-KEM-1024, KEM 0x0042. Source: draft-ietf-hpke-pq-05 §3. */
export function createMlKem1024Kem(primitives: Primitives): Kem {
  return createSeedKem(0x0042, primitives.mlKem1024, primitives);
}
