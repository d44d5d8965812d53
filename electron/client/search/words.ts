const segmenter = new Intl.Segmenter("en", { granularity: "word" });
/** Scripts in which a word may begin anywhere in a line: what stands there is looked for everywhere. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** Fewer letters than this stand in nearly every message: they are looked for where words begin. */
const leastInside = 3;
const wordy = /[\p{L}\p{N}]/u;

/** Where the words of a folded text begin, UTF-16 code units, ascending. Source: Unicode UAX #29, with ICU's dictionaries. */
export function wordStarts(folded: string): number[] {
  const starts: number[] = [];
  for (const { index, isWordLike } of segmenter.segment(folded)) {
    if (isWordLike === true) starts.push(index);
  }
  return starts;
}

/** One thing that a message must contain. */
export interface Term {
  /** Folded, never empty. */
  readonly text: string;
  /** Only where a word begins; otherwise anywhere. */
  readonly atStart: boolean;
}

/** The terms of what somebody typed without a blank: its words; of what has no word, as an emoji or “->”, the whole. */
export function termsOf(folded: string): readonly Term[] {
  const words = [...segmenter.segment(folded)]
    .filter(({ isWordLike }) => isWordLike === true)
    .map(({ segment }) => termOf(segment));
  return words.length > 0 || folded === "" ? words : [{ text: folded, atStart: false }];
}

/** A term that is looked for as it stands. */
export function phraseOf(folded: string): readonly Term[] {
  return folded === "" ? [] : [termOf(folded)];
}

function termOf(text: string): Term {
  const short = text.length < leastInside && wordy.test(text) && !unspaced.test(text);
  return { text, atStart: short };
}

/** Where a term stands in a folded text. */
export function* occurrences(
  folded: string,
  starts: ReadonlySet<number>,
  { text, atStart }: Term,
): Iterable<number> {
  for (let at = folded.indexOf(text); at !== -1; at = folded.indexOf(text, at + text.length)) {
    if (!atStart || starts.has(at)) yield at;
  }
}
