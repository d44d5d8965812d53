/**
 * The shape of a message catalogue. A text has `{name}` where a value goes; one that depends on a count has a form for each
 * plural category of its language (`Intl.PluralRules`), chosen by the value `count`. A sentence is always one entry: nothing is
 * glued from parts, so that every language can order its words.
 */

/** Forms of one text, by plural category. */
export interface Plural {
  readonly zero?: string;
  readonly one?: string;
  readonly two?: string;
  readonly few?: string;
  readonly many?: string;
  readonly other: string;
}

/** One text of a catalogue. */
export type Entry = string | Plural;

/** The names in braces of a text. */
type NamesIn<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never;

/** The values an entry needs. */
export type NamesOf<E extends Entry> = E extends string
  ? NamesIn<E>
  : "count" | NamesIn<Extract<E[keyof E], string>>;

/** What stands in a text for a name: a number is written in the language's digits and grouping. */
export type Value = string | number;

const placeholder = /\{([a-zA-Z]+)\}/gu;
const strongRightToLeft = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u;
const firstStrongIsolate = "\u2068";
const popDirectionalIsolate = "\u2069";

/** The names in braces of every form of an entry. */
export function placeholdersOf(entry: Entry): ReadonlySet<string> {
  const texts = typeof entry === "string" ? [entry] : Object.values(entry);
  const names = texts.flatMap((text: string) =>
    Array.from(text.matchAll(placeholder), (match) => match[1] ?? ""),
  );
  return new Set(names);
}

/**
 * Puts values into a text.
 *
 * @param text - a catalogue text with `{name}`
 * @param values - a value for each name
 * @param formatNumber - writes a number in the language's way
 */
export function fill(
  text: string,
  values: Readonly<Record<string, Value>>,
  formatNumber: (value: number) => string,
): string {
  return text.replace(placeholder, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? formatNumber(value) : isolate(value);
  });
}

/** Keeps a name in a right-to-left script from reordering the sentence around it. Source: Unicode UAX #9 §2.4. */
function isolate(value: string): string {
  return strongRightToLeft.test(value)
    ? `${firstStrongIsolate}${value}${popDirectionalIsolate}`
    : value;
}
