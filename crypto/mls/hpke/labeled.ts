import { concatBytes } from "#protocol";
import { hashSizeBytes, hkdfExpand, hkdfExtract, type HashName } from "../../primitives/index.ts";

const version = new TextEncoder().encode("HPKE-v1");
const empty = new Uint8Array(0);

/** I2OSP(n, 2). Source: RFC 8017 §4.1. */
export function twoBytes(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

/** ASCII text as bytes. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** HKDF whose every use names HPKE, the algorithms and its purpose. */
export interface LabeledKdf {
  readonly hashBytes: number;
  /** Source: RFC 9180 §4, LabeledExtract. */
  extract(salt: Uint8Array, label: string, inputKey: Uint8Array): Uint8Array;
  /** Source: RFC 9180 §4, LabeledExpand. */
  expand(
    pseudorandomKey: Uint8Array,
    label: string,
    info: Uint8Array,
    sizeBytes: number,
  ): Uint8Array;
}

/** @param suiteId - names the algorithms that the derived keys are for */
export function createLabeledKdf(hash: HashName, suiteId: Uint8Array): LabeledKdf {
  return {
    hashBytes: hashSizeBytes(hash),
    extract: (salt, label, inputKey) =>
      hkdfExtract(hash, salt, concatBytes(version, suiteId, ascii(label), inputKey)),
    expand: (pseudorandomKey, label, info, sizeBytes) =>
      hkdfExpand(
        hash,
        pseudorandomKey,
        concatBytes(twoBytes(sizeBytes), version, suiteId, ascii(label), info),
        sizeBytes,
      ),
  };
}

/**
 * What a single-stage KDF is asked to hash.
 *
 * Source: draft-ietf-hpke-hpke-03 §4, LabeledDerive, with an empty context.
 */
export function labeledDeriveInput(
  suiteId: Uint8Array,
  inputKey: Uint8Array,
  label: string,
  sizeBytes: number,
): Uint8Array {
  return concatBytes(
    inputKey,
    version,
    suiteId,
    twoBytes(label.length),
    ascii(label),
    twoBytes(sizeBytes),
    empty,
  );
}
