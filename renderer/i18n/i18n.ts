import type { ErrorCode } from "#protocol";
import { fill, type Entry, type NamesOf, type Plural, type Value } from "./catalogue.ts";
import { englishEmoji } from "./en/emoji.ts";
import { englishErrors, englishMessages } from "./en/index.ts";
import { daysBefore, Formats } from "./formats.ts";

/** The name of a text. */
export type MessageKey = keyof typeof englishMessages;

/** What a text needs: nothing, or its values. */
export type MessageArguments<Key extends MessageKey> = [
  NamesOf<(typeof englishMessages)[Key]>,
] extends [never]
  ? readonly []
  : readonly [values: Readonly<Record<NamesOf<(typeof englishMessages)[Key]>, Value>>];

/** An emoji of the picker. */
export type PickerEmoji = keyof typeof englishEmoji;

/** A whole language: every text of the English catalogue, with the same values, and the words of every error. */
export interface Language {
  /** BCP 47, language only. */
  readonly tag: string;
  readonly direction: "ltr" | "rtl";
  readonly messages: {
    readonly [Key in MessageKey]: (typeof englishMessages)[Key] extends string ? string : Plural;
  };
  readonly errors: Readonly<Record<ErrorCode, string>>;
  /** The name of each emoji of the picker, and after commas what else it is found by. */
  readonly emoji: Readonly<Record<PickerEmoji, string>>;
}

export const english: Language = {
  tag: "en",
  direction: "ltr",
  messages: englishMessages,
  errors: englishErrors,
  emoji: englishEmoji,
};

const languages: readonly Language[] = [english];

/**
 * The language to use and the locale for its formats: the first wanted locale whose language there is, English otherwise.
 *
 * @param wanted - BCP 47 tags, the dearest first (`navigator.languages`)
 */
export function chooseLanguage(wanted: readonly string[]): {
  readonly language: Language;
  readonly locale: string;
} {
  for (const locale of wanted) {
    const language = languages.find(({ tag }) => new Intl.Locale(locale).language === tag);
    if (language !== undefined) return { language, locale };
  }
  return { language: english, locale: english.tag };
}

/** Texts and formats of one language. */
export class I18n extends Formats {
  readonly language: Language;
  readonly #plurals: Intl.PluralRules;

  /**
   * @param language - the catalogue
   * @param locale - BCP 47, for dates and numbers
   */
  constructor(language: Language, locale: string) {
    super(locale);
    this.language = language;
    this.#plurals = new Intl.PluralRules(locale);
  }

  /** The text of `key`, with its values. */
  readonly t = <Key extends MessageKey>(key: Key, ...rest: MessageArguments<Key>): string => {
    const values: Readonly<Record<string, Value>> = rest[0] ?? {};
    return fill(this.#form(this.language.messages[key], values), values, (value) =>
      this.number(value),
    );
  };

  /** What happened and what to do, for people. */
  readonly error = (code: ErrorCode): string => this.language.errors[code];

  /** “Today”, “Yesterday”, or the day. */
  dayHeading(ms: number, nowMs: number): string {
    const days = daysBefore(ms, nowMs);
    if (days === 0) return this.t("time.today");
    if (days === 1) return this.t("time.yesterday");
    return this.day(ms, nowMs);
  }

  #form(entry: Entry, values: Readonly<Record<string, Value>>): string {
    if (typeof entry === "string") return entry;
    const count = values["count"];
    const category = typeof count === "number" ? this.#plurals.select(count) : "other";
    return entry[category] ?? entry.other;
  }
}
