import { expectAccessible } from "./support/axe.ts";
import { forgetKeychainEntries } from "./support/keychain-entries.ts";
import {
  makeRecoveryCode,
  openProtection,
  seesLock,
  tryPassphrase,
  turnLockOn,
} from "./support/lock.ts";
import { meetInDirect } from "./support/scenes.ts";
import { expect, test } from "./support/test.ts";

test.slow();

const passphrase = "umbrella cactus violin harbour";

test("a lock hides everything, and what came meanwhile is there after it", async ({ stage }) => {
  const [ada, ben] = await meetInDirect(stage);
  await ben.say("Before the lock.");
  await ada.reads("Before the lock.");

  await test.step("a passphrase turns it on", async () => {
    await turnLockOn(ada, passphrase);
    const settings = await openProtection(ada);
    await expectAccessible(ada, "settings, Privacy and lock");
    await settings.getByRole("button", { name: "Close" }).click();
  });

  await test.step("a key locks, and nothing of before can be seen", async () => {
    await ada.page.keyboard.press("ControlOrMeta+l");
    await seesLock(ada);
    await expect(ada.page.getByText("Before the lock.")).toHaveCount(0);
    await expect(ada.page.getByText(ben.name)).toHaveCount(0);
    await expectAccessible(ada, "the lock");
  });

  await test.step("what arrives is counted", async () => {
    await ben.say("While you were away.");
    await expect(ada.page.getByRole("status").filter({ hasText: "since then" })).toBeVisible();
    await expect(ada.page.getByText("While you were away.")).toHaveCount(0);
  });

  await test.step("a wrong passphrase is refused in words", async () => {
    await tryPassphrase(ada, "umbrella cactus violin harbor");
    await expect(ada.page.getByText("That isn't the passphrase of this vault.")).toBeVisible();
    await expectAccessible(ada, "the lock after a wrong passphrase");
  });

  await test.step("the right one brings everything back, and what came", async () => {
    await tryPassphrase(ada, passphrase);
    await ada.isReady();
    await ada.open(ben.name);
    await ada.readsExactly(["Before the lock.", "While you were away."]);
    await ada.say("Back again.");
    await ben.reads("Back again.");
  });
});

test("who guesses waits longer and longer, also after a restart", async ({ stage }) => {
  const ada = stage.person("Ada Berg");
  await ada.start();
  await ada.host("Northwind");
  await turnLockOn(ada, passphrase);
  await ada.page.keyboard.press("ControlOrMeta+l");
  await seesLock(ada);
  for (let time = 0; time < 5; time += 1) {
    await tryPassphrase(ada, `wrong guess number ${time}`);
    await expect(ada.page.getByRole("button", { name: "Unlock" })).not.toHaveAttribute(
      "aria-busy",
      "true",
      { timeout: 20_000 },
    );
    await expect(ada.page.getByText("That isn't the passphrase of this vault.")).toBeVisible({
      timeout: 20_000,
    });
  }
  const wait = () => ada.page.locator("strong", { hasText: /^Too many wrong attempts/u });
  await expect(wait()).toBeVisible();
  await expectAccessible(ada, "the lock while it waits");
  await ada.terminate();
  await ada.start();
  await seesLock(ada);
  await expect(wait()).toBeVisible();
  await expect(wait()).toHaveCount(0, { timeout: 40_000 });
  await tryPassphrase(ada, passphrase);
  await ada.isReady();
});

test("a keychain that was emptied is no loss: passphrase and recovery code bring everything back", async ({
  stage,
}) => {
  const [ada, ben] = await meetInDirect(stage);
  await ben.say("Keep this, please.");
  await ada.reads("Keep this, please.");
  const code = await makeRecoveryCode(ada, null);

  await test.step("the recovery code, where there is nothing else", async () => {
    await ada.terminate();
    expect(forgetKeychainEntries(ada)).toBeGreaterThan(0);
    await ada.start();
    const { page } = ada;
    await expect(page.getByRole("heading", { name: "The keychain can't be used" })).toBeVisible({
      timeout: 30_000,
    });
    await expect(page.getByRole("alert")).toContainText("Nothing was deleted.");
    await expectAccessible(ada, "the problem with a recovery code");
    await page.getByRole("button", { name: "Use recovery code" }).click();
    const field = page.getByRole("textbox", { name: "Recovery code" });
    await field.fill(code.toLowerCase());
    await expectAccessible(ada, "the recovery code's field");
    await field.press("Enter");
    await ada.isReady();
    await ada.open(ben.name);
    await ada.readsExactly(["Keep this, please."]);
  });

  await test.step("the keychain is mended, and opens the vault again", async () => {
    const settings = await openProtection(ada);
    const keychain = settings.getByRole("region", { name: /^Keychain/u });
    const renew = keychain.getByRole("button", { name: "Renew" });
    if (await renew.isVisible()) await renew.click();
    await expect(renew).toHaveCount(0);
    await settings.getByRole("button", { name: "Close" }).click();
    await ada.terminate();
    await ada.start();
    await ada.isReady();
  });

  await test.step("the passphrase, once there is one", async () => {
    await turnLockOn(ada, passphrase);
    await ada.terminate();
    expect(forgetKeychainEntries(ada)).toBeGreaterThan(0);
    await ada.start();
    await seesLock(ada);
    await tryPassphrase(ada, passphrase);
    await ada.isReady();
    await ada.open(ben.name);
    await ada.readsExactly(["Keep this, please."]);
    await ada.say("All here.");
    // The relay was away with its host.
    await ben.isOnline();
    await ben.reads("All here.");
  });
});
