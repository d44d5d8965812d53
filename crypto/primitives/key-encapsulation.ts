/** A sender's half of a key encapsulation. Secret: `sharedSecret`; its caller wipes it. */
export interface Encapsulation {
  readonly encapsulated: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

/** A key encapsulation mechanism whose private keys are seeds. */
export interface KeyEncapsulation {
  readonly privateKeyBytes: number;
  readonly publicKeyBytes: number;
  /** @throws AppError `argument-invalid` for a private key of another size */
  publicKeyOf(privateKey: Uint8Array): Uint8Array;
  /** @throws AppError `argument-invalid` for a public key that isn't one */
  encapsulate(publicKey: Uint8Array): Encapsulation;
  /**
   * Never tells whether `encapsulated` was made for this key: ML-KEM rejects implicitly (FIPS 203 §6.3).
   *
   * @throws AppError `argument-invalid` for inputs of another size
   */
  decapsulate(privateKey: Uint8Array, encapsulated: Uint8Array): Uint8Array;
}
