/** Shortest passphrase that is taken, UTF-16 code units. */
const minPassphraseLength = 12;

/** What is wrong with a new passphrase. */
export type PassphraseProblem = "too-short" | "differs" | null;

/** How hard a passphrase is to guess, roughly: from its length and the variety of its characters, not a promise. */
export function passphraseStrength(passphrase: string): "weak" | "fair" | "good" | "strong" {
  const different = new Set(passphrase).size;
  const words = passphrase.split(/[\s\-_.]+/u).filter((word) => word.length > 2).length;
  if (passphrase.length < minPassphraseLength || different < 6) return "weak";
  const points = passphrase.length + 3 * Math.max(0, words - 1) + Math.min(different, 16) / 2;
  if (points < 24) return "fair";
  return points < 34 ? "good" : "strong";
}

/** Whether a new passphrase, entered twice, can be taken. */
export function passphraseProblem(passphrase: string, repeated: string): PassphraseProblem {
  if (passphrase.length < minPassphraseLength) return "too-short";
  return passphrase === repeated ? null : "differs";
}
