import { EventEmitter } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  reachableBounds,
  readWindowState,
  writeWindowState,
} from "../../../../electron/shell/window-state.ts";
import { manageWindow, raise, windowOptions } from "../../../../electron/shell/window.ts";

const screen = { x: 0, y: 0, width: 1920, height: 1080 };
const bounds = { x: 100, y: 50, width: 1000, height: 700 };

describe("what is remembered of the window", () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "sotto-window-"));
    path = join(directory, "window.json");
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  test("comes back as it was", () => {
    const state = { bounds, isMaximized: true, theme: "dark" } as const;
    writeWindowState(path, state);
    expect(readWindowState(path)).toEqual(state);
  });

  test.each([
    "",
    "{",
    "null",
    '{"bounds":{"x":"1"},"isMaximized":false,"theme":"dark"}',
    '{"bounds":null,"isMaximized":false,"theme":"pink"}',
    '{"bounds":{"x":1e9,"y":0,"width":1,"height":1},"isMaximized":false,"theme":"dark"}',
  ])("is a first start's when the file says %j", (text) => {
    writeFileSync(path, text);
    expect(readWindowState(path)).toEqual({ bounds: null, isMaximized: false, theme: "system" });
  });

  test("that can't be written stops nothing", () => {
    expect(() => {
      writeWindowState(join(directory, "missing", "window.json"), readWindowState(path));
    }).not.toThrow();
  });

  test("holds nothing but places and colours", () => {
    writeWindowState(path, { bounds, isMaximized: false, theme: "light" });
    const saved = JSON.parse(readFileSync(path, "utf8")) as object;
    expect(Object.keys(saved)).toEqual(["bounds", "isMaximized", "theme"]);
  });
});

describe("remembered bounds", () => {
  test("are taken where a person can reach the window, and widened to what can be read", () => {
    expect(reachableBounds(bounds, [screen])).toEqual(bounds);
    expect(reachableBounds({ ...bounds, width: 10, height: 10 }, [screen])).toMatchObject({
      width: 400,
      height: 480,
    });
    expect(
      reachableBounds({ ...bounds, x: 2000 }, [screen, { ...screen, x: 1920 }]),
    ).not.toBeNull();
  });

  test.each([
    ["on a screen that is gone", { ...bounds, x: 2000 }],
    ["left of everything", { ...bounds, x: -990 }],
    ["with the title bar above the screen", { ...bounds, y: -10 }],
    ["below the screen", { ...bounds, y: 1050 }],
  ])("are forgotten %s", (_where, lost) => {
    expect(reachableBounds(lost, [screen])).toBeNull();
  });

  test("are the system's choice at a first start", () => {
    expect(reachableBounds(null, [screen])).toBeNull();
  });
});

describe("a new window", () => {
  const options = {
    state: { bounds: null, isMaximized: false, theme: "system" },
    isDark: true,
    screens: [screen],
    profile: "default",
    defaultProfile: "default",
    iconPath: "/icon.png",
    webPreferences: { sandbox: true },
  } as const;

  test("is hidden until painted, in the colour of its page, and names a profile that is not the default", () => {
    expect(windowOptions(options)).toMatchObject({
      show: false,
      title: "Sotto",
      backgroundColor: "#161817",
      minWidth: 400,
      minHeight: 480,
      webPreferences: { sandbox: true },
    });
    expect(windowOptions({ ...options, isDark: false, profile: "bob" })).toMatchObject({
      title: "Sotto (bob)",
      backgroundColor: "#f6f5f2",
    });
  });
});

class FakeWindow extends EventEmitter {
  readonly done: string[] = [];
  maximized = false;
  minimized = true;
  show = (): void => void this.done.push("show");
  hide = (): void => void this.done.push("hide");
  focus = (): void => void this.done.push("focus");
  restore = (): void => void this.done.push("restore");
  maximize = (): void => void this.done.push("maximize");
  isMaximized = (): boolean => this.maximized;
  isMinimized = (): boolean => this.minimized;
  getNormalBounds = (): typeof bounds => bounds;
}

describe("a window", () => {
  let window: FakeWindow;
  let closeToTray: boolean;
  let isQuitting: boolean;
  let remembered: unknown[];
  beforeEach(() => {
    window = new FakeWindow();
    closeToTray = false;
    isQuitting = false;
    remembered = [];
    manageWindow(window as never, true, {
      closeToTray: () => closeToTray,
      isQuitting: () => isQuitting,
      remember: (...place) => remembered.push(place),
    });
  });

  function close(): boolean {
    let prevented = false;
    window.emit("close", { preventDefault: () => (prevented = true) });
    return prevented;
  }

  test("appears when its page is painted, as large as it was", () => {
    expect(window.done).toEqual([]);
    window.emit("ready-to-show");
    expect(window.done).toEqual(["maximize", "show"]);
  });

  test("closes, and its place is remembered", () => {
    expect(close()).toBe(false);
    expect(remembered).toEqual([[bounds, false]]);
  });

  test("hides instead when the person wants that, but not when Sotto quits", () => {
    closeToTray = true;
    expect(close()).toBe(true);
    expect(window.done).toEqual(["hide"]);
    isQuitting = true;
    expect(close()).toBe(false);
  });

  test("keeps its title whatever the page says", () => {
    let prevented = false;
    window.emit("page-title-updated", { preventDefault: () => (prevented = true) }, "Ada");
    expect(prevented).toBe(true);
  });

  test("is raised from wherever it is", () => {
    raise(window);
    expect(window.done).toEqual(["restore", "show", "focus"]);
    window.minimized = false;
    raise(window);
    expect(window.done.slice(3)).toEqual(["show", "focus"]);
  });
});
