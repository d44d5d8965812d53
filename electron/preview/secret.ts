import { toBase64url } from "#protocol";

/** As many bytes as a key: nobody guesses it over a socket. */
const tokenBytes = 32;

/** A new token for the page's address, from the platform's generator (Web Crypto). */
export function newToken(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(tokenBytes)));
}

/**
 * Compares a token that somebody sent with the right one, in a time that depends on the length alone and not on where they differ.
 * `node:crypto` has this too, but only crypto/primitives may import it; both are ASCII text, so code units are bytes.
 */
export function isSameToken(sent: string, right: string): boolean {
  let difference = sent.length ^ right.length;
  for (let index = 0; index < right.length; index++) {
    // Past its end a shorter text is compared with itself: the loop always runs over the right one.
    const unit = sent.charCodeAt(index < sent.length ? index : 0);
    difference |= (Number.isNaN(unit) ? -1 : unit) ^ right.charCodeAt(index);
  }
  return difference === 0;
}
