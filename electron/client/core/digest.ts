/** SHA-256, by which a ciphertext of ours is known again. Source: FIPS 180-4. */
export async function digestOf(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
}
