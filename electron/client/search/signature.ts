/** Words of 32 bits in a signature. */
export const signatureWords = 8;

/** Which of the 256 bits stands for three bytes in a row. */
function bitOf(first: number, second: number, third: number): number {
  const mixed =
    Math.imul(first + 1, 0x9e3779b1) ^
    Math.imul(second + 1, 0x85ebca6b) ^
    Math.imul(third + 1, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 15)) & 0xff;
}

function set(signature: Uint32Array, at: number, bit: number): void {
  const word = at + (bit >>> 5);
  signature[word] = (signature[word] ?? 0) | (1 << (bit & 31));
}

/** Adds every three bytes in a row. */
export function addTrigrams(signature: Uint32Array, at: number, utf8: Uint8Array): void {
  for (let index = 2; index < utf8.length; index++) {
    set(signature, at, bitOf(utf8[index - 2] ?? 0, utf8[index - 1] ?? 0, utf8[index] ?? 0));
  }
}

/**
 * Adds the beginning of a word: its first byte, and its first two.
 *
 * @param second - undefined when there is no second byte to add
 */
export function addWordStart(
  signature: Uint32Array,
  at: number,
  first: number,
  second: number | undefined,
): void {
  set(signature, at, bitOf(0, 0, first));
  if (second !== undefined) set(signature, at, bitOf(0, first, second));
}

/** Whether a signature has every bit of a mask. A message without one of them doesn't contain what the mask was made of. */
export function covers(signature: Uint32Array, at: number, mask: Uint32Array): boolean {
  for (let word = 0; word < signatureWords; word++) {
    const wanted = mask[word] ?? 0;
    if (((signature[at + word] ?? 0) & wanted) >>> 0 !== wanted) return false;
  }
  return true;
}
