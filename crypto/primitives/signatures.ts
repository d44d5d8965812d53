import type { RandomSource } from "./bytes.ts";
import { createEd448 } from "./curve448.ts";
import { createEcdsa } from "./ecdsa.ts";
import { createEd25519 } from "./ed25519.ts";
import { createMlDsa87 } from "./ml-dsa-87.ts";
import type { SignatureScheme } from "./signature.ts";

/** The signature schemes of the suites, as ts-mls names them. */
export type SignatureName = "Ed25519" | "Ed448" | "P256" | "P384" | "P521" | "ML-DSA-87";

/** @param random - where private keys come from */
export function createSignatures(
  random: RandomSource,
): Readonly<Record<SignatureName, SignatureScheme>> {
  return {
    Ed25519: createEd25519(random),
    Ed448: createEd448(random),
    P256: createEcdsa("P-256", random),
    P384: createEcdsa("P-384", random),
    P521: createEcdsa("P-521", random),
    "ML-DSA-87": createMlDsa87(random),
  };
}
