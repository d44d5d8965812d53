import { defineConfig } from "@playwright/test";

import { chromiumArguments, findChromium } from "./build/lib/browser.ts";
import { findElectron } from "./build/lib/electron-binary.ts";

const chromium = findChromium();

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
    actionTimeout: 15_000,
    // Without the film: drawing it costs a third of the run.
    trace: { mode: "retain-on-failure", screenshots: false },
    screenshot: "only-on-failure",
    launchOptions: {
      args: chromiumArguments(),
      ...(chromium === undefined ? {} : { executablePath: chromium }),
    },
  },
  // The same specs in both shells: tests/support decides by the project's name what to start. Electron's binary comes from outside
  // the registry: where it could not be fetched, its project is left out.
  projects: [
    { name: "preview", grepInvert: /@electron/u },
    ...(findElectron() === undefined ? [] : [{ name: "electron", grepInvert: /@preview/u }]),
  ],
});
