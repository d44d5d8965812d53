import { randomFillSync, timingSafeEqual } from "node:crypto";

/** Where random bytes come from: a port, so that tests can make runs repeatable. */
export type RandomSource = (sizeBytes: number) => Uint8Array;

/** The operating system's generator. */
export const systemRandom: RandomSource = (sizeBytes) => randomFillSync(new Uint8Array(sizeBytes));

/** Compares secrets in time that depends on their lengths only. */
export function equalConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Overwrites what is no longer needed. The engine may still hold copies it made; none of ours remain. */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/**
 * A copy with an ArrayBuffer of its own. Node's Buffers can be views into a shared pool, and a view that is posted to
 * another thread takes its whole ArrayBuffer along.
 */
export function ownBytes(view: Uint8Array): Uint8Array {
  return new Uint8Array(view);
}

/** As {@link ownBytes}, for what nobody else holds: copied only where it is a view into something larger. */
export function plainBytes(view: Uint8Array): Uint8Array {
  const { buffer, byteLength } = view;
  return byteLength === buffer.byteLength ? new Uint8Array(buffer) : new Uint8Array(view);
}
