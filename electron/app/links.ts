/** The scheme that the operating system is asked to hand to Sotto. */
export const linkScheme = "sotto";

/** Longer than any invite, and printable ASCII only: anything else is not looked at. */
const linkPattern = new RegExp(`^${linkScheme}:[\\x21-\\x7e]{1,4080}$`, "u");

/** The first word of a command line that is a `sotto:` link, whatever it says. */
export function findLink(argv: readonly string[]): string | null {
  for (const word of argv) {
    const link = readLink(word);
    if (link !== null) return link;
  }
  return null;
}

/**
 * Reads a link that came from outside: the operating system, another program, a web page.
 * It is only ever shown to the person, who then decides; a link never does anything by itself.
 *
 * @returns the link, or null when it isn't one of ours. Whether it is a whole invite is said by `invite.inspect`, in words.
 */
export function readLink(text: string): string | null {
  // Some systems write `sotto://join/…/`: base64url has no slash, so one at the end is no part of the invite.
  const link = text.trim().replace(/\/$/u, "");
  return linkPattern.test(link) ? link : null;
}
