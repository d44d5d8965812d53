import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fold, foldWithOrigins } from "../../../../../electron/client/search/fold.ts";
import {
  features,
  plainWords,
  textFeatures,
} from "../../../../../electron/client/search/plain-words.ts";
import { termsOf, wordStarts } from "../../../../../electron/client/search/words.ts";

describe("folding", () => {
  test.each([
    ["Ärger", "arger"],
    ["CRÈME BRÛLÉE", "creme brulee"],
    ["Straße", "strasse"],
    ["STRASSE", "strasse"],
    ["ẞ", "ss"],
    ["Łódź", "lodz"],
    ["smørrebrød", "smorrebrod"],
    ["İstanbul", "istanbul"],
    ["ısı", "isi"],
    ["ΣΊΣΥΦΟΣ", "σισυφοσ"],
    ["σίσυφος", "σισυφοσ"],
    ["ﬁle", "file"],
    ["Ｆｕｌｌ", "full"],
    ["Ёлка", "елка"],
    ["أَهْلًا", "اهلا"],
    ["مـرحبا", "مرحبا"],
    ["שָׁלוֹם", "שלום"],
    ["soft\u00adhyphen", "softhyphen"],
  ])("makes of %s the same as of %s", (text, expected) => {
    expect(fold(text)).toBe(expected);
  });

  test.each([
    ["か", "が"],
    ["ハ", "パ"],
    ["ไม่", "ไม"],
    ["กิน", "กน"],
    ["कि", "क"],
  ])("keeps %s and %s apart, whose marks make other words", (left, right) => {
    expect(fold(left)).not.toBe(fold(right));
  });

  test("is the same however a letter was composed", () => {
    for (const text of ["é", "が", "회의", "أ", "ồ"]) {
      expect(fold(text.normalize("NFD"))).toBe(fold(text.normalize("NFC")));
    }
  });

  test("knows where in the original each folded letter comes from", () => {
    const text = "Crème, Straße und ﬁle";
    const { folded, originOf } = foldWithOrigins(text);
    expect(folded).toBe(fold(text));
    const at = folded.indexOf("strasse");
    expect(text.slice(originOf(at)[0], originOf(at + 6)[1])).toBe("Straße");
    const file = folded.indexOf("file");
    expect(text.slice(originOf(file)[0], originOf(file + 1)[1])).toBe("ﬁ");
  });

  test("gives origins for every letter of any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const { folded, originOf } = foldWithOrigins(text);
        let last = 0;
        for (let index = 0; index < folded.length; index++) {
          const [from, to] = originOf(index);
          expect(from).toBeGreaterThanOrEqual(last);
          expect(to).toBeGreaterThan(from);
          expect(to).toBeLessThanOrEqual(text.length);
          last = from;
        }
      }),
    );
  });
});

describe("words", () => {
  test.each([
    ["see you tomorrow", ["see", "you", "tomorrow"]],
    ["东京 我们明天开会", ["东京", "我们", "明天", "开会"]],
    ["東京に行きました", ["東京", "に", "行き", "ま", "した"]],
    ["ฉันไปโรงเรียน", ["ฉัน", "ไป", "โรงเรียน"]],
    ["회의를 내일", ["회의를", "내일"]],
    ["שלום עולם", ["שלום", "עולם"]],
    ["مرحبا بالعالم", ["مرحبا", "بالعالم"]],
    ["foo@bar.com", ["foo", "bar.com"]],
    ["snake_case, it's 3.5", ["snake_case", "it's", "3.5"]],
  ])("of “%s” are found", (text, expected) => {
    expect(termsOf(text).map((term) => term.text)).toEqual(expected);
    expect(wordStarts(text)).toEqual(
      expected.map((word, index) =>
        text.indexOf(word, index === 0 ? 0 : text.indexOf(expected[index - 1] ?? "") + 1),
      ),
    );
  });

  test("of one or two letters are looked for where words begin, except where words have no blanks between them", () => {
    expect(termsOf("in").map(({ atStart }) => atStart)).toEqual([true]);
    expect(termsOf("на").map(({ atStart }) => atStart)).toEqual([true]);
    expect(termsOf("明").map(({ atStart }) => atStart)).toEqual([false]);
    expect(termsOf("회").map(({ atStart }) => atStart)).toEqual([false]);
    expect(termsOf("ไป").map(({ atStart }) => atStart)).toEqual([false]);
    expect(termsOf("inn").map(({ atStart }) => atStart)).toEqual([false]);
  });

  test("are not needed: an emoji and an arrow are looked for as they are", () => {
    expect(termsOf("👍")).toEqual([{ text: "👍", atStart: false }]);
    expect(termsOf("->")).toEqual([{ text: "->", atStart: false }]);
    expect(termsOf("")).toEqual([]);
  });
});

describe("what a message says", () => {
  test.each([
    ["**bold** and _soft_ and ~~gone~~", "bold and soft and gone"],
    ["a*b*c snake_case 2 * 3", "a*b*c snake_case 2 * 3"],
    ["# Title\n\n- one\n- two\n> said", "Title one two said"],
    ["[the plan](https://example.org/plan)", "the plan https://example.org/plan"],
    ["run `npm test` now", "run npm test now"],
    ["look:\n```ts\nconst a = **b**;\n```\ndone", "look: const a = **b**; done"],
    ["  much \n\n room ", "much room"],
  ])("is read out of %j", (markdown, expected) => {
    expect(plainWords(markdown)).toBe(expected);
  });

  test.each([
    ["see https://example.org", features.link],
    ["see www.example.org", features.link],
    ["nothing to see", 0],
    ["`code`", features.code],
    ["```\ncode\n```", features.code],
    ["> said", features.quote],
    ["a > b", 0],
    ["> see `x` at https://x", features.quote | features.code | features.link],
  ])("of %j its features are known", (markdown, expected) => {
    expect(textFeatures(markdown)).toBe(expected);
  });
});
