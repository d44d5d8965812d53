import { existsSync } from "node:fs";

import { chromium } from "playwright";

/** Where a Chromium may lie that Playwright can drive. A snap can't: it sees neither our profile folders nor /tmp. */
const usualPlaces: readonly string[] = [
  "/usr/bin/chromium",
  "/usr/bin/google-chrome-stable",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/**
 * The browser for end-to-end tests and for drawing icons: SOTTO_CHROMIUM, else one of the usual places, else the one that Playwright
 * installed.
 * @returns its path, or undefined when there is none.
 */
export function findChromium(): string | undefined {
  const named = process.env["SOTTO_CHROMIUM"];
  const candidates = [...(named === undefined ? usualPlaces : [named]), chromium.executablePath()];
  return candidates.find((path) => existsSync(path));
}

/** Arguments under which Chromium calls nobody on its own: on a closed network it would be refused many times at each start. */
const quietNetworkArguments: readonly string[] = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/** Arguments for this machine: no GPU, a quiet network, and no sandbox as root, where Chromium has none. */
export function chromiumArguments(): string[] {
  const asRoot = process.getuid?.() === 0;
  return ["--disable-gpu", ...quietNetworkArguments, ...(asRoot ? ["--no-sandbox"] : [])];
}
