import { expect, test, type Locator, type Page } from "@playwright/test";
import { startGallery, type Gallery } from "../support/gallery/start.ts";

// What needs thousands of messages: the interface over the fixture, not over a real network, and so in the browser only.
let gallery: Gallery;

test.beforeAll(async () => {
  gallery = await startGallery();
});

test.afterAll(() => {
  gallery.close();
});

const archive = "Archive of two thousand messages";

async function open(page: Page, title: string): Promise<Locator> {
  await page.goto(`${gallery.address}?scene=ready`);
  await page.getByRole("navigation").getByRole("button", { name: title }).first().click();
  const feed = page.getByRole("feed");
  await expect(feed).toBeVisible();
  return feed;
}

/** How far the end of the list lies below what is in view, CSS pixels. */
function belowView(feed: Locator): Promise<number> {
  return feed.evaluate((element) =>
    Math.round(element.scrollHeight - element.scrollTop - element.clientHeight),
  );
}

/** The first message in view, and how far it stands from the top. */
function firstInView(feed: Locator): Promise<readonly [id: string, top: number]> {
  return feed.evaluate((element) => {
    const { top } = element.getBoundingClientRect();
    const shown = Array.from(element.querySelectorAll("article")).find(
      (article) => article.getBoundingClientRect().bottom > top + 5,
    );
    if (shown === undefined) throw new Error("no message in view");
    return [shown.dataset["messageId"] ?? "", Math.round(shown.getBoundingClientRect().top - top)];
  });
}

async function receive(page: Page, title: string, text: string): Promise<void> {
  await page.evaluate(
    ([where, what]) => {
      (
        window as unknown as { fixture: { receive: (a: string, b: string) => void } }
      ).fixture.receive(where ?? "", what ?? "");
    },
    [title, text],
  );
}

test.describe("a long conversation", { tag: "@preview" }, () => {
  test("a read conversation opens at its end and stays there while messages come", async ({
    page,
  }) => {
    const feed = await open(page, archive);
    await expect(feed.getByText("Entry 2000.")).toBeVisible();
    await expect.poll(() => belowView(feed)).toBeLessThan(3);
    await receive(page, archive, "one more");
    await expect(feed.getByText("one more")).toBeVisible();
    await expect.poll(() => belowView(feed)).toBeLessThan(3);
    await page.getByRole("textbox", { name: /^Message to/u }).fill("a\nb\nc\nd\ne\nf\ng\nh\ni");
    await expect.poll(() => belowView(feed)).toBeLessThan(3);
  });

  test("a conversation opens where reading goes on", async ({ page }) => {
    const feed = await open(page, "Engineering");
    const mark = feed.getByText("New", { exact: true });
    await expect(mark).toBeInViewport();
    expect(await belowView(feed)).toBeGreaterThan(100);
  });

  test("who reads further up stays there, whatever comes in front or behind", async ({ page }) => {
    const feed = await open(page, archive);
    await expect(feed.getByText("Entry 2000.")).toBeVisible();
    const loaded = (): Promise<number> => feed.evaluate((element) => element.scrollHeight);
    const before = await loaded();
    // Just after opening, the list still settles at its end as rows get their height: scroll until it stays.
    await expect(async () => {
      await feed.evaluate((element) => {
        element.scrollTop = 300;
      });
      await page.waitForTimeout(300);
      expect(await belowView(feed)).toBeGreaterThan(300);
    }).toPass();
    await expect.poll(loaded).toBeGreaterThan(before * 1.5);
    await page.waitForTimeout(500);
    const place = await firstInView(feed);
    await receive(page, archive, "from below");
    const latest = page.getByRole("button", { name: "1 new message, go to the latest" });
    await expect(latest).toBeVisible();
    expect(await firstInView(feed)).toEqual(place);
    await latest.click();
    await expect(feed.getByText("from below")).toBeInViewport();
    await expect(latest).toHaveCount(0);
  });

  test("the keyboard goes over any distance and takes the focus with it", async ({ page }) => {
    const feed = await open(page, archive);
    await feed.getByRole("article", { name: /Entry 2000\./u }).focus();
    await page.keyboard.press("Home");
    await expect(page.locator("article:focus")).toBeInViewport();
    await expect(page.locator("article:focus")).not.toHaveAccessibleName(/Entry 2000\./u);
    await page.keyboard.press("End");
    await expect(feed.getByRole("article", { name: /Entry 2000\./u })).toBeFocused();
  });

  test("a quoted message is found and shown", async ({ page }) => {
    const feed = await open(page, "Supplier review");
    await feed.getByRole("button", { name: "Go to the message of Priya Raghunathan" }).click();
    await expect(
      feed.getByRole("article", { name: /audit rights, twice a year/u }),
    ).toBeInViewport();
  });

  test("a burn-on-read message counts down when it is shown, and is gone at its end", async ({
    page,
  }) => {
    await page.clock.install();
    const feed = await open(page, "Supplier review");
    await expect(feed.getByText("412,000")).toHaveCount(0);
    await feed.getByRole("button", { name: "Show", exact: true }).click();
    await expect(feed.getByText("412,000")).toBeVisible();
    await page.clock.runFor(21_000);
    await expect(feed.getByRole("button", { name: /^Burns in (?:9|10) seconds/u })).toBeVisible();
    await page.clock.runFor(10_000);
    await expect(feed.getByText("412,000")).toHaveCount(0);
  });
});
