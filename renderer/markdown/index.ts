export type { Block, Inline, ListItem } from "./nodes.ts";
export { MarkdownParser } from "./parse.ts";
export { isFewEmoji, plainText } from "./plain-text.ts";
