import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { errorKinds } from "#protocol";
import { fill, placeholdersOf, type Entry } from "../../../../renderer/i18n/catalogue.ts";
import { english, I18n, type MessageKey } from "../../../../renderer/i18n/index.ts";

const rendererFolder = join(import.meta.dirname, "../../../../renderer");

function sourcesOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(?:svelte|ts)$/u.test(path) && !path.startsWith("i18n/en"))
    .map((path) => readFileSync(join(folder, path), "utf8"))
    .join("\n");
}

const source = sourcesOf(rendererFolder);
const entries = Object.entries(english.messages) as [MessageKey, Entry][];

/** Whether a key is named in the source, whole or by a template such as `starting.${step}`. */
function isUsed(key: string): boolean {
  if (source.includes(`"${key}"`)) return true;
  const parts = key.split(".");
  return parts.some((_part, at) => {
    const before = at === 0 ? "" : `${parts.slice(0, at).join(".")}.`;
    const after = parts.slice(at + 1).join(".");
    const template = `\`${before}\${`;
    if (!source.includes(template)) return false;
    const end = after === "" ? "}`" : `}.${after}\``;
    return source
      .split(template)
      .slice(1)
      .some((rest) => rest.slice(0, 60).includes(end));
  });
}

describe("the English catalogue", () => {
  test("has a text for every error code", () => {
    expect(Object.keys(english.errors).sort()).toEqual(Object.keys(errorKinds).sort());
    for (const text of Object.values(english.errors)) expect(text.trim()).not.toBe("");
  });

  test("holds no text that nothing shows", () => {
    expect(entries.map(([key]) => key).filter((key) => !isUsed(key) && !isTemplated(key))).toEqual(
      [],
    );
  });

  test("has every plural text in the forms that English needs", () => {
    const needed = new Intl.PluralRules("en").resolvedOptions().pluralCategories;
    for (const [key, entry] of entries) {
      if (typeof entry === "string") continue;
      expect(Object.keys(entry).sort(), key).toEqual([...needed].sort());
    }
  });

  test("uses no straight quotation marks and no three dots", () => {
    for (const [key, entry] of entries) {
      const texts = typeof entry === "string" ? [entry] : Object.values(entry);
      for (const text of texts as string[]) {
        expect(text, key).not.toMatch(/"|\.\.\./u);
        expect(text, key).toBe(text.trim());
      }
    }
  });

  test("names the same values in every form of a text", () => {
    for (const [key, entry] of entries) {
      if (typeof entry === "string") continue;
      const all = placeholdersOf(entry);
      const inOther = placeholdersOf(entry.other);
      expect([...inOther].sort(), key).toEqual([...all].sort());
    }
  });
});

/** Keys that are built from two parts at once. */
function isTemplated(key: string): boolean {
  return /^(?:recall|deleteForMe)\.(?:title|text|confirm)$/u.test(key);
}

describe("filling a text", () => {
  const write = (value: number): string => `<${String(value)}>`;

  test("puts each value in its place, as often as it is named", () => {
    expect(fill("{a} and {b}, {a}", { a: "x", b: 2 }, write)).toBe("x and <2>, x");
  });

  test("leaves a name without a value visible instead of hiding the mistake", () => {
    expect(fill("{a} {b}", { a: "x" }, write)).toBe("x {b}");
  });

  test("never reads a value as a text with names of its own", () => {
    expect(fill("{a}", { a: "{b}", b: "secret" }, write)).toBe("{b}");
  });

  test("keeps a right-to-left name from reordering the sentence around it", () => {
    expect(fill("{name} left", { name: "نور" }, write)).toBe("\u2068نور\u2069 left");
  });
});

describe("a text by key", () => {
  const i18n = new I18n(english, "en-GB");

  test("takes the plural form that the count asks for", () => {
    expect(i18n.t("list.unread", { count: 1 })).toBe("1 unread message");
    expect(i18n.t("list.unread", { count: 0 })).toBe("0 unread messages");
    expect(i18n.t("list.unread", { count: 1200 })).toBe("1,200 unread messages");
  });

  test("takes the forms of a language with more of them", () => {
    const polish = new I18n(
      {
        ...english,
        tag: "pl",
        messages: {
          ...english.messages,
          "list.unread": {
            one: "{count} a",
            few: "{count} b",
            many: "{count} c",
            other: "{count} d",
          },
        },
      },
      "pl",
    );
    expect([1, 3, 5, 1.5].map((count) => polish.t("list.unread", { count }))).toEqual([
      "1 a",
      "3 b",
      "5 c",
      "1,5 d",
    ]);
  });
});
