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
  test.setTimeout(150_000);
  const ada = stage.person("Ada Berg");
  const ben = stage.person("Ben Stein");
  const desk = stage.person("Ada at the desk");
  let code = "";

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
    await expectAccessible(ada, "the code");
  });

  await test.step("the new computer takes it, as it is typed; a part of it is refused", async () => {
    await desk.start();
    await desk.page.getByRole("button", { name: /^Add this computer to my account/u }).click();
    const field = desk.page.getByRole("textbox", { name: "Code from your other computer" });
    const submit = desk.page.getByRole("button", { name: "Continue" });
    await field.fill(code.slice(0, 20));
    await submit.click();
    await expect(desk.page.getByText("This isn't a complete code.")).toBeVisible();
    await field.fill(code.toLowerCase());
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

  await test.step("she removes it again, and it keeps nothing open", async () => {
    await openDevices(ada);
    await ada
      .dialog()
      .getByRole("button", { name: /^Remove / })
      .click();
    await ada.page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
    const heading = desk.page.getByRole("heading", { name: "This computer was removed" });
    await expect(heading).toBeVisible({ timeout: 30_000 });
    await expect(desk.page.getByText("From the desk.")).toHaveCount(0);
  });
});
