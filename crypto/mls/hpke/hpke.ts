import { concatBytes } from "#protocol";
import { wipe, type Aead, type HashName } from "../../primitives/index.ts";
import type { Kem } from "./kem.ts";
import { ascii, createLabeledKdf, twoBytes } from "./labeled.ts";

/** The algorithms of an HPKE suite. */
export interface HpkeSuite {
  readonly kem: Kem;
  readonly hash: HashName;
  readonly aead: Aead;
  /** Source: IANA registry "HPKE AEAD Identifiers". */
  readonly aeadId: number;
}

/** What sender and recipient bind a message to. */
export interface HpkeBinding {
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
}

/** Single-shot HPKE in base mode. Source: RFC 9180 §5.1.1, §6.1, §6.2. */
export interface HpkeBase {
  seal(
    publicKey: Uint8Array,
    binding: HpkeBinding,
    plaintext: Uint8Array,
  ): { readonly encapsulated: Uint8Array; readonly ciphertext: Uint8Array };
  /** @returns `undefined` when the ciphertext wasn't made for this key and binding */
  open(
    privateKey: Uint8Array,
    encapsulated: Uint8Array,
    binding: HpkeBinding,
    ciphertext: Uint8Array,
  ): Uint8Array | undefined;
  /** A secret both sides know, without a message. Secret: `secret`; its caller wipes it. */
  sendExport(
    publicKey: Uint8Array,
    info: Uint8Array,
    exporterContext: Uint8Array,
    sizeBytes: number,
  ): { readonly encapsulated: Uint8Array; readonly secret: Uint8Array };
  receiveExport(
    privateKey: Uint8Array,
    sent: { readonly encapsulated: Uint8Array; readonly info: Uint8Array },
    exporterContext: Uint8Array,
    sizeBytes: number,
  ): Uint8Array;
}

// Source: IANA registry "HPKE KDF Identifiers".
const kdfIds: Readonly<Record<HashName, number>> = { "SHA-256": 1, "SHA-384": 2, "SHA-512": 3 };
const baseMode = Uint8Array.of(0);
const empty = new Uint8Array(0);

export function createHpke({ kem, hash, aead, aeadId }: HpkeSuite): HpkeBase {
  const suiteId = concatBytes(
    ascii("HPKE"),
    twoBytes(kem.id),
    twoBytes(kdfIds[hash]),
    twoBytes(aeadId),
  );
  const kdf = createLabeledKdf(hash, suiteId);
  const pskIdHash = kdf.extract(empty, "psk_id_hash", empty);

  /** KeySchedule<ROLE> in base mode, §5.1; takes `sharedSecret` over. */
  function keySchedule(sharedSecret: Uint8Array, info: Uint8Array) {
    const context = concatBytes(baseMode, pskIdHash, kdf.extract(empty, "info_hash", info));
    const secret = kdf.extract(sharedSecret, "secret", empty);
    wipe(sharedSecret);
    return { context, secret };
  }

  function keyAndNonce(sharedSecret: Uint8Array, info: Uint8Array) {
    const { context, secret } = keySchedule(sharedSecret, info);
    const key = kdf.expand(secret, "key", context, aead.keyBytes);
    const nonce = kdf.expand(secret, "base_nonce", context, aead.nonceBytes);
    wipe(secret);
    return { key, nonce };
  }

  /** §5.3. */
  function exported(
    sharedSecret: Uint8Array,
    info: Uint8Array,
    exporterContext: Uint8Array,
    sizeBytes: number,
  ): Uint8Array {
    const { context, secret } = keySchedule(sharedSecret, info);
    const exporterSecret = kdf.expand(secret, "exp", context, kdf.hashBytes);
    const result = kdf.expand(exporterSecret, "sec", exporterContext, sizeBytes);
    wipe(secret, exporterSecret);
    return result;
  }

  return {
    seal(publicKey, { info, aad }, plaintext) {
      const { encapsulated, sharedSecret } = kem.encapsulate(publicKey);
      const { key, nonce } = keyAndNonce(sharedSecret, info);
      const ciphertext = aead.seal(key, nonce, aad, plaintext);
      wipe(key);
      return { encapsulated, ciphertext };
    },
    open(privateKey, encapsulated, { info, aad }, ciphertext) {
      const { key, nonce } = keyAndNonce(kem.decapsulate(privateKey, encapsulated), info);
      const plaintext = aead.open(key, nonce, aad, ciphertext);
      wipe(key);
      return plaintext;
    },
    sendExport(publicKey, info, exporterContext, sizeBytes) {
      const { encapsulated, sharedSecret } = kem.encapsulate(publicKey);
      return { encapsulated, secret: exported(sharedSecret, info, exporterContext, sizeBytes) };
    },
    receiveExport(privateKey, { encapsulated, info }, exporterContext, sizeBytes) {
      const sharedSecret = kem.decapsulate(privateKey, encapsulated);
      return exported(sharedSecret, info, exporterContext, sizeBytes);
    },
  };
}
