import createMarkdownIt, { type MarkdownIt, type Token } from "markdown-it";
import type { Block, Inline, ListItem } from "./nodes.ts";

const allowedSchemes = /^(?:https?:\/\/|mailto:)/iu;
const taskMark = /^\[([ xX])\]\s+/u;

/** Reads messages' Markdown (a subset of GFM) into plain data. Raw HTML stays text; nothing is ever made into HTML. */
export class MarkdownParser {
  readonly #engine: MarkdownIt;

  constructor() {
    this.#engine = createMarkdownIt({ html: false, linkify: true, breaks: true });
    // Only what has a scheme or an @ is a link: “notes.md” and “node.js” are file names.
    this.#engine.linkify.set({ fuzzyLink: false, fuzzyEmail: true });
    this.#engine.validateLink = (href: string) => allowedSchemes.test(href);
  }

  parse(text: string): readonly Block[] {
    return new BlockReader(this.#engine.parse(text, {})).readAll();
  }
}

/** Walks markdown-it's flat list of opening and closing tokens. */
class BlockReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  readAll(): readonly Block[] {
    return this.#until(null);
  }

  #until(closing: string | null): Block[] {
    const blocks: Block[] = [];
    for (let token = this.#next(); token !== null; token = this.#next()) {
      if (token.type === closing) break;
      const block = this.#block(token);
      if (block !== null) blocks.push(block);
    }
    return blocks;
  }

  #block(token: Token): Block | null {
    switch (token.type) {
      case "paragraph_open":
        return { kind: "paragraph", children: this.#inlines("paragraph_close") };
      case "heading_open":
        return {
          kind: "heading",
          level: Number(token.tag.slice(1)),
          children: this.#inlines("heading_close"),
        };
      case "fence":
      case "code_block": {
        const language = token.info.trim().split(/\s+/u)[0] ?? "";
        return { kind: "code", language, text: token.content.replace(/\n$/u, "") };
      }
      case "blockquote_open":
        return { kind: "quote", blocks: this.#until("blockquote_close") };
      case "bullet_list_open":
        return { kind: "list", start: null, items: this.#items("bullet_list_close") };
      case "ordered_list_open":
        return {
          kind: "list",
          start: Number(token.attrGet("start") ?? 1),
          items: this.#items("ordered_list_close"),
        };
      case "table_open":
        return this.#table();
      case "hr":
        return { kind: "rule" };
      default:
        return null;
    }
  }

  #items(closing: string): readonly ListItem[] {
    const items: ListItem[] = [];
    for (let token = this.#next(); token !== null && token.type !== closing; token = this.#next()) {
      if (token.type === "list_item_open") items.push(asTask(this.#until("list_item_close")));
    }
    return items;
  }

  #table(): Block {
    const rows: (readonly (readonly Inline[])[])[] = [];
    let cells: (readonly Inline[])[] = [];
    for (
      let token = this.#next();
      token !== null && token.type !== "table_close";
      token = this.#next()
    ) {
      if (token.type === "th_open") cells.push(this.#inlines("th_close"));
      if (token.type === "td_open") cells.push(this.#inlines("td_close"));
      if (token.type === "tr_close") {
        rows.push(cells);
        cells = [];
      }
    }
    const [head = [], ...body] = rows;
    return { kind: "table", head, rows: body };
  }

  #inlines(closing: string): readonly Inline[] {
    const found: Inline[] = [];
    for (let token = this.#next(); token !== null && token.type !== closing; token = this.#next()) {
      if (token.type === "inline") found.push(...new InlineReader(token.children ?? []).readAll());
    }
    return found;
  }

  #next(): Token | null {
    return this.#tokens[this.#at++] ?? null;
  }
}

/** Walks the tokens inside one block. */
class InlineReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  readAll(): readonly Inline[] {
    return this.#until(null);
  }

  #until(closing: string | null): Inline[] {
    const inlines: Inline[] = [];
    for (let token = this.#next(); token !== null; token = this.#next()) {
      if (token.type === closing) break;
      inlines.push(...this.#inline(token));
    }
    return inlines;
  }

  #inline(token: Token): readonly Inline[] {
    switch (token.type) {
      case "text":
      case "text_special":
      case "html_inline":
        return token.content === "" ? [] : [{ kind: "text", text: token.content }];
      case "strong_open":
        return [{ kind: "strong", children: this.#until("strong_close") }];
      case "em_open":
        return [{ kind: "emphasis", children: this.#until("em_close") }];
      case "s_open":
        return [{ kind: "strike", children: this.#until("s_close") }];
      case "code_inline":
        return [{ kind: "code", text: token.content }];
      case "link_open":
        return this.#link(String(token.attrGet("href") ?? ""));
      case "image":
        return [{ kind: "image", alt: token.content }];
      case "softbreak":
      case "hardbreak":
        return [{ kind: "break" }];
      default:
        return [];
    }
  }

  /** The engine doesn't ask about empty addresses: what leads nowhere allowed is shown as its text. */
  #link(href: string): readonly Inline[] {
    const children = this.#until("link_close");
    return allowedSchemes.test(href) ? [{ kind: "link", href, children }] : children;
  }

  #next(): Token | null {
    return this.#tokens[this.#at++] ?? null;
  }
}

/** A list item that begins with `[ ]` or `[x]` is a task. */
function asTask(blocks: readonly Block[]): ListItem {
  const [first, ...rest] = blocks;
  if (first?.kind !== "paragraph") return { checked: null, blocks };
  const [lead, ...inlines] = first.children;
  if (lead?.kind !== "text") return { checked: null, blocks };
  const mark = taskMark.exec(lead.text);
  if (mark === null) return { checked: null, blocks };
  const text = lead.text.slice(mark[0].length);
  const paragraph: Block = { kind: "paragraph", children: [{ kind: "text", text }, ...inlines] };
  return { checked: mark[1] !== " ", blocks: [paragraph, ...rest] };
}
