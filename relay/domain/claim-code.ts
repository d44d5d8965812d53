import type { Random } from "../primitives.ts";

/** No letter that looks like another or like a digit. Source: Crockford's Base 32. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const groups = 4;
const groupCharacters = 5;

/** A claim code to be read and typed by people: 100 random bits as `XXXXX-XXXXX-XXXXX-XXXXX`. */
export function claimCode(random: Random): string {
  const characters = Array.from(random(groups * groupCharacters), (byte) =>
    alphabet.charAt(byte & 31),
  );
  return Array.from({ length: groups }, (_, group) =>
    characters.slice(group * groupCharacters, (group + 1) * groupCharacters).join(""),
  ).join("-");
}

/** The code without what typing adds: case, spaces, hyphens, and letters that were taken for digits. */
export function normalClaimCode(text: string): string {
  return text.toUpperCase().replace(/[\s-]/gu, "").replace(/O/gu, "0").replace(/[IL]/gu, "1");
}
