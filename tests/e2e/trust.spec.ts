import { encodeQR } from "qr";
import { idFromBytes, type NetworkId, type UserId } from "#protocol";
import { safetyNumber } from "../../crypto/identity/safety-number.ts";
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

/** The picture of a code that strangers see. */
function strangersCode(): Buffer {
  const someone = (byte: number) => ({
    networkId: idFromBytes<NetworkId>(new Uint8Array(16).fill(1)),
    userId: idFromBytes<UserId>(new Uint8Array(16).fill(byte)),
    accountKey: new Uint8Array(32).fill(byte),
  });
  return Buffer.from(encodeQR(safetyNumber(someone(2), someone(3)).code, "gif", { scale: 4 }));
}

/** Has a picture lie on the screen that whoever shares one would choose: the browser's own choice can't be made by a test. */
async function layOnScreen({ page }: Person, picture: Buffer): Promise<void> {
  await page.evaluate(
    async (bytes) => {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(bytes)]));
      const screen = Object.assign(document.createElement("canvas"), { width: 1600, height: 900 });
      const drawing = screen.getContext("2d");
      if (drawing === null) throw new Error("no canvas");
      navigator.mediaDevices.getDisplayMedia = () => {
        const stream = screen.captureStream();
        // What is drawn from now on is a frame.
        drawing.fillStyle = "steelblue";
        drawing.fillRect(0, 0, screen.width, screen.height);
        drawing.drawImage(bitmap, 900, 300);
        Object.assign(window, { shared: stream });
        return Promise.resolve(stream);
      };
    },
    [...picture],
  );
}

/** Whether any of the screen is still being taken. */
function isSharing({ page }: Person): Promise<boolean> {
  return page.evaluate(() =>
    (window as unknown as { shared: MediaStream }).shared
      .getTracks()
      .some(({ readyState }) => readyState === "live"),
  );
}

test("two people verify each other by a picture of their codes, and from the screen", async ({
  stage,
}) => {
  test.setTimeout(150_000);
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

  const scanScreen = async (picture: Buffer) => {
    await layOnScreen(ben, picture);
    await bens.getByRole("button", { name: "Scan the screen" }).click();
  };
  await scanScreen(strangersCode());
  await expect(bens.getByText("This is the code of somebody else, not of Ada Berg.")).toBeVisible();
  expect(await isSharing(ben)).toBe(false);

  await scan(adas, pictures[1]);
  await scanScreen(pictures[0]);
  for (const dialog of [adas, bens]) {
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
  for (const [who, other] of [
    [ada, ben],
    [ben, ada],
  ] as const) {
    await expect((await openVerify(who, other)).getByText(/by their code/u)).toBeVisible();
  }
});
