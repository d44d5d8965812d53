import type { App as ElectronApp } from "electron";
import { hardenContents } from "./harden-contents.ts";
import { hardenSession } from "./harden-session.ts";

/** What of Electron's `app` is used. */
export type HardenedApp = Pick<ElectronApp, "enableSandbox" | "on" | "commandLine">;

/** Switches with which another program reads or steers our pages. Fuses take away Node's own; these are Chromium's. */
const spyingSwitches = ["remote-debugging-port", "remote-debugging-pipe", "remote-allow-origins"];

/**
 * Hardens the whole app before it is ready: every renderer in the sandbox, every session and every page through our rules, whoever made
 * it, and no question about certificates that a person could answer wrongly. Source: Electron security checklist 4, 5, 11 to 15.
 *
 * @param open - `shell.openExternal`
 * @param now - milliseconds
 */
export function hardenApp(
  app: HardenedApp,
  open: (url: string) => Promise<void>,
  now: () => number,
): void {
  app.enableSandbox();
  app.on("session-created", hardenSession);
  app.on("web-contents-created", (_event, contents) => {
    hardenContents(contents, open, now);
  });
  app.on("certificate-error", (event, ...details) => {
    event.preventDefault();
    const callback = details[4];
    callback(false);
  });
}

/**
 * Whether somebody started a packaged app so that they can look into its pages.
 *
 * @returns the switch, or null
 */
export function spyingSwitch(app: Pick<ElectronApp, "commandLine" | "isPackaged">): string | null {
  if (!app.isPackaged) return null;
  return spyingSwitches.find((name) => app.commandLine.hasSwitch(name)) ?? null;
}
