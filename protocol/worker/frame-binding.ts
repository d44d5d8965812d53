import type { FramePlace } from "./data.ts";

/** What a frame's seal is bound to; in canonical CBOR the associated data, for whoever seals it and for whoever opens it. */
export function frameBinding({
  generation,
  sequence,
  previousTag,
}: FramePlace): readonly ["frame", number, number, Uint8Array] {
  return ["frame", generation, sequence, previousTag];
}
