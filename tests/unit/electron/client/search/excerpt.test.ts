import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { excerptOf, marksOf } from "../../../../../electron/client/search/excerpt.ts";
import { parseQuery } from "../../../../../electron/client/search/query.ts";

const marked = (text: string, query: string) =>
  marksOf(text, parseQuery(query).terms).map(([from, to]) => text.slice(from, to));

describe("what was found", () => {
  test.each([
    ["The Crème is gone", "creme", ["Crème"]],
    ["Die Straße, die Strasse", "strasse", ["Straße", "Strasse"]],
    ["a cat sat, at last", "at", ["at"]],
    ["a cat sat, at last", "a", ["a", "a"]],
    ["rendezvous tomorrow", "dezv morr", ["dezv", "morr"]],
    ["我们明天开会", "明天", ["明天"]],
    ["ฉันไปโรงเรียน", "เรียน", ["เรียน"]],
    ["회의를 내일로", "회의", ["회의"]],
    ["قال: أهلاً وسهلاً", "اهلا", ["أهلاً"]],
    ["well done 👍🏽 all", "👍", ["👍"]],
    ["overlapping", "overlap lapping", ["overlapping"]],
  ])("in “%s” for “%s” is marked", (text, query, expected) => {
    expect(marked(text, query)).toEqual(expected);
  });
});

describe("an excerpt", () => {
  const long = `${"before ".repeat(60)}needle ${"after ".repeat(60)}`.trim();

  test("of a short text is the text", () => {
    expect(excerptOf("a needle", parseQuery("needle").terms)).toEqual({
      text: "a needle",
      marks: [[2, 8]],
    });
  });

  test("of a long one is a stretch around the first thing that was found", () => {
    const { text, marks } = excerptOf(long, parseQuery("needle").terms);
    expect(text.length).toBeLessThanOrEqual(242);
    expect(text).toMatch(/^…before .*needle after .*…$/u);
    expect(marks.map(([from, to]) => text.slice(from, to))).toEqual(["needle"]);
  });

  test("begins at the beginning when nothing is marked", () => {
    const { text, marks } = excerptOf(long, []);
    expect(text.startsWith("before")).toBe(true);
    expect(marks).toEqual([]);
  });

  test("of any text has its marks inside, in order, and no broken letters", () => {
    const texts = fc.string({ unit: "grapheme", minLength: 200, maxLength: 400 });
    fc.assert(
      fc.property(texts, fc.nat(190), (source, at) => {
        const needle = Array.from(source)
          .slice(at, at + 5)
          .join("");
        const { text, marks } = excerptOf(source, parseQuery(`"${needle}"`).terms);
        expect(text.isWellFormed()).toBe(source.isWellFormed());
        let last = 0;
        for (const [from, to] of marks) {
          expect(from).toBeGreaterThanOrEqual(last);
          expect(to).toBeGreaterThan(from);
          last = to;
        }
        expect(last).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});
