import { getCiphersuiteFromName, type CiphersuiteImpl, type Decoder } from "ts-mls";
import { getCiphersuiteNameFromId, type CiphersuiteId } from "ts-mls/crypto/ciphersuite.js";
import type { GroupContext } from "ts-mls";
import { isSupportedSuite } from "../../../crypto/mls/suites.ts";
import { createCiphersuiteImpl } from "../../../crypto/mls/provider.ts";
import { loadPrimitives } from "../../../crypto/primitives/index.ts";

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

function implOf(suiteId: number): CiphersuiteImpl | undefined {
  const known = impls.get(suiteId);
  if (known !== undefined) return known;
  const name = getCiphersuiteNameFromId(suiteId as CiphersuiteId);
  if (!isSupportedSuite(name)) return undefined;
  const impl = createCiphersuiteImpl(primitives, getCiphersuiteFromName(name));
  impls.set(suiteId, impl);
  return impl;
}

/** The vectors of the suites that our provider speaks; the others are for issue 4. */
export function runnable<Vector extends SuiteVector>(
  vectors: readonly Vector[],
): readonly RunnableVector<Vector>[] {
  const result = vectors.flatMap((vector, index) => {
    const impl = implOf(vector.cipher_suite);
    if (impl === undefined) return [];
    return [
      { vector, impl, title: `vector ${String(index)}, suite ${String(vector.cipher_suite)}` },
    ];
  });
  if (result.length === 0) throw new Error("no vector of this file is for a suite of ours");
  return result;
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
