import { startPrivateKeyring } from "../support/private-keyring.ts";
import { meetInDirect } from "./support/scenes.ts";
import { expect, test } from "./support/test.ts";
import { vaultDigests } from "./support/vault-files.ts";

const passphrase = "umbrella cactus violin harbour";
/** A session without a bus: nothing can be asked for a keychain. */
const noKeyring = { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" };

test("without a keychain, a passphrase protects the vault, and opens it again", async ({
  stage,
}) => {
  const ada = stage.person("Ada Berg", { environment: noKeyring });
  await ada.start();
  const { page } = ada;
  const field = page.getByRole("textbox", { name: "Passphrase", exact: true });
  const repeat = page.getByRole("textbox", { name: "Repeat the passphrase" });
  const create = page.getByRole("button", { name: "Create network" });

  await test.step("the form says what is missing and what a passphrase does instead", async () => {
    await page.getByRole("button", { name: /^Host a network on this computer/u }).click();
    const group = page.getByRole("group", { name: "Protect this computer's vault" });
    await expect(group).toContainText("This computer has no keychain that Sotto can use.");
    await expect(group).toContainText("Nobody can reset it.");
    await page.getByLabel("Name of the network").fill("Northwind");
    await page.getByLabel("Your name").fill("Ada Berg");
  });

  await test.step("a weak one, and two that differ, are refused", async () => {
    await field.fill("umbrella");
    await expect(page.getByText("Strength: weak")).toBeVisible();
    await repeat.fill("umbrella");
    await create.click();
    await expect(page.getByText("Use at least 12 characters.")).toBeVisible();
    await expect(field).toHaveAccessibleDescription(/Use at least 12 characters\./u);
    await field.fill(passphrase);
    await repeat.fill(`${passphrase}!`);
    await create.click();
    await expect(page.getByText("The two passphrases are not the same.")).toBeVisible();
  });

  await test.step("a good one makes the network", async () => {
    await repeat.fill(passphrase);
    await create.click();
    await ada.isReady();
    await ada.menu("About Sotto");
    await expect(ada.dialog("Settings")).toContainText("Protected with your passphrase");
    await ada.closeDialog();
  });

  await test.step("after a start a wrong one is refused in words, the right one opens", async () => {
    await ada.quit();
    await ada.start();
    const locked = ada.page.getByRole("heading", { name: "Sotto is locked" });
    await expect(locked).toBeVisible();
    const unlock = ada.page.getByRole("textbox", { name: "Passphrase", exact: true });
    await unlock.fill("umbrella cactus violin harbor");
    await ada.page.getByRole("button", { name: "Unlock" }).click();
    await expect(ada.page.getByText("That isn't the passphrase of this vault.")).toBeVisible();
    await expect(locked).toBeVisible();
    await unlock.fill(passphrase);
    await unlock.press("Enter");
    await ada.isReady();
    await expect(ada.list).toContainText("Northwind");
  });
});

test("a vault whose key is gone from the keychain is left as it is, and says so", async ({
  stage,
}) => {
  const [ada, ben] = await meetInDirect(stage);
  await ada.say("Keep this, please.");
  await ben.reads("Keep this, please.");
  await ben.terminate();
  const before = vaultDigests(ben);
  expect(Object.keys(before)).toEqual(expect.arrayContaining(["keyring"]));

  const otherKeyring = await startPrivateKeyring();
  try {
    await ben.start({ environment: otherKeyring.environment });
    const heading = ben.page.getByRole("heading", { name: "The keychain can't be used" });
    const alert = ben.page.getByRole("alert");
    await expect(heading).toBeVisible();
    await expect(alert).toContainText("no longer holds the key to this computer's Sotto vault");
    await expect(alert).toContainText("Nothing was deleted.");
    await expect(ben.page.getByRole("button")).toHaveText([
      "Try again",
      "Quit Sotto",
      "Erase this vault…",
    ]);
    await ben.page.getByRole("button", { name: "Try again" }).click();
    await expect(heading).toBeVisible();
    expect(vaultDigests(ben), "the vault is untouched").toEqual(before);
    await ben.terminate();
    expect(vaultDigests(ben), "the vault is untouched").toEqual(before);
  } finally {
    otherKeyring.stop();
  }

  await ben.start();
  await ben.isReady();
  await ben.open("Ada Berg");
  await ben.readsExactly(["Keep this, please."]);
});
