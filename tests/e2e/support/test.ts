import { test as base, expect } from "@playwright/test";
import { startPrivateKeyring, type PrivateKeyring } from "../../support/private-keyring.ts";
import { launchElectron, launchPreview } from "./launch.ts";
import { Stage } from "./stage.ts";
import { WallClock } from "./wall-clock.ts";

/** Playwright's test with a stage, in the preview or in Electron after the project's name. */
export const test = base.extend<{ clock: WallClock; stage: Stage }, { keyring: PrivateKeyring }>({
  keyring: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the fixtures that are needed from the pattern
    async ({}, use) => {
      const keyring = await startPrivateKeyring();
      await use(keyring);
      keyring.stop();
    },
    { scope: "worker" },
  ],
  // eslint-disable-next-line no-empty-pattern -- as above
  clock: async ({}, use) => {
    const clock = new WallClock();
    await use(clock);
    clock.stop();
  },
  stage: async ({ browser, keyring }, use, testInfo) => {
    const inElectron = testInfo.project.name === "electron";
    const stage = new Stage(
      inElectron ? launchElectron : (options) => launchPreview(browser, options),
      keyring,
    );
    try {
      await use(stage);
      expect(stage.complaints, "errors on the pages' consoles").toEqual([]);
    } finally {
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach("output", { body: stage.output, contentType: "text/plain" });
      }
      await stage.close();
    }
  },
});

export { expect };
