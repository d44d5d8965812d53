import { concatBytes } from "#protocol";
import { digest, equalConstantTime, wipe } from "../primitives/index.ts";

/*
 * Codes that people copy and type: 128 random bits and the first 12 bits of their SHA-256, so that a mistyped character is noticed. 140 bits are
 * 28 characters of Crockford's base 32, in groups of four. There is nothing to guess in one, so it needs no stretching.
 */

/** The secret in a code, bytes. */
export const codeSecretBytes = 16;
/** Without I, L, O and U. Source: Douglas Crockford, "Base 32". */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const characters = 28;
const charactersPerGroup = 4;
const bitsPerCharacter = 5;
const checkedBits = characters * bitsPerCharacter;

/** The secret and, behind it, its check; of the last byte only the first half counts. */
function withCheck(secret: Uint8Array): Uint8Array {
  const check = digest("SHA-256", secret).slice(0, 2);
  check[1] = (check[1] ?? 0) & 0xf0;
  return concatBytes(secret, check);
}

/** @param secret - 16 bytes. Secret: the result, for the person alone */
export function writeCode(secret: Uint8Array): string {
  const bytes = withCheck(secret);
  let code = "";
  for (let at = 0; at < characters; at++) {
    if (at > 0 && at % charactersPerGroup === 0) code += "-";
    code += alphabet.charAt(bitsFrom(bytes, at * bitsPerCharacter));
  }
  wipe(bytes);
  return code;
}

function bitsFrom(bytes: Uint8Array, at: number): number {
  const byte = Math.floor(at / 8);
  const word = ((bytes[byte] ?? 0) << 8) | (bytes[byte + 1] ?? 0);
  return (word >> (16 - bitsPerCharacter - (at % 8))) & 31;
}

/**
 * Reads a code as typed: case, blanks and hyphens don't matter, nor O for 0 and I or L for 1.
 *
 * @returns undefined for what is no whole code. Secret: the caller wipes it.
 */
export function readCode(typed: string): Uint8Array | undefined {
  const code = typed
    .toUpperCase()
    .replace(/[\s-]/gu, "")
    .replace(/O/gu, "0")
    .replace(/[IL]/gu, "1");
  if (code.length !== characters) return undefined;
  const bytes = new Uint8Array(Math.ceil(checkedBits / 8));
  for (const [at, character] of Array.from(code).entries()) {
    const value = alphabet.indexOf(character);
    if (value < 0) return undefined;
    const bit = at * bitsPerCharacter;
    const byte = Math.floor(bit / 8);
    const word = value << (16 - bitsPerCharacter - (bit % 8));
    bytes[byte] = (bytes[byte] ?? 0) | (word >> 8);
    if (byte + 1 < bytes.length) bytes[byte + 1] = (bytes[byte + 1] ?? 0) | (word & 0xff);
  }
  const secret = bytes.slice(0, codeSecretBytes);
  const whole = withCheck(secret);
  const isWhole = equalConstantTime(whole, bytes);
  wipe(whole, bytes);
  if (isWhole) return secret;
  wipe(secret);
  return undefined;
}
