import type { BrowserWindow, BrowserWindowConstructorOptions, WebPreferences } from "electron";
import {
  firstWindow,
  reachableBounds,
  smallestWindow,
  type Bounds,
  type WindowState,
} from "./window-state.ts";

/** The page's own background (renderer/theme/tokens.css), shown until it has painted. */
const backgrounds = { light: "#f6f5f2", dark: "#161817" } as const;

/** How the window begins. */
export interface WindowOptions {
  readonly state: WindowState;
  readonly isDark: boolean;
  /** The work areas of all screens. */
  readonly screens: readonly Bounds[];
  readonly profile: string;
  readonly defaultProfile: string;
  readonly iconPath: string;
  readonly webPreferences: WebPreferences;
}

/** What `BrowserWindow` is made with: hidden until its page has painted, where it was last time if that can still be reached. */
export function windowOptions(options: WindowOptions): BrowserWindowConstructorOptions {
  const bounds = reachableBounds(options.state.bounds, options.screens);
  const { profile, defaultProfile } = options;
  return {
    ...(bounds ?? firstWindow),
    minWidth: smallestWindow.width,
    minHeight: smallestWindow.height,
    show: false,
    title: profile === defaultProfile ? "Sotto" : `Sotto (${profile})`,
    icon: options.iconPath,
    backgroundColor: options.isDark ? backgrounds.dark : backgrounds.light,
    autoHideMenuBar: true,
    webPreferences: options.webPreferences,
  };
}

/** What is decided when a person closes the window. */
export interface ClosePolicy {
  /** The person's choice; false before the vault is open. */
  readonly closeToTray: () => boolean;
  readonly isQuitting: () => boolean;
  readonly remember: (bounds: Bounds, isMaximized: boolean) => void;
}

/** Shows a window when its page is painted, keeps its title, and on closing remembers its place and hides it if that is wished. */
export function manageWindow(
  window: Pick<
    BrowserWindow,
    "once" | "on" | "show" | "hide" | "maximize" | "isMaximized" | "getNormalBounds"
  >,
  isMaximized: boolean,
  policy: ClosePolicy,
): void {
  window.once("ready-to-show", () => {
    if (isMaximized) window.maximize();
    window.show();
  });
  // The page's title would be the conversation's name, which then stands in the task bar and its previews.
  window.on("page-title-updated", (event) => {
    event.preventDefault();
  });
  window.on("close", (event) => {
    policy.remember(window.getNormalBounds(), window.isMaximized());
    if (policy.isQuitting() || !policy.closeToTray()) return;
    event.preventDefault();
    window.hide();
  });
}

/** Brings a window to the front wherever it is: hidden, minimised or behind others. */
export function raise(
  window: Pick<BrowserWindow, "isMinimized" | "restore" | "show" | "focus">,
): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}
