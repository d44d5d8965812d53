import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { chromium, expect, type Page } from "@playwright/test";
import { chromiumArguments, findChromium } from "../../build/lib/browser.ts";
import { inRepository } from "../../build/lib/paths.ts";
import { ensureRenderer } from "../../build/lib/renderer-bundle.ts";
import { otherClock, otherClockInPage } from "../e2e/support/clocks.ts";
import { launchPreview } from "../e2e/support/launch.ts";
import { proveForCode } from "../e2e/support/lock.ts";
import type { Person } from "../e2e/support/person.ts";
import { Stage } from "../e2e/support/stage.ts";
import { startPrivateKeyring } from "./private-keyring.ts";

/*
 * node tests/support/screenshots.ts [FOLDER]
 * Plays a morning in an office with real previews, and takes the pictures of docs/screenshots.
 */
const folder = process.argv[2] ?? inRepository("docs/screenshots");
const largestBytes = 200 * 1024;
const office = { width: 1280, height: 800 };
const narrow = { width: 380, height: 800 };
/** The whole form of the passphrase. */
const tall = { width: 1280, height: 1000 };

const atMs = Date.now();
/** A morning that goes fast: what takes seconds here takes minutes there. */
const clock = { atMs, fromMs: Date.parse("2026-11-26T08:40:00+01:00"), speed: 40 };

async function shoot(page: Page, name: string): Promise<void> {
  const path = join(folder, `${name}.png`);
  // A pointer that rests on something would show its tooltip.
  await page.mouse.move(0, 0);
  // A notice of what was done before is no part of the page.
  const notices = page.getByRole("region", { name: "Notices" }).getByRole("paragraph");
  await expect(notices).toHaveCount(0, { timeout: 15_000 });
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  const { size } = statSync(path);
  console.log(`${name}: ${Math.round(size / 1024)} kB`);
  if (size > largestBytes) throw new Error(`${name} is larger than ${largestBytes} bytes`);
}

async function react(person: Person, text: string, emoji: string): Promise<void> {
  const message = person.message(text);
  // Whatever comes meanwhile moves the message away from under the pointer.
  await expect(async () => {
    await message.hover();
    await message.getByRole("button", { name: "React" }).click({ timeout: 2000 });
  }).toPass({ timeout: 30_000 });
  await person.page.getByRole("button", { name: emoji }).click();
  await expect(message.getByRole("button", { name: /👍/u })).toBeVisible();
}

/** Chooses from the menu of a row in the list. */
async function arrange(person: Person, title: string, entry: string): Promise<void> {
  await person.row(title).click({ button: "right" });
  await person.page.getByRole("menuitem", { name: entry, exact: true }).click();
}

async function reply(person: Person, to: string, text: string): Promise<void> {
  await person.act(person.message(to), "Reply");
  await person.say(text);
}

async function openAll(title: string, people: readonly Person[]): Promise<void> {
  await Promise.all(people.map((person) => person.open(title)));
}

interface Cast {
  readonly mara: Person;
  readonly jonas: Person;
  readonly priya: Person;
  readonly tomas: Person;
}

/** Mara hosts, three join. */
async function gather(stage: Stage): Promise<Cast> {
  const [mara, jonas, priya, tomas] = [
    stage.person("Mara Lindqvist"),
    stage.person("Jonas Okafor"),
    stage.person("Priya Raman"),
    stage.person("Tomás Vidal", { profile: "tomas" }),
  ];
  const guests = [jonas, priya, tomas];
  await Promise.all([mara, ...guests].map((person) => person.start()));
  await mara.page.getByRole("heading", { name: "Welcome to Sotto" }).waitFor();
  await shoot(mara.page, "first-run");
  await mara.host("Northwind");
  const link = await mara.invite("5 times");
  await Promise.all(guests.map((guest) => guest.join(link)));
  return { mara, jonas, priya, tomas };
}

/** Conversations beside the one that the pictures show. */
async function playAround({ mara, jonas, priya, tomas }: Cast): Promise<void> {
  await jonas.startTogether("group", "Summer party", [mara.name, priya.name, tomas.name]);
  await openAll("Summer party", [mara, priya, tomas]);
  await tomas.say("The boat takes 40. Shall I book it?");
  await priya.reads("The boat takes 40. Shall I book it?");
  await priya.say("Yes please! 🎉");
  await mara.reads("Yes please! 🎉");

  const minutes = "Minutes of Tuesday are up. Please send me corrections by noon.";
  await mara.startTogether("room", "Board minutes", [jonas.name, tomas.name]);
  await mara.setConversationTimers({ endsAfter: [1, "days"] });
  await mara.say(minutes);
  await tomas.open("Board minutes");
  await tomas.reads(minutes);
  await tomas.say("Item 4: it was the *second* reading, not the first.");
  await mara.reads("Item 4: it was the second reading, not the first.");
  await arrange(mara, "Board minutes", "Pin");
  await arrange(mara, "Summer party", "Mute");

  await mara.startDirect(priya.name);
  await mara.say("Could you look at the licence count before ten?");
  await priya.open(mara.name);
  await priya.reads("Could you look at the licence count before ten?");
  await priya.setMessageTimers({ burnsAfter: [1, "minutes"] });
  await priya.say("Done. The password for the sheet: sixteen-herons");
  await expect(mara.covered).toBeVisible();
}

const offer = {
  intro: "Morning! The draft for Halden is ready for a last look.",
  totals: "I went through the totals. One line was a month short, now they add up:",
  thanks: "Thanks, both. I'll read it before eleven, then it goes to Ingrid.",
  line: "Her direct line, for this call only: 0170 555 0142",
  lunch: "Got it. Lunch at half past twelve?",
  end: "Yes, the usual place. I'll book.",
};
const table = [
  "licences   120 ×  38.00    4,560.00",
  "support     12 × 310.00    3,720.00",
  "training     2 × 880.00    1,760.00",
];

/** The conversation that the pictures show. */
async function playOffer({ mara, jonas, priya, tomas }: Cast): Promise<void> {
  await jonas.startTogether("group", "Halden offer", [mara.name, priya.name]);
  await openAll("Halden offer", [mara, priya]);
  await jonas.say(offer.intro.replace("Halden", "**Halden**"));
  await priya.reads(offer.intro);
  await priya.say([offer.totals, "", "```", ...table, "```"].join("\n"));
  await mara.line(offer.totals).waitFor();
  await reply(mara, offer.intro, offer.thanks);
  await jonas.reads(offer.thanks);
  await react(jonas, offer.thanks, "thumbs up");
  await priya.reads(offer.thanks);
  await react(priya, offer.thanks, "thumbs up");
  await jonas.setMessageTimers({ endsAfter: [30, "minutes"] });
  await jonas.say(offer.line);
  await priya.reads(offer.line);
  await priya.setMessageTimers({ burnsAfter: [30, "seconds"] });
  await priya.say("Our lowest price, please don't write it down: 9,400.");
  await expect(mara.covered).toBeVisible();
  await mara.say(offer.lunch);
  await priya.reads(offer.lunch);
  await priya.say(offer.end);
  await mara.reads(offer.end);
  await mara.sees(offer.lunch, "Read");

  await tomas.startDirect(mara.name);
  await tomas.say("The auditors are here on Monday, not Tuesday.");
  await tomas.say("I moved our slot.");
  await expect(mara.row(tomas.name)).toContainText("2 unread messages");
}

/** What Mara sees. */
async function portray({ mara }: Cast): Promise<void> {
  const { page } = mara;
  await mara.composer.fill("One question before I send it: ");
  await shoot(page, "conversation-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await shoot(page, "conversation-dark");
  await page.emulateMedia({ colorScheme: "light" });

  await mara.timerChip.click();
  const popover = mara.dialog("When this message ends");
  await popover.getByRole("radio", { name: "1 hour" }).first().click();
  await shoot(page, "timer");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Details", exact: true }).click();
  await shoot(page, "details");
  await page.getByRole("button", { name: "Close details" }).click();

  const dialog = await mara.choosePeople(["Jonas Okafor", "Tomás Vidal"]);
  await dialog.getByRole("button", { name: "Next" }).click();
  await dialog.getByRole("radio", { name: /^Room/u }).click();
  await dialog.getByRole("textbox", { name: "Name" }).fill("Audit on Monday");
  await shoot(page, "new-conversation");
  await mara.closeDialog();

  await mara.menu("Settings");
  await mara.dialog("Settings").getByRole("tab", { name: "Network" }).click();
  await shoot(page, "settings");
  await mara.closeDialog();

  await page.setViewportSize(narrow);
  await expect(page.getByRole("button", { name: "Back" })).toBeVisible();
  await shoot(page, "narrow");
}

/** What Mara finds, whom she compares keys with, and her second computer. */
async function portrayTrust(stage: Stage, { mara, jonas }: Cast): Promise<void> {
  const { page } = mara;
  await page.setViewportSize(office);
  const search = page.getByRole("searchbox", { name: "Search conversations and messages" });
  await search.fill("from:priya the");
  await page.getByRole("region", { name: "Search results" }).locator("mark").first().waitFor();
  await shoot(page, "search");
  await search.fill("");

  await mara.startDirect(jonas.name);
  await page.getByRole("button", { name: `Verify ${jonas.name}` }).click();
  const verify = mara.dialog(`Verify with ${jonas.name}`);
  await verify.getByRole("img", { name: /^QR code/u }).waitFor();
  await shoot(page, "verify");
  await mara.closeDialog();

  const laptop = stage.person("Mara on her laptop", { profile: "laptop" });
  await laptop.start();
  await mara.menu("Settings");
  await mara.dialog("Settings").getByRole("tab", { name: "Devices" }).click();
  await mara.dialog("Settings").getByRole("button", { name: "Add a computer" }).click();
  const shown = mara.dialog("Add a computer").getByRole("group", { name: "One-time code" });
  await shown.waitFor();
  await shoot(page, "link-code");
  const code = (await shown.innerText()).replace(/\s/gu, "");
  await laptop.page.getByRole("button", { name: /^Add this computer to my account/u }).click();
  await laptop.page.getByRole("textbox", { name: "Code from your other computer" }).fill(code);
  await laptop.page.getByRole("button", { name: "Continue" }).click();
  for (const person of [mara, laptop]) {
    await person.page.getByRole("list", { name: "Six symbols" }).waitFor();
  }
  await shoot(laptop.page, "link-symbols");
  await laptop.page.getByRole("button", { name: "They match" }).click();
  await page.getByRole("button", { name: "They match" }).click();
  await laptop.isReady();
  await mara.dialog().getByRole("button", { name: "Done" }).click();
  await shoot(page, "devices");
  await mara.closeDialog();
}

/** What protects Mara's vault, what it holds, and the page behind which it lies when it is locked. */
async function portrayVault({ mara }: Cast): Promise<void> {
  const { page } = mara;
  const passphrase = "umbrella cactus violin harbour";
  await page.setViewportSize(office);
  await mara.menu("Settings");
  const settings = mara.dialog("Settings");
  await settings.getByRole("tab", { name: "Privacy and lock" }).click();
  await settings.getByRole("button", { name: "Set a passphrase" }).click();
  const dialog = mara.dialog("Set a passphrase");
  await dialog.getByRole("textbox", { name: "Passphrase", exact: true }).fill(passphrase);
  await dialog.getByRole("textbox", { name: "Repeat the passphrase" }).fill(passphrase);
  await dialog.getByRole("button", { name: "Turn on app lock" }).click();

  await settings.getByRole("button", { name: "Create recovery code" }).click();
  await proveForCode(mara, passphrase);
  const code = mara.dialog("Your recovery code");
  await code.waitFor();
  await shoot(page, "recovery-code");
  await code.getByRole("checkbox").check();
  await code.getByRole("button", { name: "Done" }).click();
  await settings.getByRole("button", { name: "Change passphrase" }).waitFor();
  await settings.getByRole("button", { name: "Replace" }).waitFor();
  await shoot(page, "privacy-and-lock");

  await settings.getByRole("tab", { name: "Storage" }).click();
  await settings.getByRole("button", { name: "Compact now" }).waitFor();
  await shoot(page, "storage");
  await mara.closeDialog();

  await page.keyboard.press("Control+l");
  await page.getByRole("heading", { name: "Sotto is locked" }).waitFor();
  await page.getByRole("textbox", { name: "Passphrase", exact: true }).fill("umbrella");
  await page.getByRole("button", { name: "Unlock" }).click();
  await page.getByText("isn't the passphrase").waitFor();
  await shoot(page, "locked");
}

/** The first run of somebody whose computer has no keychain. */
async function portrayPassphrase(stage: Stage): Promise<void> {
  const person = stage.person("Ingrid Halden", {
    environment: { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" },
  });
  await person.start();
  const { page } = person;
  await page.setViewportSize(tall);
  await page.getByRole("button", { name: /^Host a network on this computer/u }).click();
  await page.getByLabel("Name of the network").fill("Halden Works");
  await page.getByLabel("Your name").fill("Ingrid Halden");
  const words = "umbrella cactus violin harbour";
  await page.getByRole("textbox", { name: "Passphrase", exact: true }).fill(words);
  await page.getByRole("textbox", { name: "Repeat the passphrase" }).fill(words);
  await shoot(page, "passphrase");
}

mkdirSync(folder, { recursive: true });
await ensureRenderer();
const executablePath = findChromium();
const keyring = await startPrivateKeyring();
const browser = await chromium.launch({
  args: chromiumArguments(),
  ...(executablePath === undefined ? {} : { executablePath }),
});
const contexts = {
  newContext: async () => {
    const context = await browser.newContext({
      viewport: office,
      locale: "en-GB",
      timezoneId: "Europe/Berlin",
      colorScheme: "light",
      reducedMotion: "reduce",
    });
    await context.addInitScript(otherClockInPage(clock));
    return context;
  },
};
const stage = new Stage(
  (options) => launchPreview(contexts, { ...options, nodeArguments: otherClock(clock) }),
  keyring,
);
try {
  const cast = await gather(stage);
  await playAround(cast);
  await playOffer(cast);
  await portray(cast);
  await portrayTrust(stage, cast);
  await portrayVault(cast);
  await portrayPassphrase(stage);
} catch (error) {
  console.error(stage.output);
  throw error;
} finally {
  await stage.close();
  await browser.close();
  keyring.stop();
}
