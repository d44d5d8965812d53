const groupLength = 4;
/** More than any code has: what is longer is something else that was pasted. */
const maxSymbols = 64;

/**
 * A recovery code as a person types it, brought into the form in which it is shown: upper case, letters that look like digits read as those,
 * everything between the symbols left out, in groups.
 * Source: Crockford's Base32, https://www.crockford.com/base32.html
 */
export function tidyRecoveryCode(text: string): string {
  const symbols = text
    .toUpperCase()
    .replaceAll("O", "0")
    .replaceAll(/[IL]/gu, "1")
    .replaceAll(/[^0-9A-Z*~$=]/gu, "")
    .slice(0, maxSymbols);
  return symbols.match(new RegExp(`.{1,${String(groupLength)}}`, "gu"))?.join("-") ?? "";
}

/**
 * Where the caret stands in a tidied code so that as many symbols lie before it as did in what was typed.
 *
 * @param typed - what stands before the caret in the field
 * @param tidied - the whole tidied code
 * @param deleting - whether something was taken away: then the caret stays in front of a hyphen, or it could never be passed backwards
 */
export function caretIn(typed: string, tidied: string, deleting: boolean): number {
  const before = tidyRecoveryCode(typed).length;
  return !deleting && tidied.charAt(before) === "-" ? before + 1 : before;
}

/** The groups of a code, to be shown one by one. */
export function recoveryCodeGroups(code: string): readonly string[] {
  return code.split("-").filter((group) => group !== "");
}
