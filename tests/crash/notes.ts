import type { BodyItem, KeyLeaf, MessageId } from "#protocol";

/*
 * What the vaults of the tests hold whose processes are killed: transaction n brings note n, and puts `k<n % 50>` and `l<n % 50>` to n. The note's
 * body is sealed under a leaf of its own.
 */

const firstHour = 500_000;
/** Notes that end in the same hour. */
const notesPerHour = 500;
const hourMs = 3_600_000;

/** The leaf of note n. */
export function leafOf(n: number): KeyLeaf {
  return { hour: firstHour + Math.floor(n / notesPerHour), leaf: n % notesPerHour };
}

/** Note n as the worker seals it. */
export function itemOf(n: number): BodyItem {
  const { hour, leaf } = leafOf(n);
  const messageId = `note${String(n).padStart(18, "0")}` as MessageId;
  return { messageId, expiresAtMs: hour * hourMs + (n % hourMs), leaf };
}

/** Its clear text: of some size, and full of its number. */
export function plainOf(n: number): Uint8Array {
  return new Uint8Array((n * 7919) % 400).fill(n);
}
