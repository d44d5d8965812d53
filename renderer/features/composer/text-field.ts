import type { Selected, TextEdit } from "../../state/markdown-edit.ts";

/** The text and selection of a field. */
export function selectedIn(field: HTMLTextAreaElement): Selected {
  return { text: field.value, start: field.selectionStart, end: field.selectionEnd };
}

/** Carries an edit out as if it had been typed, so that undo takes it back. */
export function applyToField(field: HTMLTextAreaElement, edit: TextEdit): void {
  field.focus();
  field.setSelectionRange(edit.from, edit.to);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way that keeps the field's undo history
  const typed = document.execCommand(
    edit.insert === "" ? "delete" : "insertText",
    false,
    edit.insert,
  );
  if (!typed) {
    field.setRangeText(edit.insert, edit.from, edit.to);
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  field.setSelectionRange(edit.selectStart, edit.selectEnd);
}
