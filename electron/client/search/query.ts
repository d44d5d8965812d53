import { fold } from "./fold.ts";
import { phraseOf, termsOf, type Term } from "./words.ts";

/** The operators of a search. */
const filterNames = ["from", "in", "has", "before", "after"] as const;
/** The name of an operator. */
export type FilterName = (typeof filterNames)[number];

/** An operator as it was typed. */
export interface TypedFilter {
  readonly name: FilterName;
  readonly value: string;
  /** The whole of it, in the words of the query. */
  readonly typed: string;
}

/** What somebody typed, taken apart. */
export interface ParsedQuery {
  readonly terms: readonly Term[];
  readonly filters: readonly TypedFilter[];
}

/** More words than this say nothing more. */
const maxTerms = 32;
const quotes = `["“”„«»]`;
const part = new RegExp(
  `(?:([a-z]+):)?${quotes}([^"“”„«»]*)(?:${quotes}|$)|([a-z]+):(\\S*)|(\\S+)`,
  "giu",
);

/**
 * Takes a query apart: words, “phrases in quotes”, and filters as `from:anna` or `in:"The crew"`. A filter without a value yet is left
 * out; what only looks like one is a word.
 */
export function parseQuery(query: string): ParsedQuery {
  const terms: Term[] = [];
  const filters: TypedFilter[] = [];
  for (const match of query.matchAll(part)) {
    const [typed, quotedName, quoted, name = quotedName, plain, word] = match;
    const filter = filterNames.find((known) => known === name?.toLowerCase());
    const value = (quoted ?? plain ?? "").trim();
    if (filter !== undefined) {
      if (value !== "") filters.push({ name: filter, value, typed });
    } else if (quoted !== undefined && name === undefined) {
      terms.push(...phraseOf(folded(quoted)));
    } else {
      terms.push(...termsOf(folded(word ?? typed)));
    }
  }
  return { terms: terms.slice(0, maxTerms), filters };
}

function folded(text: string): string {
  return fold(text).replace(/\s+/gu, " ").trim();
}
