import {
  toggleCode,
  toggleList,
  toggleMark,
  type Selected,
  type TextEdit,
} from "../../state/markdown-edit.ts";

/** What the toolbar can do to a selection. */
export type FormatName = "bold" | "italic" | "code" | "list";

/** The edit that a button of the toolbar makes. */
export function formatEdit(name: FormatName, selected: Selected): TextEdit {
  switch (name) {
    case "bold":
      return toggleMark(selected, "**");
    case "italic":
      return toggleMark(selected, "_");
    case "code":
      return toggleCode(selected);
    case "list":
      return toggleList(selected);
  }
}

/** The format that a letter with the command key means. */
export function formatOfKey(key: string): FormatName | null {
  const names: Readonly<Record<string, FormatName>> = { b: "bold", i: "italic", e: "code" };
  return names[key.toLowerCase()] ?? null;
}
