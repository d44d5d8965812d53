import { getCiphersuiteFromName, type CiphersuiteImpl, type Decoder } from "ts-mls";
import { getCiphersuiteNameFromId, type CiphersuiteId } from "ts-mls/crypto/ciphersuite.js";
import type { GroupContext } from "ts-mls";
import { isSupportedSuite, suiteNames } from "../../../crypto/mls/suites.ts";
import { createCiphersuiteImpl } from "../../../crypto/mls/provider.ts";
import { loadPrimitives } from "../../../crypto/primitives/index.ts";
import { fromHex } from "../../support/vectors.ts";

/** A vector made for one suite. */
export interface SuiteVector {
  readonly cipher_suite: number;
}

/** A vector with the implementation of its suite. */
export interface RunnableVector<Vector extends SuiteVector> {
  readonly vector: Vector;
  readonly impl: CiphersuiteImpl;
  readonly title: string;
}

const primitives = await loadPrimitives();
const impls = new Map<number, CiphersuiteImpl>();

function implOf(suiteId: number): CiphersuiteImpl {
  const known = impls.get(suiteId);
  if (known !== undefined) return known;
  const name = getCiphersuiteNameFromId(suiteId as CiphersuiteId);
  if (!isSupportedSuite(name)) throw new Error(`suite ${String(suiteId)} is not one of ours`);
  const impl = createCiphersuiteImpl(primitives, getCiphersuiteFromName(name));
  impls.set(suiteId, impl);
  return impl;
}

/** Every vector, with our provider's implementation of its suite. */
export function runnable<Vector extends SuiteVector>(
  vectors: readonly Vector[],
): readonly RunnableVector<Vector>[] {
  return vectors.map((vector, index) => ({
    vector,
    impl: implOf(vector.cipher_suite),
    title: `vector ${String(index)}, suite ${String(vector.cipher_suite)}`,
  }));
}

/** Private keys of the suites on NIST curves, bytes. Source: RFC 9180 §7.1. */
const nistPrivateKeyBytes: Readonly<Partial<Record<CiphersuiteImpl["name"], number>>> = {
  [suiteNames.p256]: 32,
  [suiteNames.p384]: 48,
  [suiteNames.p521]: 66,
};

/** A vector's private key. Those of NIST curves are numbers there, written without the zeroes in front that RFC 9180 wants. */
export function privateKeyFromHex(hex: string, { name }: CiphersuiteImpl): Uint8Array {
  return fromHex(hex.padStart(2 * (nistPrivateKeyBytes[name] ?? 0), "0"));
}

/** Decodes the whole of `bytes`. */
export function decodeAll<Value>(decode: Decoder<Value>, bytes: Uint8Array): Value {
  const decoded = decode(bytes, 0);
  if (decoded?.[1] !== bytes.length) throw new Error("does not decode, or not to the end");
  return decoded[0];
}

/** The group context that key-schedule and message-protection vectors describe. */
export function groupContextOf(
  impl: CiphersuiteImpl,
  fields: Pick<GroupContext, "groupId" | "epoch" | "treeHash" | "confirmedTranscriptHash">,
): GroupContext {
  return { version: "mls10", cipherSuite: impl.name, extensions: [], ...fields };
}
