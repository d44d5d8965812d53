import { encodeCbor, idFromBytes, type RendezvousId } from "#protocol";
import { readCode } from "../identity/person-code.ts";
import { hkdf, SecretBytes } from "../primitives/index.ts";

/** What follows from a code. Secret: `secret` and `wrapKey`. */
export interface CodeKeys {
  readonly secret: SecretBytes;
  /** Seals the handshake's messages, so that whoever doesn't have the code can neither read nor change them. */
  readonly wrapKey: SecretBytes;
  readonly rendezvousId: RendezvousId;
}

const rendezvousIdBytes = 16;
const keyBytes = 32;

/** @param secret - 16 bytes, taken over. Source of the derivations: HKDF, RFC 5869. */
export function codeKeysOf(secret: Uint8Array): CodeKeys {
  const derive = (purpose: string, sizeBytes: number): Uint8Array =>
    hkdf("SHA-256", secret, {
      info: encodeCbor(["Sotto 1.0", "linking", purpose]),
      sizeBytes,
    });
  return {
    rendezvousId: idFromBytes<RendezvousId>(derive("rendezvous", rendezvousIdBytes)),
    wrapKey: new SecretBytes(derive("handshake", keyBytes)),
    secret: new SecretBytes(secret),
  };
}

/** @returns undefined for what is no whole code */
export function readCodeKeys(code: string): CodeKeys | undefined {
  const secret = readCode(code);
  return secret === undefined ? undefined : codeKeysOf(secret);
}

export function wipeCodeKeys({ secret, wrapKey }: CodeKeys): void {
  secret.wipe();
  wrapKey.wipe();
}
