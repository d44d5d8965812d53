import type { CryptoWorker, FramePlace } from "#protocol";
import { FrameKeys } from "../../electron/vault/frame-keys.ts";

/** Seals a frame as the vault does, with a key that the worker gives for it. */
export async function sealFrame(
  worker: Pick<CryptoWorker, "call">,
  { generation, ...place }: FramePlace,
  plain: Uint8Array,
): Promise<Uint8Array> {
  const keys = new FrameKeys(worker, generation);
  try {
    return await keys.seal(place, plain);
  } finally {
    keys.wipe();
  }
}
