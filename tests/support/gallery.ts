import { mkdirSync } from "node:fs";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { chromium, type Browser, type Page } from "@playwright/test";
import { looks, screens, type Look, type Screen } from "./gallery/shots.ts";
import { startGallery } from "./gallery/start.ts";

/*
 * node tests/support/gallery.ts [--out FOLDER] [--only PART] [--look NAME,…] [--serve] [--no-axe]
 * Builds the interface over the fixture, serves it under the product's content security policy, takes a picture of every screen in every
 * look, and holds each to axe (WCAG 2.2 AA), to no error on the console and to no violation of the policy.
 */

const fixtureNow = Date.parse("2026-11-26T14:40:00+01:00");

interface Options {
  readonly out: string;
  readonly only: string | null;
  readonly looks: readonly string[] | null;
  readonly serve: boolean;
  readonly axe: boolean;
}

function readOptions(words: readonly string[]): Options {
  const after = (name: string): string | null => {
    const at = words.indexOf(name);
    return at === -1 ? null : (words[at + 1] ?? null);
  };
  return {
    out: after("--out") ?? "/tmp/sotto/shots",
    only: after("--only"),
    looks: after("--look")?.split(",") ?? null,
    serve: words.includes("--serve"),
    axe: !words.includes("--no-axe"),
  };
}

/** What is wrong with a screen. */
async function examine(page: Page, axe: boolean): Promise<readonly string[]> {
  const violations = await page.evaluate(
    () => (window as unknown as { violations: string[] }).violations,
  );
  const faults = violations.map((text) => `policy: ${text}`);
  if (!axe) return faults;
  const { violations: found } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    // A desktop app's window isn't a document: landmarks are checked, page headings of dialogs aren't.
    .disableRules(["page-has-heading-one"])
    .analyze();
  // A menu lies over the page, in no landmark of it.
  const menuIsOpen = (await page.getByRole("menu").count()) > 0;
  for (const { id, help, nodes } of found) {
    if (id === "region" && menuIsOpen) continue;
    for (const node of nodes.slice(0, 3)) {
      faults.push(
        `axe ${id}: ${help}: ${node.target.join(" ")} ${node.failureSummary?.split("\n")[1] ?? ""}`,
      );
    }
  }
  return faults;
}

async function shoot(
  browser: Browser,
  address: string,
  what: { readonly screen: Screen; readonly look: Look; readonly options: Options },
): Promise<readonly string[]> {
  const { screen, look, options } = what;
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.height },
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  await page.addInitScript(() => {
    const violations: string[] = [];
    Object.assign(window, { violations });
    document.addEventListener("securitypolicyviolation", (event) => {
      violations.push(
        `${event.violatedDirective} ${event.sample} ${event.sourceFile}:${String(event.lineNumber)}`,
      );
    });
  });
  const query = new URLSearchParams(screen.query ?? "");
  query.set("scene", screen.scene);
  query.set("theme", look.theme);
  query.set("scale", String(look.scale));
  query.set("now", String(fixtureNow));
  try {
    page.setDefaultTimeout(15_000);
    await page.goto(`${address}?${query.toString()}`);
    await page.locator("#app > *").first().waitFor();
    await page.waitForTimeout(120);
    await screen.steps?.(page);
    await page.waitForTimeout(150);
    await page.screenshot({ path: join(options.out, `${screen.name}.${look.name}.png`) });
    faults.push(...(await examine(page, options.axe)));
  } catch (error) {
    await page.screenshot({ path: join(options.out, `${screen.name}.${look.name}.failed.png`) });
    faults.push(`failed: ${String(error).split("\n").slice(0, 3).join(" ")}`);
  }
  await context.close();
  return faults;
}

const options = readOptions(process.argv.slice(2));
mkdirSync(options.out, { recursive: true });
const { address, close } = await startGallery();
console.log(`gallery at ${address}`);
if (!options.serve) {
  const browser = await chromium.launch({
    executablePath: process.env["SOTTO_CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
  let total = 0;
  const { only } = options;
  for (const screen of screens.filter(
    ({ name }) => only === null || only.split(",").includes(name),
  )) {
    for (const look of looks.filter(({ name }) => options.looks?.includes(name) ?? true)) {
      const faults = await shoot(browser, address, { screen, look, options });
      total += faults.length;
      for (const fault of faults) console.log(`${screen.name}.${look.name}: ${fault}`);
    }
  }
  await browser.close();
  close();
  console.log(total === 0 ? "no faults" : `${String(total)} faults`);
  process.exitCode = total === 0 ? 0 : 1;
}
