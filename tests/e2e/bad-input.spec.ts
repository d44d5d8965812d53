import { rmSync } from "node:fs";
import { join } from "node:path";
import { otherClock } from "./support/clocks.ts";
import { launchSecondPreview } from "./support/launch.ts";
import type { Person } from "./support/person.ts";
import { meetInDirect } from "./support/scenes.ts";
import { expect, test } from "./support/test.ts";
import { damageLog, vaultDigests, vaultDirectory, writtenLogBytes } from "./support/vault-files.ts";

const longestMessage = 20_000;

/** Tries to join with what stands in the form. */
async function tryToJoin({ page }: Person, link: string, answer: string): Promise<void> {
  await page.getByRole("textbox", { name: "Invite link" }).fill(link);
  await page.getByRole("button", { name: "Join Northwind" }).click();
  await expect(page.getByText(answer)).toBeVisible();
}

test("an invite that doesn't work says why, and a good one still works", async ({ stage }) => {
  const ada = stage.person("Ada Berg");
  const ben = stage.person("Ben Stein");
  const cleo = stage.person("Cleo Marsh");
  await Promise.all([ada, ben, cleo].map((person) => person.start()));
  await ada.host("Northwind");
  const link = ben.page.getByRole("textbox", { name: "Invite link" });
  const name = ben.page.getByLabel("Your name");
  const good = await ada.invite();

  await test.step("what is no link, or only part of one, is not sent anywhere", async () => {
    await ben.page.getByRole("button", { name: /^Join your organisation/u }).click();
    for (const wrong of ["hello", "sotto://join/", good.slice(0, -9), `${good}x`]) {
      await link.fill(wrong);
      await expect(link).toHaveAccessibleDescription(/^This isn't a complete Sotto invite link\./u);
    }
    await link.fill("");
    await ben.page.getByRole("button", { name: "Join", exact: true }).click();
    await expect(link).toHaveAccessibleDescription(/^This isn't a complete Sotto invite link\./u);
  });

  await test.step("a name must be one", async () => {
    await link.fill(good);
    for (const wrong of ["", "   "]) {
      await name.fill(wrong);
      await ben.page.getByRole("button", { name: "Join Northwind" }).click();
      await expect(name).toHaveAccessibleDescription(/^Enter a name of 1 to 80 characters\./u);
    }
    await name.fill("n".repeat(81));
    await expect(name).toHaveValue("n".repeat(80));
    await name.fill("Ben Stein");
  });

  await test.step("one that was withdrawn isn't known any more", async () => {
    const withdrawn = await ada.invite("5 times");
    await ada.menu("Invite people");
    await ada
      .dialog()
      .getByRole("listitem")
      .filter({ hasText: "5 uses left" })
      .getByRole("button")
      .click();
    await expect(ada.page.getByText("Invite withdrawn")).toBeVisible();
    await ada.closeDialog();
    await tryToJoin(ben, withdrawn, "The relay doesn't know this invite.");
  });

  await test.step("one that was used is used up", async () => {
    const once = await ada.invite();
    await cleo.join(once);
    await tryToJoin(ben, once, "This invite has already been used.");
  });

  await test.step("while the relay is away, joining says so and can be tried again", async () => {
    await ada.terminate();
    await tryToJoin(ben, good, "The relay can't be reached.");
    await expect(name).toHaveValue("Ben Stein");
    await ada.start();
    await ada.isReady();
    await ben.page.getByRole("button", { name: "Join Northwind" }).click();
    await ben.isReady();
  });

  await ben.startDirect("Cleo Marsh");
  await ben.say("I'm in.");
  await cleo.open("Ben Stein");
  await cleo.reads("I'm in.");
});

test("an invite that has expired says so", { tag: "@preview" }, async ({ stage }) => {
  const ada = stage.person("Ada Berg");
  const ben = stage.person("Ben Stein");
  await Promise.all([ada, ben].map((person) => person.start()));
  await ada.host("Northwind");
  await ada.menu("Invite people");
  await ada.dialog().getByLabel("Works for").selectOption("1 hour");
  await ada.dialog().getByRole("button", { name: "Create link" }).click();
  const link = await ada.dialog().getByRole("textbox", { name: "Invite link" }).inputValue();
  await ada.terminate();

  const atMs = Date.now();
  const inTwoHours = otherClock({ atMs, fromMs: atMs + 2 * 60 * 60_000, speed: 1 });
  await ada.start({ nodeArguments: inTwoHours });
  await ada.isReady();
  await ben.fillJoinForm(link);
  await tryToJoin(ben, link, "This invite has expired. Ask for a new one.");
});

test("empty or too long messages and names are held back, with words", async ({ stage }) => {
  const [ada, ben] = await meetInDirect(stage);
  const send = ada.page.getByRole("button", { name: "Send" });

  await test.step("nothing, or only spaces, can't be sent", async () => {
    await expect(send).toBeDisabled();
    await ada.composer.fill("  \n ");
    await expect(send).toBeDisabled();
    await ada.composer.press("Enter");
  });

  await test.step("one character too many is counted, and the text stays", async () => {
    const tooLong = "x".repeat(longestMessage + 1);
    await ada.composer.fill(tooLong);
    await expect(ada.page.getByText("1 character too long")).toBeVisible();
    await expect(send).toBeDisabled();
    await ada.composer.press("Enter");
    await expect(ada.composer).toHaveValue(tooLong);
    expect(await ada.texts()).toEqual([]);
  });

  await test.step("the longest message arrives whole", async () => {
    const longest = "€".repeat(longestMessage);
    await ada.say(longest);
    await ben.readsExactly([longest]);
  });

  await test.step("a group needs a name", async () => {
    const cleo = stage.person("Cleo Marsh");
    await cleo.start();
    await cleo.join(await ada.invite());
    const dialog = await ada.choosePeople(["Ben Stein", "Cleo Marsh"]);
    await dialog.getByRole("button", { name: "Next" }).click();
    const name = dialog.getByRole("textbox", { name: "Name" });
    for (const wrong of ["", "  "]) {
      await name.fill(wrong);
      await dialog.getByRole("button", { name: "Create group" }).click();
      await expect(name).toHaveAccessibleDescription(/^Enter a name of 1 to 80 characters\./u);
    }
    await name.fill("n".repeat(81));
    await dialog.getByRole("button", { name: "Create group" }).click();
    await expect(cleo.row("n".repeat(80))).toBeVisible();
  });
});

test(
  "a second start of a profile says so and leaves the first alone",
  { tag: "@preview" },
  async ({ stage }) => {
    const ada = stage.person("Ada Berg");
    await ada.start();
    await ada.host("Northwind");
    const printed = await launchSecondPreview(ada.options);
    expect(printed).toHaveLength(2);
    expect(printed[0]).toBe(
      "Sotto is already running with this profile. Use the window that is open.",
    );
    expect(printed[1]).toContain(new URL(ada.page.url()).origin);

    await test.step("even when the first can't be asked: the vault itself is locked", async () => {
      rmSync(join(vaultDirectory(ada), "..", "instance.sock"));
      const again = stage.person("Ada Berg", { profile: ada.options.profile });
      await again.start();
      await expect(
        again.page.getByRole("heading", { name: "Sotto is already open" }),
      ).toBeVisible();
      await expect(again.page.getByRole("alert")).toContainText("Use the window that is open.");
      await again.terminate();
    });

    await ada.menu("Invite people");
    await expect(ada.dialog("Invite people to Northwind")).toBeVisible();
  },
);

test("a damaged vault says so, opens for reading up to the damage, and is not written to", async ({
  stage,
}) => {
  const [ada, ben] = await meetInDirect(stage);
  const early = ["Note 1", "Note 2", "Note 3"];
  const late = ["Note 4", "Note 5", "Note 6"];
  for (const text of early) await ada.say(text);
  await ben.readsExactly(early);
  const earlyBytes = writtenLogBytes(ben);
  for (const text of late) await ada.say(text);
  await ben.readsExactly([...early, ...late]);
  await ben.kill();

  damageLog(ben, Math.floor((earlyBytes + writtenLogBytes(ben)) / 2));
  const before = vaultDigests(ben);

  await ben.start();
  const { page } = ben;
  await expect(page.getByRole("heading", { name: "Your vault needs attention" })).toBeVisible();
  await expect(page.getByRole("alert")).toContainText("A file of this vault is damaged.");
  await page.getByRole("button", { name: "Open for reading only" }).click();

  await expect(ben.list.getByText("Reading only", { exact: true })).toBeVisible();
  await ben.open("Ada Berg");
  await ben.reads("Note 3");
  const readable = await ben.texts();
  expect(readable).toEqual([...early, ...late].slice(0, readable.length));
  await expect(page.getByText("so nothing can be sent")).toBeVisible();
  await expect(ben.composer).toHaveCount(0);
  await expect(ben.list.getByRole("button", { name: "New conversation" })).toBeDisabled();
  await ben.terminate();
  expect(vaultDigests(ben), "nothing was written").toEqual(before);
});
