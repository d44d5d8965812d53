import { expectAccessible } from "./support/axe.ts";
import { meetInDirect } from "./support/scenes.ts";
import { expect, test } from "./support/test.ts";

test("who is suspended is told what happened, can go on reading, and can't write", async ({
  stage,
}) => {
  const [ada, ben] = await meetInDirect(stage);
  await ada.say("See you on Monday.");
  await ben.reads("See you on Monday.");

  await ada.menu("Settings");
  const settings = ada.dialog("Settings");
  await settings.getByRole("tab", { name: "Network" }).click();
  await settings.getByRole("button", { name: "Suspend Ben Stein…" }).click();
  await ada.page.getByRole("alertdialog").getByRole("button", { name: "Suspend" }).click();

  const note = ben.list.getByRole("status").filter({ hasText: "Your account is suspended" });
  await expect(note).toContainText("Ask your administrator", { timeout: 30_000 });
  const opened = ben.conversation(ada.name);
  await expect(
    opened.getByText("Your account is suspended, so nothing can be sent."),
  ).toBeVisible();
  await expect(ben.composer).toHaveCount(0);
  await expect(ben.list.getByRole("button", { name: "New conversation" }).first()).toBeDisabled();
  await ben.reads("See you on Monday.");
  await expectAccessible(ben, "a conversation of who is suspended");

  // Also at the next start, where no conversation is open.
  await ben.kill();
  await ben.start();
  const page = ben.page.getByRole("region", { name: "Your account is suspended" });
  await expect(page).toContainText("An administrator of Northwind has suspended you.", {
    timeout: 30_000,
  });
  await expect(page).toContainText("Each message ends when its timer says");
  await expectAccessible(ben, "the page of who is suspended");
});
