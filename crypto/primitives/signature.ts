/** A signature key pair, raw. Secret: `privateKey`; its owner wipes it. */
export interface SignatureKeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** A signature scheme on raw keys. */
export interface SignatureScheme {
  generateKeyPair(): SignatureKeyPair;
  /** @throws AppError `argument-invalid` for what is no private key */
  publicKeyOf(privateKey: Uint8Array): Uint8Array;
  /** @throws AppError `argument-invalid` for what is no private key */
  sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array;
  /** @returns `false` for a wrong signature, and for keys and signatures that aren't any */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
