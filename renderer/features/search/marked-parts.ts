/** A piece of a text that is marked or isn't. */
export interface MarkedPart {
  readonly text: string;
  readonly marked: boolean;
}

/**
 * A text cut where its marks begin and end. Marks that don't fit into it are passed over.
 *
 * @param marks - from and to, UTF-16 code units, ascending
 */
export function markedParts(
  text: string,
  marks: readonly (readonly [from: number, to: number])[],
): readonly MarkedPart[] {
  const parts: MarkedPart[] = [];
  let at = 0;
  for (const [from, to] of marks) {
    if (from < at || to <= from || to > text.length) continue;
    parts.push({ text: text.slice(at, from), marked: false });
    parts.push({ text: text.slice(from, to), marked: true });
    at = to;
  }
  parts.push({ text: text.slice(at), marked: false });
  return parts.filter((part) => part.text !== "");
}
