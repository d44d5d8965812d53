import { describe, expect, test } from "vitest";
import { keyLabels, shortcutOf, type KeyPress } from "../../../../renderer/state/shortcuts.ts";

function press(key: string, ...held: readonly ("ctrl" | "meta" | "alt" | "shift")[]): KeyPress {
  return {
    key,
    ctrlKey: held.includes("ctrl"),
    metaKey: held.includes("meta"),
    altKey: held.includes("alt"),
    shiftKey: held.includes("shift"),
  };
}

describe("a key press", () => {
  test.each([
    [press("k", "ctrl"), "palette"],
    [press("K", "ctrl"), "palette"],
    [press("n", "ctrl"), "new"],
    [press("/", "ctrl"), "list"],
    [press("?", "ctrl", "shift"), "list"],
    [press("/", "ctrl", "shift"), "list"],
    [press("l", "ctrl"), "lock"],
    [press(",", "ctrl"), "settings"],
    [press(".", "ctrl"), "details"],
    [press("F", "ctrl", "shift"), "search"],
    [press("ArrowUp", "alt"), "previous"],
    [press("ArrowDown", "alt"), "next"],
    [press("ArrowDown", "alt", "shift"), "next-unread"],
    [press("Escape"), "back"],
  ] as const)("%o means %s", (pressed, shortcut) => {
    expect(shortcutOf(pressed, "linux")).toBe(shortcut);
  });

  test.each([
    press("k"),
    press("k", "alt"),
    press("k", "ctrl", "alt"),
    press("k", "meta"),
    press("k", "ctrl", "shift"),
    press("ArrowUp"),
    press("ArrowUp", "alt", "ctrl"),
    press("Escape", "shift"),
  ])("%o means nothing", (pressed) => {
    expect(shortcutOf(pressed, "linux")).toBeNull();
  });

  test("takes Cmd, not Ctrl, on a Mac", () => {
    expect(shortcutOf(press("k", "meta"), "darwin")).toBe("palette");
    expect(shortcutOf(press("k", "ctrl"), "darwin")).toBeNull();
  });
});

test("keys are written as the platform writes them", () => {
  expect(keyLabels(["mod", "shift", "F"], "darwin")).toEqual(["⌘", "⇧", "F"]);
  expect(keyLabels(["mod", "shift", "F"], "win32")).toEqual(["Ctrl", "Shift", "F"]);
});
