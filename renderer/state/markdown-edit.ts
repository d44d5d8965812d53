/** A text with a selection in it; offsets are UTF-16 code units. */
export interface Selected {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What to put where, and what to select then. */
export interface TextEdit {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
  readonly selectStart: number;
  readonly selectEnd: number;
}

/** Puts `mark` around the selection, or takes it away when it is there. Marks that stand just outside count too. */
export function toggleMark({ text, start, end }: Selected, mark: string): TextEdit {
  const inner = text.slice(start, end);
  const size = mark.length;
  const markedOutside =
    text.slice(Math.max(0, start - size), start) === mark && text.slice(end, end + size) === mark;
  if (markedOutside) {
    return {
      from: start - size,
      to: end + size,
      insert: inner,
      selectStart: start - size,
      selectEnd: end - size,
    };
  }
  if (inner.length >= 2 * size && inner.startsWith(mark) && inner.endsWith(mark)) {
    const bare = inner.slice(size, inner.length - size);
    return {
      from: start,
      to: end,
      insert: bare,
      selectStart: start,
      selectEnd: start + bare.length,
    };
  }
  return {
    from: start,
    to: end,
    insert: mark + inner + mark,
    selectStart: start + size,
    selectEnd: end + size,
  };
}

/** Code: inline within a line, a fenced block around several. */
export function toggleCode(selected: Selected): TextEdit {
  const inner = selected.text.slice(selected.start, selected.end);
  if (!inner.includes("\n")) return toggleMark(selected, "`");
  const before = selected.start === 0 || selected.text[selected.start - 1] === "\n" ? "" : "\n";
  const opening = `${before}\`\`\`\n`;
  return {
    from: selected.start,
    to: selected.end,
    insert: `${opening}${inner}\n\`\`\``,
    selectStart: selected.start + opening.length,
    selectEnd: selected.start + opening.length + inner.length,
  };
}

/** Makes the selected lines a list, or plain lines again. */
export function toggleList({ text, start, end }: Selected): TextEdit {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const lineEnd = text.indexOf("\n", end);
  const to = lineEnd === -1 ? text.length : lineEnd;
  const lines = text.slice(from, to).split("\n");
  const isList = lines.every((line) => line.startsWith("- "));
  const insert = lines.map((line) => (isList ? line.slice(2) : `- ${line}`)).join("\n");
  const shift = isList ? -2 : 2;
  return {
    from,
    to,
    insert,
    selectStart: start === end ? Math.max(from, start + shift) : from,
    selectEnd: start === end ? Math.max(from, end + shift) : from + insert.length,
  };
}

/** Puts `inserted` in place of the selection. */
export function insertText({ start, end }: Selected, inserted: string): TextEdit {
  const at = start + inserted.length;
  return { from: start, to: end, insert: inserted, selectStart: at, selectEnd: at };
}

/** The text after an edit. */
export function applyEdit(text: string, edit: TextEdit): string {
  return text.slice(0, edit.from) + edit.insert + text.slice(edit.to);
}
