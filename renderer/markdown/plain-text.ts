import type { Block, Inline } from "./nodes.ts";

function inlineText(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => {
      switch (inline.kind) {
        case "text":
        case "code":
          return inline.text;
        case "image":
          return inline.alt;
        case "break":
          return " ";
        case "strong":
        case "emphasis":
        case "strike":
        case "link":
          return inlineText(inline.children);
      }
    })
    .join("");
}

function blockText(block: Block): string {
  switch (block.kind) {
    case "paragraph":
    case "heading":
      return inlineText(block.children);
    case "code":
      return block.text;
    case "quote":
      return block.blocks.map(blockText).join(" ");
    case "list":
      return block.items.map((item) => item.blocks.map(blockText).join(" ")).join(", ");
    case "table":
      return [block.head, ...block.rows].map((row) => row.map(inlineText).join(" ")).join(", ");
    case "rule":
      return "";
  }
}

/** What a message says, on one line and without marks: for previews, quotes and names. */
export function plainText(blocks: readonly Block[]): string {
  return blocks.map(blockText).join(" ").replace(/\s+/gu, " ").trim();
}

const emojiOnly =
  /^(?:\p{RI}\p{RI}|\p{Emoji_Presentation}|\p{Emoji}\uFE0F\u20E3?)(?:\p{EMod}|\u200D\p{Emoji}\uFE0F?)*$/u;

/** Whether a message is one to three emoji and nothing else: it is shown large. */
export function isFewEmoji(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.length > 40) return false;
  const parts = Array.from(new Intl.Segmenter().segment(trimmed), ({ segment }) => segment);
  const visible = parts.filter((part) => part.trim() !== "");
  return visible.length <= 3 && visible.every((part) => emojiOnly.test(part));
}
