const fence = /^[ \t]*(?:```|~~~).*$/mu;
const emphasisBefore = /(?<=^|[\s\p{P}])(?:\*{1,3}|_{1,3}|~~|`+)(?=\S)/gmu;
const emphasisAfter = /(?<=\S)(?:\*{1,3}|_{1,3}|~~|`+)(?=$|[\s\p{P}])/gmu;
const lineMarks = /^[ \t]*(?:#{1,6}[ \t]+|(?:>[ \t]?)+|[-*+][ \t]+)/gmu;
const links = /!?\[([^\]\n]*)\]\(([^)\s]*)\)/gu;

/**
 * What a message says, on one line and without the marks of its Markdown: this is what is searched, and what a result shows. Code stays
 * as it stands.
 */
export function plainWords(markdown: string): string {
  return markdown
    .split(fence)
    .map((part, index) => (index % 2 === 0 ? prose(part) : part))
    .join(" ")
    .replace(/\s+/gu, " ")
    .trim();
}

function prose(text: string): string {
  return text
    .replace(lineMarks, "")
    .replace(links, "$1 $2")
    .replace(emphasisBefore, "")
    .replace(emphasisAfter, "");
}

/** What a message has beside words, each a bit. */
export const features = { link: 1, code: 2, quote: 4, reaction: 8 } as const;
/** The name of something that a message can have. */
export type Feature = keyof typeof features;

const linkPattern = /\b(?:https?:\/\/|mailto:|www\.)\S/iu;
const codePattern = /`[^`]+`|^[ \t]*(?:```|~~~)/mu;
const quotePattern = /^>[ \t]?\S/mu;

/** The {@link features} that a message's text has. */
export function textFeatures(markdown: string): number {
  return (
    (linkPattern.test(markdown) ? features.link : 0) |
    (codePattern.test(markdown) ? features.code : 0) |
    (quotePattern.test(markdown) ? features.quote : 0)
  );
}
