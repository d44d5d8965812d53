const hueCount = 10;

/** Which of the ten avatar colours an id has: always the same one, on every device. FNV-1a, 32 bit. */
export function avatarHue(seed: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < seed.length; at += 1) {
    hash = Math.imul(hash ^ seed.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0) % hueCount;
}

/** One or two letters that stand for a name: of its first and last word, or its first character where there are no letters. */
export function initials(name: string): string {
  const words = name
    .replace(/\([^)]*\)/gu, " ")
    .split(/[\s\-–—_.,/]+/u)
    .filter((word) => /\p{L}|\p{N}/u.test(word));
  const picked = words.length > 1 ? [words[0], words.at(-1)] : [words[0] ?? name.trim()];
  return picked
    .map((word) => firstCharacter(word ?? ""))
    .join("")
    .toLocaleUpperCase();
}

function firstCharacter(word: string): string {
  const letters = word.replace(/^[^\p{L}\p{N}]+/u, "");
  const [first] = new Intl.Segmenter().segment(letters === "" ? word : letters);
  return first?.segment ?? "";
}
