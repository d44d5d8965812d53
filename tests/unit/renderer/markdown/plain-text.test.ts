import { describe, expect, test } from "vitest";
import { isFewEmoji, MarkdownParser, plainText } from "../../../../renderer/markdown/index.ts";

const parser = new MarkdownParser();

describe("plain text", () => {
  test.each([
    ["**a** _b_\n\nc", "a b c"],
    ["- [x] a\n- b", "a, b"],
    ["> a\n\nb", "a b"],
    ["`a` [b](https://c.example)", "a b"],
    ["```\nlet  a;\n```", "let a;"],
    ["| a | b |\n| - | - |\n| 1 | 2 |", "a b, 1 2"],
    ["![a cat](https://b.example/c.png)", "a cat"],
    ["---", ""],
  ])("of %j is %j", (markdown, expected) => {
    expect(plainText(parser.parse(markdown))).toBe(expected);
  });
});

describe("a few emoji alone", () => {
  test.each(["👍", " 🎉 ", "👍🏽❤️", "🏳️‍🌈", "🇩🇪", "👩‍👩‍👧", "1️⃣"])("%s is shown large", (text) => {
    expect(isFewEmoji(text)).toBe(true);
  });

  test.each(["", " ", "a", "👍 ok", "👍👍👍👍", "123", "#", "©"])("%j is not", (text) => {
    expect(isFewEmoji(text)).toBe(false);
  });
});
