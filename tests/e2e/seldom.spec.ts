import { expect, test, type Locator, type Page } from "@playwright/test";
import { startGallery, type Gallery } from "../support/gallery/start.ts";

// What a network of a test doesn't come to by itself: the interface over the fixture, and so in the browser only.
let gallery: Gallery;

test.beforeAll(async () => {
  gallery = await startGallery();
});

test.afterAll(() => {
  gallery.close();
});

/** Opens a conversation. @returns where it says that a key has changed, if it does */
async function open(page: Page, title: string): Promise<Locator> {
  await page.goto(`${gallery.address}?scene=ready`);
  await page.getByRole("navigation").getByRole("button", { name: title }).first().click();
  await expect(page.getByRole("feed")).toBeVisible();
  return page.getByRole("region", { name: "Key changed" });
}

function composerOf(page: Page): Locator {
  return page.getByRole("textbox", { name: /^Message to/u });
}

test.describe(
  "a conversation with somebody whose verified key has changed",
  { tag: "@preview" },
  () => {
    const stopped = "Stopped by a key";

    test("says so, and there is no writing until the new one is verified", async ({ page }) => {
      const bar = await open(page, stopped);
      await expect(bar.getByRole("alert")).toContainText("The key of Sofia Rossi has changed");
      await expect(composerOf(page)).toHaveCount(0);
      await expect(page.getByRole("feed")).toContainText("Sofia Rossi's key has changed.");

      await bar.getByRole("button", { name: "Verify again" }).click();
      const dialog = page.getByRole("dialog", { name: "Verify with Sofia Rossi" });
      await expect(dialog).toContainText("another key than the one you verified");
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await expect(bar).toBeVisible();

      await bar.getByRole("button", { name: "Verify again" }).click();
      await dialog.getByRole("button", { name: "Mark as verified" }).click();
      await expect(bar).toHaveCount(0);
      await expect(composerOf(page)).toBeVisible();
    });

    test("says what it means, and goes on without verifying only when asked twice", async ({
      page,
    }) => {
      const bar = await open(page, stopped);
      await bar.getByRole("button", { name: "What does this mean?" }).click();
      const dialog = page.getByRole("dialog", { name: "When a key changes" });
      await expect(dialog).toContainText("Ask Sofia Rossi over another channel");
      await expect(dialog.getByRole("button", { name: "Verify again" })).toBeVisible();

      const goOn = dialog.getByRole("button", { name: "Go on without verifying" });
      const question = page.getByRole("alertdialog", { name: /^Go on without verifying Sofia/u });
      await goOn.click();
      await question.getByRole("button", { name: "Cancel" }).click();
      await expect(question).toHaveCount(0);
      await expect(bar).toBeAttached();

      await goOn.click();
      await question.getByRole("button", { name: "Go on without verifying" }).click();
      await expect(page.getByText("Sofia Rossi's new key is used, unverified")).toBeVisible();
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await expect(bar).toHaveCount(0);
      await expect(composerOf(page)).toBeVisible();
    });
  },
);

test.describe("the encryption of a conversation", { tag: "@preview" }, () => {
  for (const { title, counts } of [
    {
      title: "Engineering",
      counts: {
        "Missed or unreadable": "10 messages",
        "Came after all": "4 messages",
        "Asked for again": "3 messages",
        Lost: "3 messages",
      },
    },
    { title: "Stopped by a key", counts: { "Missed or unreadable": "0 messages" } },
  ]) {
    test(`counts what is missing in “${title}”`, async ({ page }) => {
      await open(page, title);
      await page.getByRole("button", { name: "Details", exact: true }).click();
      const facts = page.locator("dl > div", { hasText: /messages?$/u });
      await expect(facts).toHaveText(
        Object.entries(counts).map(([term, count]) => new RegExp(`^${term}\\s*${count}$`, "u")),
      );
    });
  }
});

test(
  "what the list has no place for of a directory that isn't right is told in the settings",
  { tag: "@preview" },
  async ({ page }) => {
    await page.goto(`${gallery.address}?scene=directory-notices`);
    const list = page.getByRole("navigation");
    await expect(list).toContainText("The relay's directory isn't right");
    await expect(list).not.toContainText("The relay has forgotten something");
    await list.getByRole("button", { name: "1 more notice" }).click();
    const settings = page.getByRole("dialog", { name: "Settings" });
    await expect(settings).toContainText("The relay's directory isn't right");
    await expect(settings).toContainText("The relay has forgotten something");
  },
);
