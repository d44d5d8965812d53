import type { MimiContent } from "./mimi-content.ts";
import { disposition, type NestedPart, type SinglePart } from "./nested-part.ts";
import { decodeUtf8, encodeUtf8 } from "../utf8.ts";

/** GitHub Flavored Markdown without raw HTML and autolinks. Source: draft-ietf-mimi-content-08 §7.1.1. */
export const markdownType = "text/markdown;variant=GFM-MIMI";
/** What a reaction's character is sent as. Source: draft-ietf-mimi-content-08 §5.3. */
export const plainTextType = "text/plain;charset=utf-8";

/** A part with UTF-8 text. */
export function textPart(partDisposition: number, contentType: string, text: string): SinglePart {
  return {
    kind: "single",
    disposition: partDisposition,
    language: "",
    contentType,
    content: encodeUtf8(text),
  };
}

interface MediaType {
  readonly essence: string;
  readonly charset: string | undefined;
}

function parseMediaType(contentType: string): MediaType {
  const [essence = "", ...parameters] = contentType.toLowerCase().split(";");
  const charset = parameters
    .map((parameter) => parameter.trim())
    .find((parameter) => parameter.startsWith("charset="));
  return {
    essence: essence.trim(),
    charset: charset?.slice("charset=".length).replaceAll('"', ""),
  };
}

/** Whether a content type is `essence` (type/subtype, lower case), in UTF-8 where it says so. */
export function isMediaType(contentType: string, essence: string): boolean {
  const mediaType = parseMediaType(contentType);
  const charsets = [undefined, "utf-8", "us-ascii"];
  return mediaType.essence === essence && charsets.includes(mediaType.charset);
}

/** Whether a part is to be seen in the conversation; unknown dispositions are. Source: draft-ietf-mimi-content-08 §9.1. */
function isRendered(part: NestedPart): boolean {
  return (
    part.disposition === disposition.unspecified ||
    part.disposition === disposition.render ||
    part.disposition === disposition.inline ||
    part.disposition > disposition.preview
  );
}

/**
 * The body as Markdown, when it is a text or offers one to choose.
 *
 * @throws AppError `frame-malformed` when the text isn't UTF-8
 */
export function markdownOf(part: NestedPart): string | undefined {
  if (!isRendered(part)) return undefined;
  if (part.kind === "single") {
    if (isMediaType(part.contentType, "text/markdown")) return decodeUtf8(part.content);
    if (isMediaType(part.contentType, "text/plain")) {
      return escapeMarkdown(decodeUtf8(part.content));
    }
  }
  if (part.kind === "multi" && part.semantics === "choose-one") {
    for (const choice of part.parts) {
      const markdown = markdownOf(choice);
      if (markdown !== undefined) return markdown;
    }
  }
  return undefined;
}

/** Markdown that shows `text` as it is: punctuation loses its meaning, lines stay lines. Source: GFM §6.1 and §6.12. */
function escapeMarkdown(text: string): string {
  let escaped = "";
  let previous = "";
  for (const [index, line] of text.split(/\r\n|\r|\n/u).entries()) {
    if (index > 0) escaped += previous !== "" && line !== "" ? "\\\n" : "\n";
    // Spaces that would be dropped, or make a block of code, stay as ones that don't.
    const indented = line.replace(/^[ \t]+/u, (spaces) =>
      spaces.replaceAll("\t", "    ").replaceAll(" ", "\u00a0"),
    );
    escaped += indented.replaceAll(/[!-/:-@[-`{-~]/gu, "\\$&");
    previous = line;
  }
  return escaped;
}

/** The media types a body holds, outermost first, to say what can't be shown. */
export function contentTypesOf({ nestedPart }: MimiContent): readonly string[] {
  const types: string[] = [];
  const visit = (part: NestedPart): void => {
    if (part.kind === "multi") part.parts.forEach(visit);
    else if (part.kind !== "null") types.push(part.contentType);
  };
  visit(nestedPart);
  return [...new Set(types)];
}
