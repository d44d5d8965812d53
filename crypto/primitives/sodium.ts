import sodium from "libsodium-wrappers";

/** libsodium, its WebAssembly compiled. */
export type Sodium = typeof sodium;

/** Waits until libsodium can be used. */
export async function loadSodium(): Promise<Sodium> {
  await sodium.ready;
  return sodium;
}
