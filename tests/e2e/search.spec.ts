import { expect, test, type Page } from "@playwright/test";
import { startGallery, type Gallery } from "../support/gallery/start.ts";

// The interface of the search, over the fixture; what the engine finds is tested with real clients in tests/integration/client.
let gallery: Gallery;

test.beforeAll(async () => {
  gallery = await startGallery();
});

test.afterAll(() => {
  gallery.close();
});

const archive = "Archive of two thousand messages";

async function start(page: Page): Promise<void> {
  await page.goto(`${gallery.address}?scene=ready`);
  await expect(page.getByRole("navigation").getByRole("button", { name: archive })).toBeVisible();
}

test.describe("searching", { tag: "@preview" }, () => {
  test("finds a message from the list, and goes to it", async ({ page }) => {
    await start(page);
    await page
      .getByRole("searchbox", { name: "Search conversations and messages" })
      .fill("Entry 1203.");
    const results = page.getByRole("region", { name: "Search results" });
    const hit = results.getByRole("button", { name: /Entry 1203\./u }).first();
    await expect(hit.locator("mark").first()).toHaveText("Entry");
    await hit.click();
    await expect(page.getByRole("feed").getByText("Entry 1203.")).toBeVisible();
  });

  test("can be done by keyboard alone", async ({ page }) => {
    await start(page);
    await page.keyboard.press("Control+Shift+F");
    await page.keyboard.type("Entry 1999.");
    await expect(
      page.getByRole("region", { name: "Search results" }).locator("mark").first(),
    ).toBeVisible();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("feed").getByText("Entry 1999.")).toBeVisible();
    await page.keyboard.press("Control+Shift+F");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("region", { name: "Search results" })).toHaveCount(0);
  });

  test("offers filters, and puts one into the field", async ({ page }) => {
    await start(page);
    const field = page.getByRole("searchbox", { name: "Search conversations and messages" });
    await field.fill("entry");
    await page.getByRole("button", { name: /^Written by/u }).click();
    await expect(field).toHaveValue("entry from:");
    await expect(field).toBeFocused();
  });

  test("goes through a conversation from the newest result to older ones", async ({ page }) => {
    await start(page);
    await page.getByRole("navigation").getByRole("button", { name: archive }).click();
    await expect(page.getByRole("feed")).toBeVisible();
    await page.keyboard.press("Control+F");
    const bar = page.getByRole("search", { name: "Search in this conversation" });
    await bar.getByRole("searchbox").fill("Entry 200");
    await expect(bar.getByRole("status")).toHaveText(/results?$/u);
    await page.keyboard.press("Enter");
    await expect(bar.getByRole("status")).toHaveText(/^1 of/u);
    await expect(page.getByRole("feed").getByText("Entry 2000.")).toBeVisible();
    await page.keyboard.press("Enter");
    await expect(bar.getByRole("status")).toHaveText(/^2 of/u);
    await page.keyboard.press("Escape");
    await expect(bar).toHaveCount(0);
  });
});
