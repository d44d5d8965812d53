import type { Runtime } from "#protocol";

/** What a key can do anywhere in the window. */
export type Shortcut =
  | "palette"
  | "new"
  | "previous"
  | "next"
  | "next-unread"
  | "list"
  | "settings"
  | "details"
  | "search"
  | "find"
  | "lock"
  | "back";

/** What of a keyboard event decides. */
export type KeyPress = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">;

/** Whether the platform's command key (Cmd on a Mac, Ctrl elsewhere), and no other modifier, is held. */
export function isCommandKey(press: KeyPress, platform: Runtime["platform"]): boolean {
  const mac = platform === "darwin";
  return (
    (mac ? press.metaKey : press.ctrlKey) &&
    (mac ? !press.ctrlKey : !press.metaKey) &&
    !press.altKey
  );
}

/** Which shortcut a key press is, if any. */
export function shortcutOf(press: KeyPress, platform: Runtime["platform"]): Shortcut | null {
  const { key, altKey, shiftKey, ctrlKey, metaKey } = press;
  if (isCommandKey(press, platform)) {
    // Whether Shift is needed for “/” depends on the keyboard's layout.
    if (key === "/" || key === "?") return "list";
    if (shiftKey) return key.toLowerCase() === "f" ? "search" : null;
    switch (key.toLowerCase()) {
      case "k":
        return "palette";
      case "f":
        return "find";
      case "n":
        return "new";
      case "l":
        return "lock";
      case ",":
        return "settings";
      case ".":
        return "details";
      default:
        return null;
    }
  }
  if (altKey && !ctrlKey && !metaKey) {
    if (key === "ArrowUp" && !shiftKey) return "previous";
    if (key === "ArrowDown") return shiftKey ? "next-unread" : "next";
  }
  if (key === "Escape" && !altKey && !ctrlKey && !metaKey && !shiftKey) return "back";
  return null;
}

/** A combination on one line, as the platform writes it. */
export function keyText(keys: readonly string[], platform: Runtime["platform"]): string {
  return keyLabels(keys, platform).join(platform === "darwin" ? "" : "+");
}

/** How the platform writes a combination: `mod` is Cmd or Ctrl. */
export function keyLabels(
  keys: readonly string[],
  platform: Runtime["platform"],
): readonly string[] {
  const mac = platform === "darwin";
  const names: Readonly<Record<string, string>> = mac
    ? { mod: "⌘", alt: "⌥", shift: "⇧", enter: "↩", escape: "esc" }
    : { mod: "Ctrl", alt: "Alt", shift: "Shift", enter: "Enter", escape: "Esc" };
  return keys.map((key) => names[key] ?? key);
}
