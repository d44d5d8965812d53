import { expectAccessible } from "./support/axe.ts";
import type { Person } from "./support/person.ts";
import { meetInDirect } from "./support/scenes.ts";
import { expect, test } from "./support/test.ts";

/** Opens the dialog in which `who` compares keys with the other of the open conversation. */
async function openVerify(who: Person, other: Person) {
  await who.page.getByRole("button", { name: `Verify ${other.name}` }).click();
  const dialog = who.dialog(`Verify with ${other.name}`);
  await expect(dialog.getByRole("img", { name: /^QR code/u })).toBeVisible();
  return dialog;
}

function digitsOf(dialog: Awaited<ReturnType<typeof openVerify>>): Promise<string> {
  return dialog.getByRole("group", { name: /^Safety number/u }).innerText();
}

test("two people verify each other by a picture of their codes", async ({ stage }) => {
  const [ada, ben] = await meetInDirect(stage);
  const [adas, bens] = [await openVerify(ada, ben), await openVerify(ben, ada)];
  expect((await digitsOf(adas)).match(/\d{5}/gu)).toHaveLength(12);
  expect(await digitsOf(bens)).toBe(await digitsOf(adas));
  await expectAccessible(ada, "Verify");

  const pictures = [
    await adas.getByRole("img", { name: /^QR code/u }).screenshot(),
    await bens.getByRole("img", { name: /^QR code/u }).screenshot(),
  ] as const;
  const scan = (dialog: typeof adas, buffer: Buffer) =>
    dialog
      .locator("input[type=file]")
      .setInputFiles({ name: "code.png", mimeType: "image/png", buffer });

  await scan(adas, pictures[0]);
  await expect(adas.getByText("This is your own code")).toBeVisible();
  await scan(adas, Buffer.from("no picture"));
  await expect(adas.getByText("This is no picture")).toBeVisible();

  for (const [dialog, picture] of [
    [adas, pictures[1]],
    [bens, pictures[0]],
  ] as const) {
    await scan(dialog, picture);
    await expect(dialog.getByText("It matches.")).toBeVisible();
    await dialog.getByRole("button", { name: "Mark as verified" }).click();
    await expect(dialog).toHaveCount(0);
  }
  for (const [who, other] of [
    [ada, ben],
    [ben, ada],
  ] as const) {
    const heading = who.conversation(other.name).getByRole("heading", { level: 1 });
    await expect(heading.getByText("Verified")).toBeAttached();
  }
  await expect((await openVerify(ada, ben)).getByText(/by their code/u)).toBeVisible();
});
