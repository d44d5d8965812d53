import { expectAccessible } from "./support/axe.ts";
import type { Person } from "./support/person.ts";
import { meetInDirect } from "./support/scenes.ts";
import { expect, test } from "./support/test.ts";

async function openNetwork(person: Person) {
  await person.menu("Settings");
  const settings = person.dialog("Settings");
  await settings.getByRole("tab", { name: "Network" }).click();
  return settings;
}

test("an administrator changes the rules, and a conversation goes over to another encryption when everybody is back", async ({
  stage,
}) => {
  // Many key packages of slow algorithms are made.
  test.setTimeout(180_000);
  const [ada, ben] = await meetInDirect(stage);
  await ada.say("Before it");
  await ben.reads("Before it");

  await test.step("who is no administrator sees the rules, and can't change them", async () => {
    const settings = await openNetwork(ben);
    await expect(settings.getByText("Messages come over, if the person wants it")).toBeVisible();
    await expect(settings.getByRole("combobox", { name: "Encryption" })).toHaveCount(0);
    await ben.closeDialog();
  });
  await ben.kill();

  await test.step("it is asked first", async () => {
    const settings = await openNetwork(ada);
    await settings.getByRole("switch", { name: "History for newly added computers" }).click();
    const encryption = settings.getByRole("combobox", { name: "Encryption" });
    await encryption.selectOption({ label: "CNSA 2.0 (for US national security systems)" });
    const question = ada.page.getByRole("alertdialog");
    await expectAccessible(ada, "the question before the encryption changes");
    await question.getByRole("button", { name: "Cancel" }).click();
    await expect(encryption).toHaveValue(/MLKEM768/u);
    await encryption.selectOption({ label: "CNSA 2.0 (for US national security systems)" });
    await question.getByRole("button", { name: "Change the encryption" }).click();
    await expect(encryption).toHaveValue(/MLKEM1024/u);
    await expectAccessible(ada, "the network's rules");
    await ada.closeDialog();
  });

  await test.step("the details say whose computer it waits for", async () => {
    await ada.page.getByRole("button", { name: "Details", exact: true }).click();
    const details = ada.page.getByRole("complementary", { name: "Details" });
    await expect(details.getByText(/ of Ben Stein$/u)).toBeVisible({ timeout: 60_000 });
    await expectAccessible(ada, "the details of a conversation that waits");
    await ada.say("Still in the old one");
  });

  await ben.start();
  await ben.open(ada.name);
  const line = /is encrypted with MLS_256_MLKEM1024_AES256GCM_SHA512_MLDSA87 now/u;
  for (const person of [ada, ben]) {
    await expect(person.feed.getByText(line)).toBeVisible({ timeout: 60_000 });
  }
  await ben.reads("Still in the old one");
  await ben.say("After it");
  await ada.reads("After it");
  await expect(ada.page.getByText(/ of Ben Stein$/u)).toHaveCount(0);
  const settings = await openNetwork(ben);
  await expect(settings.getByText("Messages don't come over")).toBeVisible();
  await expect(settings.getByText("CNSA 2.0 (for US national security systems)")).toBeVisible();
});
