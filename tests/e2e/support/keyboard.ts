import { expect, type Locator } from "@playwright/test";

const mostSteps = 60;

/** Presses a key until something has the focus. */
export async function pressUntilFocused(target: Locator, key: string): Promise<void> {
  await expect(target).toBeVisible();
  const { keyboard } = target.page();
  for (let step = 0; step < mostSteps; step += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await keyboard.press(key);
  }
  await expect(target).toBeFocused();
}

/** Tabs to a control, and presses it. */
export async function tabAndPress(target: Locator): Promise<void> {
  await pressUntilFocused(target, "Tab");
  await target.page().keyboard.press("Enter");
}

/** Tabs to a field, and types into it. */
export async function tabAndType(target: Locator, text: string): Promise<void> {
  await pressUntilFocused(target, "Tab");
  await target.page().keyboard.type(text);
}
