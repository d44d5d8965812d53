import { existsSync, readFileSync } from "node:fs";

import { defineConfig } from "@playwright/test";

/** Chromium never calls home in tests: machines without a network would answer with many refusals. */
const quietNetwork = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];
const noSandboxAsRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

const debianChromium = "/usr/bin/chromium";
const chromium =
  process.env["SOTTO_CHROMIUM"] ?? (existsSync(debianChromium) ? debianChromium : undefined);

export default defineConfig({
  testDir: "tests/e2e",
  outputDir: "test-results/e2e",
  forbidOnly: true,
  fullyParallel: false,
  workers: 1,
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 10_000 },
  reporter: [["list"], ["json", { outputFile: "test-results/e2e.json" }]],
  use: {
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    viewport: { width: 1280, height: 800 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      args: ["--disable-gpu", ...quietNetwork, ...noSandboxAsRoot],
      ...(chromium === undefined ? {} : { executablePath: chromium }),
    },
  },
  projects: [
    { name: "preview", grepInvert: /@electron/u },
    ...(electronIsPresent() ? [{ name: "electron", grepInvert: /@preview/u }] : []),
  ],
});

/** Electron's binary comes from outside the registry: where it could not be fetched, its project is left out. */
function electronIsPresent(): boolean {
  const folder = new URL("node_modules/electron/", import.meta.url);
  const pathFile = new URL("path.txt", folder);
  if (!existsSync(pathFile)) return false;
  return existsSync(new URL(`dist/${readFileSync(pathFile, "utf8").trim()}`, folder));
}
