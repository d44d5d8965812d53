import { expectAccessible } from "./support/axe.ts";
import type { Person } from "./support/person.ts";
import { expect, test } from "./support/test.ts";

async function symbolsOf({ page }: Person): Promise<readonly string[]> {
  const symbols = page.getByRole("list", { name: "Six symbols" }).getByRole("listitem");
  await expect(symbols).toHaveCount(6);
  return symbols.allInnerTexts();
}

async function openDevices(person: Person): Promise<void> {
  await person.menu("Settings");
  await person.dialog("Settings").getByRole("tab", { name: "Devices" }).click();
}

test("somebody adds a second computer, goes on there, and removes it", async ({ stage }) => {
  test.setTimeout(180_000);
  const ada = stage.person("Ada Berg");
  const ben = stage.person("Ben Stein");
  const desk = stage.person("Ada Berg", { profile: "ada-at-the-desk" });
  let code = "";
  let picture: Buffer = Buffer.alloc(0);

  await test.step("Ada and Ben talk", async () => {
    await ada.start();
    await ada.host("Northwind");
    const link = await ada.invite();
    await ben.start();
    await ben.join(link);
    await ada.startDirect("Ben Stein");
    await ada.say("Before the second computer.");
    await ben.open("Ada Berg");
    await ben.reads("Before the second computer.");
  });

  await test.step("her computer shows a code", async () => {
    await openDevices(ada);
    await ada.dialog().getByRole("button", { name: "Add a computer" }).click();
    const shown = ada.dialog("Add a computer").getByRole("group", { name: "One-time code" });
    await expect(shown).toBeVisible();
    code = (await shown.innerText()).replace(/\s/gu, "");
    picture = await ada
      .dialog()
      .getByRole("img", { name: /QR code$/u })
      .screenshot();
    await expectAccessible(ada, "the code");
  });

  await test.step("the new computer takes it from a picture; a part of it, as it is typed, is refused", async () => {
    await desk.start();
    await desk.page.getByRole("button", { name: /^Add this computer to my account/u }).click();
    const field = desk.page.getByRole("textbox", { name: "Code from your other computer" });
    const submit = desk.page.getByRole("button", { name: "Continue" });
    await field.fill(code.slice(0, 20));
    await submit.click();
    await expect(desk.page.getByText("This isn't a complete code.")).toBeVisible();
    const file = desk.page.locator("input[type=file]");
    const read = (buffer: Buffer) =>
      file.setInputFiles({ name: "code.png", mimeType: "image/png", buffer });
    const unread = desk.page.getByText("No code could be read from that picture.");
    await read(Buffer.from("no picture"));
    await expect(unread).toBeVisible();
    await expect(field).toHaveValue(code.slice(0, 20));
    // The same file can be chosen again, with a better picture in it.
    await expect(file).toHaveValue("");
    await read(picture);
    await expect(unread).toHaveCount(0);
    await expect(field).toHaveValue(`sotto://link/${code}`);
    await submit.click();
  });

  await test.step("both show the same symbols, and both are asked", async () => {
    const match = (person: Person) => person.page.getByRole("button", { name: "They match" });
    expect(await symbolsOf(desk)).toEqual(await symbolsOf(ada));
    await expectAccessible(desk, "the symbols");
    await match(desk).click();
    await expect(desk.page.getByText("Now confirm on your other computer")).toBeVisible();
    await match(ada).click();
    await desk.isReady();
    await expect(ada.dialog().getByText(/is in your account$/u)).toBeVisible();
    await ada.dialog().getByRole("button", { name: "Done" }).click();
  });

  await test.step("what was said before is there, and it talks", async () => {
    await ada.closeDialog();
    await expect(desk.row("Ben Stein")).toBeVisible({ timeout: 30_000 });
    await desk.open("Ben Stein");
    await desk.reads("Before the second computer.");
    await desk.say("From the desk.");
    await ben.reads("From the desk.");
    await ada.reads("From the desk.");
  });

  await test.step("she gives it another name, which it learns itself", async () => {
    await openDevices(ada);
    const { page } = ada;
    await page
      .locator("li", { has: page.getByRole("button", { name: /^Remove / }) })
      .getByRole("button", { name: /^Rename / })
      .click();
    const dialog = ada.dialog("Rename device");
    const name = dialog.getByRole("textbox", { name: "Name" });
    await name.fill(" ");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(name).toHaveAccessibleDescription("Enter a name of 1 to 80 characters.");
    await name.fill("By the window");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(ada.dialog("Settings").getByText("By the window")).toBeVisible();
    await openDevices(desk);
    await expect(desk.dialog("Settings").getByText("By the window")).toBeVisible();
    await desk.closeDialog();
  });

  await test.step("she removes it again, and it keeps nothing open", async () => {
    await ada.dialog().getByRole("button", { name: "Remove By the window" }).click();
    await ada.page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
    const heading = desk.page.getByRole("heading", { name: "This computer was removed" });
    await expect(heading).toBeVisible({ timeout: 30_000 });
    await expect(desk.page.getByText("From the desk.")).toHaveCount(0);
  });
});
