import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  applyEdit,
  insertText,
  toggleCode,
  toggleList,
  toggleMark,
  type Selected,
  type TextEdit,
} from "../../../../renderer/state/markdown-edit.ts";

/** A text with its selection between “[” and “]”. */
function selected(marked: string): Selected {
  const start = marked.indexOf("[");
  const end = marked.indexOf("]") - 1;
  return { text: marked.replace("[", "").replace("]", ""), start, end };
}

function shown({ text }: Selected, edit: TextEdit): string {
  const after = applyEdit(text, edit);
  return `${after.slice(0, edit.selectStart)}[${after.slice(edit.selectStart, edit.selectEnd)}]${after.slice(edit.selectEnd)}`;
}

describe("a mark", () => {
  test.each([
    ["a [b] c", "a **[b]** c"],
    ["a **[b]** c", "a [b] c"],
    ["a [**b**] c", "a [b] c"],
    ["[]", "**[]**"],
    ["**[]**", "[]"],
  ])("on %s gives %s", (before, after) => {
    expect(shown(selected(before), toggleMark(selected(before), "**"))).toBe(after);
  });

  test("that is toggled twice changes nothing", () => {
    const texts = fc.string({ unit: fc.constantFrom("a", "b", " ", "\n"), maxLength: 20 });
    fc.assert(
      fc.property(texts, fc.nat(20), fc.nat(20), (text, one, two) => {
        const [start, end] = [
          Math.min(one, two, text.length),
          Math.min(Math.max(one, two), text.length),
        ];
        const once = toggleMark({ text, start, end }, "**");
        const marked = applyEdit(text, once);
        const twice = toggleMark(
          { text: marked, start: once.selectStart, end: once.selectEnd },
          "**",
        );
        expect(applyEdit(marked, twice)).toBe(text);
      }),
    );
  });
});

describe("code", () => {
  test.each([
    ["a [b] c", "a `[b]` c"],
    ["[a\nb]", "```\n[a\nb]\n```"],
    ["x [a\nb]", "x \n```\n[a\nb]\n```"],
  ])("on %j gives %j", (before, after) => {
    expect(shown(selected(before), toggleCode(selected(before)))).toBe(after);
  });
});

describe("a list", () => {
  test.each([
    ["a[]", "- a[]"],
    ["- a[]", "a[]"],
    ["x\n[a\nb]\ny", "x\n[- a\n- b]\ny"],
    ["x\n[- a\n- b]\ny", "x\n[a\nb]\ny"],
    ["[]", "- []"],
  ])("on %j gives %j", (before, after) => {
    expect(shown(selected(before), toggleList(selected(before)))).toBe(after);
  });
});

test("an inserted text takes the selection's place, with the caret after it", () => {
  expect(shown(selected("a [b] c"), insertText(selected("a [b] c"), "🎉"))).toBe("a 🎉[] c");
});
