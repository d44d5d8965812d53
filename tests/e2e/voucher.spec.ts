import { cpSync, rmSync } from "node:fs";
import { expectAccessible } from "./support/axe.ts";
import type { Person } from "./support/person.ts";
import { meetInGroup } from "./support/scenes.ts";
import { expect, test } from "./support/test.ts";
import { vaultDirectory } from "./support/vault-files.ts";

const title = "Supplier review";

/** Opens what is shown beside a conversation, if it isn't. */
async function details({ page }: Person) {
  const pane = page.getByRole("complementary", { name: "Details" });
  if ((await pane.count()) === 0) {
    await page.getByRole("button", { name: "Details", exact: true }).click();
  }
  return pane;
}

async function remove(who: Person, other: Person): Promise<void> {
  const pane = await details(who);
  await pane.getByRole("button", { name: `Actions for ${other.name}` }).click();
  await who.page.getByRole("menuitem", { name: "Remove from conversation…" }).click();
  await who.page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await expect(who.page.getByRole("alertdialog")).toHaveCount(0);
}

async function add(who: Person, other: Person): Promise<void> {
  await (await details(who)).getByRole("button", { name: "Add people" }).click();
  const dialog = who.dialog(`Add people to ${title}`);
  await dialog.getByRole("option", { name: other.name }).click();
  await dialog.getByRole("button", { name: "Add 1 person" }).click();
  await expect(dialog).toHaveCount(0);
}

test("whose vault was put back joins by the word of somebody new, when nobody else is left", async ({
  stage,
}) => {
  test.setTimeout(600_000);
  const [ada, ben, cleo] = await meetInGroup(stage);
  await remove(ada, cleo);
  await expect(ben.line(`${ada.name} removed ${cleo.name}`)).toBeVisible();

  const copy = `${vaultDirectory(ben)}.copy`;
  await ben.terminate();
  cpSync(vaultDirectory(ben), copy, { recursive: true });
  await ben.start();
  await ben.isOnline();

  await test.step("everybody whom Ben's copy knows there goes, and he comes back", async () => {
    await remove(ada, ben);
    await ben.open(title);
    await expect(ben.page.getByText("You are no longer in this conversation.")).toBeVisible();
    await add(ada, cleo);
    await expect(cleo.composer).toBeVisible();
    await (await details(ada)).getByRole("button", { name: "Leave conversation" }).click();
    await ada.page.getByRole("alertdialog").getByRole("button", { name: "Leave" }).click();
    await expect(cleo.line(`${ada.name} left`)).toBeVisible();
    await add(cleo, ben);
    await expect(ben.composer).toBeVisible();
  });

  await ben.terminate();
  rmSync(vaultDirectory(ben), { recursive: true });
  cpSync(copy, vaultDirectory(ben), { recursive: true });
  await ben.start();
  await ben.open(title);
  const line = ben.line("Nobody you know here has confirmed who is in this conversation now");
  const what = line.getByRole("button", { name: "What can I do?" });
  const dialog = ben.dialog("Join again by somebody's word?");

  await test.step("he is asked, and what he writes waits unless he says otherwise", async () => {
    await what.click({ timeout: 60_000 });
    await expect(dialog).toContainText(cleo.name);
    await expect(dialog.getByRole("button", { name: "Keep waiting" })).toBeFocused();
    await expectAccessible(ben, "by whose word to join");
    await ben.page.keyboard.press("Enter");
    await expect(dialog).toHaveCount(0);
    await expect(line).toBeVisible();
    await ben.say("It's me again.");
    await ben.sees("It's me again.", "Waiting for network");
  });

  await test.step("he takes the word, by keyboard, and is in it again", async () => {
    await what.focus();
    await ben.page.keyboard.press("Enter");
    await dialog.getByRole("button", { name: "Keep waiting" }).press("Shift+Tab");
    await expect(dialog.getByRole("button", { name: "Join by their word" })).toBeFocused();
    await ben.page.keyboard.press("Enter");
    await expect(dialog).toHaveCount(0);
    await expect(line).toHaveCount(0);
    await cleo.reads("It's me again.");
    await cleo.say("Welcome back.");
    await ben.reads("Welcome back.");
  });
});
