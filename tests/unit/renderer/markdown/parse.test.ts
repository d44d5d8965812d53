import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MarkdownParser, type Block, type Inline } from "../../../../renderer/markdown/index.ts";

const parser = new MarkdownParser();

/** The inlines of a message of one paragraph. */
function inlinesOf(text: string): readonly Inline[] {
  const [block] = parser.parse(text);
  if (block?.kind !== "paragraph") throw new Error("not a paragraph");
  return block.children;
}

function text(value: string): Inline {
  return { kind: "text", text: value };
}

describe("marks inside a line", () => {
  test("become strong, emphasis, strike and code", () => {
    expect(inlinesOf("**a** _b_ ~~c~~ `d`")).toEqual([
      { kind: "strong", children: [text("a")] },
      text(" "),
      { kind: "emphasis", children: [text("b")] },
      text(" "),
      { kind: "strike", children: [text("c")] },
      text(" "),
      { kind: "code", text: "d" },
    ]);
  });

  test("nest", () => {
    expect(inlinesOf("**a _b_**")).toEqual([
      {
        kind: "strong",
        children: [text("a "), { kind: "emphasis", children: [text("b")] }],
      },
    ]);
  });

  test("a line break is kept as one", () => {
    expect(inlinesOf("a\nb")).toEqual([text("a"), { kind: "break" }, text("b")]);
  });
});

describe("blocks", () => {
  test("a fenced block keeps its language and its text to the letter", () => {
    expect(parser.parse("```ts extra\n  let a;\n\n```")).toEqual([
      { kind: "code", language: "ts", text: "  let a;\n" },
    ]);
  });

  test("lists nest and number from where they begin", () => {
    const [list] = parser.parse("3. a\n   - b") as [Extract<Block, { kind: "list" }>];
    expect(list.start).toBe(3);
    expect(list.items[0]?.blocks.map(({ kind }) => kind)).toEqual(["paragraph", "list"]);
  });

  test("items with boxes are tasks", () => {
    const [list] = parser.parse("- [ ] a\n- [x] b\n- c") as [Extract<Block, { kind: "list" }>];
    expect(list.items.map(({ checked }) => checked)).toEqual([false, true, null]);
    expect(list.items[0]?.blocks).toEqual([{ kind: "paragraph", children: [text("a")] }]);
  });

  test("quotes, headings, rules and tables are told apart", () => {
    const kinds = parser.parse("> a\n\n# b\n\n---\n\n| c | d |\n| - | - |\n| 1 | 2 |");
    expect(kinds.map(({ kind }) => kind)).toEqual(["quote", "heading", "rule", "table"]);
    expect(kinds[3]).toEqual({
      kind: "table",
      head: [[text("c")], [text("d")]],
      rows: [[[text("1")], [text("2")]]],
    });
  });
});

describe("what could harm a reader", () => {
  test("raw HTML stays text", () => {
    expect(inlinesOf("<img src=x onerror=alert(1)> <b>a</b>")).toEqual([
      text("<img src=x onerror=alert(1)> <b>a</b>"),
    ]);
    expect(parser.parse("<script>\nalert(1)\n</script>")).toHaveLength(1);
  });

  test.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "sotto://join/abc",
    "vbscript:x",
    "/relative",
    "//host.example/x",
  ])("a link to %s is no link", (target) => {
    expect(kindsIn(parser.parse(`[a](${target}) <${target}>`))).not.toContain("link");
  });

  test.each(["https://a.example/b?c=d", "http://a.example", "mailto:a@b.example"])(
    "a link to %s is one",
    (target) => {
      expect(inlinesOf(`[a](${target})`)).toEqual([
        { kind: "link", href: target, children: [text("a")] },
      ]);
    },
  );

  test("an address with its scheme becomes a link by itself, a file name doesn't", () => {
    expect(kindsIn(parser.parse("see https://a.example/b."))).toContain("link");
    expect(kindsIn(parser.parse("see notes.md and node.js"))).not.toContain("link");
  });

  test("a picture is named and never fetched", () => {
    expect(inlinesOf("![a cat](https://tracker.example/1.png)")).toEqual([
      { kind: "image", alt: "a cat" },
    ]);
  });

  test("any text at all gives nodes, with allowed links only", () => {
    const markup = fc.array(
      fc.oneof(
        fc.string(),
        fc.constantFrom("**", "_", "`", "```\n", "> ", "- ", "[a](", ")", "<a href=", "\n\n", "|"),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(markup, (parts) => {
        for (const href of hrefsIn(parser.parse(parts.join("")))) {
          expect(href).toMatch(/^(?:https?:\/\/|mailto:)/iu);
        }
      }),
    );
  });

  test("a very long line of marks is read in reasonable time", () => {
    const startedMs = performance.now();
    parser.parse("*_".repeat(10_000));
    parser.parse("[".repeat(20_000));
    parser.parse(">".repeat(20_000));
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });
});

function walk(value: unknown, visit: (node: Readonly<Record<string, unknown>>) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit);
  else if (typeof value === "object" && value !== null) {
    visit(value as Record<string, unknown>);
    for (const item of Object.values(value)) walk(item, visit);
  }
}

function kindsIn(blocks: readonly Block[]): readonly unknown[] {
  const kinds: unknown[] = [];
  walk(blocks, (node) => kinds.push(node["kind"]));
  return kinds;
}

function hrefsIn(blocks: readonly Block[]): readonly string[] {
  const hrefs: string[] = [];
  walk(blocks, (node) => {
    if (typeof node["href"] === "string") hrefs.push(node["href"]);
  });
  return hrefs;
}
