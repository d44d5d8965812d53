import { expect, type Locator } from "@playwright/test";
import type { Person } from "./person.ts";

/** Opens “Privacy and lock” in the settings. */
export async function openProtection(person: Person): Promise<Locator> {
  await person.page.keyboard.press("ControlOrMeta+,");
  const settings = person.dialog("Settings");
  await settings.getByRole("tab", { name: "Privacy and lock" }).click();
  await expect(settings.getByRole("region", { name: "App lock" })).toBeVisible();
  return settings;
}

/** Turns the app lock on. */
export async function turnLockOn(person: Person, passphrase: string): Promise<void> {
  const settings = await openProtection(person);
  await settings.getByRole("button", { name: "Set a passphrase" }).click();
  const dialog = person.dialog("Set a passphrase");
  await dialog.getByRole("textbox", { name: "Passphrase", exact: true }).fill(passphrase);
  await dialog.getByRole("textbox", { name: "Repeat the passphrase" }).fill(passphrase);
  await dialog.getByRole("button", { name: "Turn on app lock" }).click();
  // A passphrase is stretched for about a second, on a machine that does nothing else.
  await expect(settings.getByRole("button", { name: "Turn off" })).toBeVisible({ timeout: 30_000 });
  await settings.getByRole("button", { name: "Close" }).click();
  await expect(settings).toHaveCount(0);
}

/**
 * Makes a recovery code and takes it down.
 *
 * @param passphrase - of the app lock; null: it is off
 */
export async function makeRecoveryCode(person: Person, passphrase: string | null): Promise<string> {
  const settings = await openProtection(person);
  await settings.getByRole("button", { name: "Create recovery code" }).click();
  if (passphrase !== null) await proveForCode(person, passphrase);
  const dialog = person.dialog("Your recovery code");
  // A passphrase is stretched first, and the keys are exchanged.
  await expect(dialog).toBeVisible({ timeout: 30_000 });
  const code = await dialog.getByRole("group", { name: "Recovery code" }).innerText();
  await dialog.getByRole("checkbox", { name: "I have kept this code in a safe place" }).check();
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(settings.getByRole("button", { name: "Replace" })).toBeVisible();
  await settings.getByRole("button", { name: "Close" }).click();
  await expect(settings).toHaveCount(0);
  return code.replaceAll(/\s+/gu, "-");
}

/** Gives the passphrase that a recovery code is made with while the app lock is on. */
export async function proveForCode(person: Person, passphrase: string): Promise<void> {
  const dialog = person.dialog("Create a recovery code");
  await dialog.getByRole("textbox", { name: "Present passphrase" }).fill(passphrase);
  await dialog.getByRole("button", { name: "Create recovery code" }).click();
}

/** What a locked Sotto shows. */
export async function seesLock({ page }: Person): Promise<void> {
  await expect(page.getByRole("heading", { name: "Sotto is locked" })).toBeVisible({
    timeout: 30_000,
  });
}

/** Gives a passphrase at the lock. */
export async function tryPassphrase({ page }: Person, passphrase: string): Promise<void> {
  await page.getByRole("textbox", { name: "Passphrase", exact: true }).fill(passphrase);
  await page.getByRole("button", { name: "Unlock" }).click();
}
