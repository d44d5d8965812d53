import { test as base, expect } from "@playwright/test";
import { startPrivateKeyring, type PrivateKeyring } from "../../support/private-keyring.ts";
import { launchElectron, launchPreview } from "./launch.ts";
import { Stage } from "./stage.ts";

/** Playwright's test with a stage, in the preview or in Electron after the project's name. */
export const test = base.extend<{ stage: Stage }, { keyring: PrivateKeyring }>({
  keyring: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the fixtures that are needed from the pattern
    async ({}, use) => {
      const keyring = await startPrivateKeyring();
      await use(keyring);
      keyring.stop();
    },
    { scope: "worker" },
  ],
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
