import { foldWithOrigins } from "./fold.ts";
import { occurrences, wordStarts, type Term } from "./words.ts";

/** From and to, UTF-16 code units. */
export type Mark = readonly [from: number, to: number];

/** A stretch of a text, and what in it was found. */
export interface Excerpt {
  readonly text: string;
  readonly marks: readonly Mark[];
}

/** Longest stretch that is shown, and how much of it may stand before the first mark, UTF-16 code units. */
const maxLength = 240;
const leadLength = 60;
/** How far a cut looks for a blank. */
const cutReach = 20;
const maxMarks = 50;

/** Where in a text the terms stand, in order and without overlaps. */
export function marksOf(text: string, terms: readonly Term[]): readonly Mark[] {
  const { folded, originOf } = foldWithOrigins(text);
  const starts = new Set(wordStarts(folded));
  const found = terms
    .flatMap((term) =>
      Array.from(occurrences(folded, starts, term), (at): Mark => {
        const [from] = originOf(at);
        const [, to] = originOf(at + term.text.length - 1);
        return [from, to];
      }),
    )
    .toSorted((left, right) => left[0] - right[0]);
  const marks: Mark[] = [];
  for (const [from, to] of found) {
    const last = marks.at(-1);
    if (last === undefined || from > last[1]) marks.push([from, to]);
    else marks[marks.length - 1] = [last[0], Math.max(last[1], to)];
  }
  return marks;
}

/** What a result shows of a text: a stretch around the first thing that was found. */
export function excerptOf(text: string, terms: readonly Term[]): Excerpt {
  const marks = marksOf(text, terms);
  if (text.length <= maxLength) return { text, marks: marks.slice(0, maxMarks) };
  const first = marks[0]?.[0] ?? 0;
  const start = first <= leadLength ? 0 : cutAfter(text, first - leadLength, first);
  const end = cutBefore(text, Math.min(text.length, start + maxLength));
  const before = start === 0 ? "" : "…";
  const after = end === text.length ? "" : "…";
  const shift = before.length - start;
  return {
    text: `${before}${text.slice(start, end)}${after}`,
    marks: marks
      .filter(([from]) => from >= start && from < end)
      .slice(0, maxMarks)
      .map(([from, to]): Mark => [from + shift, Math.min(to, end) + shift]),
  };
}

/** A place near `at` where a word begins, or at least a letter. */
function cutAfter(text: string, at: number, limit: number): number {
  const blank = text.indexOf(" ", at);
  const near = blank !== -1 && blank < Math.min(limit, at + cutReach);
  return near ? blank + 1 : wholeLetter(text, at);
}

function cutBefore(text: string, at: number): number {
  if (at === text.length) return at;
  const blank = text.lastIndexOf(" ", at);
  return blank > at - cutReach ? blank : wholeLetter(text, at);
}

/** Not between the halves of a surrogate pair. */
function wholeLetter(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}
