/** Letters that Unicode doesn't take apart although people type them without their stroke or ligature. */
const alike: Readonly<Record<string, string>> = {
  ς: "σ",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  ħ: "h",
  ŧ: "t",
  ı: "i",
  æ: "ae",
  œ: "oe",
  þ: "th",
};
const alikePattern = new RegExp(`[${Object.keys(alike).join("")}]`, "gu");
/**
 * Accents, vowel points, stretchings and what has no look. The marks of other scripts are vowels and voicings, which make other words
 * (Thai, Devanagari, the two of kana).
 */
const dropped =
  /[[\p{M}&&[\p{Script=Inherited}\p{Script=Arabic}\p{Script=Hebrew}]]--[\u3099\u309A]]|\u0640|\p{Default_Ignorable_Code_Point}/gv;
const beyondAscii = /\P{ASCII}/u;
/** A letter with the marks on it. */
const clusters = /\P{M}\p{M}*|\p{M}+/gu;

/** Text as it is compared: without case, accents and compatibility forms. Source: Unicode UAX #15 (NFKD, NFC). */
export function fold(text: string): string {
  if (!beyondAscii.test(text)) return text.toLowerCase();
  return (
    text
      .normalize("NFKD")
      .replace(dropped, "")
      // There and back: “ß” and “SS” are one.
      .toLowerCase()
      .toUpperCase()
      .toLowerCase()
      .replace(alikePattern, (letter) => alike[letter] ?? letter)
      .normalize("NFC")
  );
}

/** A folded text, and where in the original each of its code units comes from. */
export interface FoldedText {
  readonly folded: string;
  /** From and to in the original, of the code unit at `index` of {@link FoldedText.folded}. */
  readonly originOf: (index: number) => readonly [from: number, to: number];
}

/** Folds a text so that what is found in it can be shown in the original. */
export function foldWithOrigins(text: string): FoldedText {
  if (!beyondAscii.test(text)) {
    return { folded: text.toLowerCase(), originOf: (index) => [index, index + 1] };
  }
  const origins: (readonly [number, number])[] = [];
  let folded = "";
  for (const { 0: cluster, index } of text.matchAll(clusters)) {
    const part = fold(cluster);
    folded += part;
    origins.push(
      ...Array.from({ length: part.length }, () => [index, index + cluster.length] as const),
    );
  }
  return { folded, originOf: (index) => origins[index] ?? [text.length, text.length] };
}
