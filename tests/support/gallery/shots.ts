import type { Page } from "@playwright/test";
import type { FixtureScene } from "../fixture-runtime.ts";

/** A look at the page: how large, in which theme, at which text size. */
export interface Look {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly theme: "light" | "dark" | "high-contrast";
  readonly scale: number;
}

/** One screen, and what has to be done to see it. */
export interface Screen {
  readonly name: string;
  readonly scene: FixtureScene;
  readonly query?: string;
  readonly steps?: (page: Page) => Promise<void>;
}

export const looks: readonly Look[] = [
  { name: "light", width: 1280, height: 800, theme: "light", scale: 1 },
  { name: "dark", width: 1280, height: 800, theme: "dark", scale: 1 },
  { name: "contrast", width: 1280, height: 800, theme: "high-contrast", scale: 1 },
  { name: "720", width: 720, height: 800, theme: "light", scale: 1 },
  { name: "380", width: 380, height: 760, theme: "dark", scale: 1 },
  { name: "400-200", width: 400, height: 760, theme: "light", scale: 2 },
  { name: "200", width: 1280, height: 800, theme: "light", scale: 2 },
];

function open(title: string) {
  return async (page: Page): Promise<void> => {
    await page
      .getByRole("navigation", { name: "Conversations" })
      .getByRole("button", { name: title })
      .first()
      .click();
    await page.getByRole("feed").waitFor();
    await page.waitForTimeout(350);
  };
}

async function openMenu(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Menu of Nora" }).click();
  await page.getByRole("menu").waitFor();
}

async function menu(page: Page, item: string): Promise<void> {
  await openMenu(page);
  await page.getByRole("menuitem", { name: item }).click();
  await page.getByRole("dialog").waitFor();
}

async function details(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Details", exact: true }).click();
}

function settings(section: string) {
  return async (page: Page): Promise<void> => {
    await menu(page, "Settings");
    await page.getByRole("tab", { name: section }).click();
  };
}

async function toEnd(page: Page): Promise<void> {
  await page.getByRole("tabpanel").evaluate((panel) => {
    panel.scrollTop = panel.scrollHeight;
  });
}

async function showRecoveryCode(page: Page): Promise<void> {
  await settings("Privacy and lock")(page);
  await page.getByRole("button", { name: "Create recovery code" }).click();
  await page.getByRole("dialog", { name: "Your recovery code" }).waitFor();
}

/** The actions of a message, shown as for a reader who moves there by keyboard. */
async function focusMessage(page: Page, text: string): Promise<void> {
  const message = page.getByRole("article", { name: text }).first();
  await message.scrollIntoViewIfNeeded();
  await message.hover();
}

async function addComputer(page: Page): Promise<void> {
  await settings("Devices")(page);
  await page.getByRole("button", { name: "Add a computer" }).click();
  await page.getByRole("dialog", { name: "Add a computer" }).waitFor();
}

async function enterCode(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Add this computer to my account" }).click();
  const code = "7kq4 mw2p 9d3h xt5b 0rve j8nc 4zgy@relay.halden.example";
  await page.getByLabel("Code from your other computer").fill(code);
}

async function compareHere(page: Page): Promise<void> {
  await enterCode(page);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "They match" }).waitFor();
}

async function compareThere(page: Page): Promise<void> {
  await addComputer(page);
  await page.getByRole("button", { name: "They match" }).waitFor();
}

/** Adding a computer: steps at the one that is there already, and at the new one. */
const linkingScreens: readonly Screen[] = [
  { name: "linking-code", scene: "ready", steps: addComputer },
  { name: "linking-compare", scene: "ready", steps: compareThere },
  {
    name: "linking-added",
    scene: "ready",
    steps: async (page) => {
      await compareThere(page);
      await page.getByRole("button", { name: "They match" }).click();
      await page.getByRole("button", { name: "Done" }).waitFor();
    },
  },
  {
    name: "linking-differ",
    scene: "ready",
    steps: async (page) => {
      await compareThere(page);
      await page.getByRole("button", { name: "They differ" }).click();
      await page.getByRole("alert").waitFor();
    },
  },
  {
    name: "linking-rename",
    scene: "ready",
    steps: async (page) => {
      await settings("Devices")(page);
      await page.getByRole("button", { name: "Rename Desk" }).click();
      await page.getByRole("dialog", { name: "Rename device" }).waitFor();
    },
  },
  {
    name: "linking-remove",
    scene: "ready",
    steps: async (page) => {
      await settings("Devices")(page);
      await page.getByRole("button", { name: "Remove Desk" }).click();
      await page.getByRole("alertdialog").waitFor();
    },
  },
  { name: "link-here-enter", scene: "first-run", steps: enterCode },
  {
    name: "link-here-malformed",
    scene: "first-run-passphrase",
    steps: async (page) => {
      await page.getByRole("button", { name: "Add this computer to my account" }).click();
      await page.getByRole("button", { name: "Continue" }).click();
    },
  },
  { name: "link-here-compare", scene: "first-run", steps: compareHere },
  {
    name: "link-here-waiting",
    scene: "first-run",
    steps: async (page) => {
      await compareHere(page);
      await page.getByRole("button", { name: "They match" }).click();
      await page.getByText("Now confirm on your other computer").waitFor();
    },
  },
];

export const screens: readonly Screen[] = [
  ...linkingScreens,
  { name: "first-run", scene: "first-run" },
  {
    name: "first-run-join",
    scene: "first-run-invited",
    steps: async (page) => {
      await page.getByText("You are joining").waitFor();
      await page.getByLabel("Your name").fill("Nora Lindqvist");
    },
  },
  {
    name: "first-run-join-bad",
    scene: "first-run",
    steps: async (page) => {
      await page.getByRole("button", { name: "Join your organisation" }).click();
      await page.getByLabel("Invite link").fill("https://example.org/not-an-invite");
      await page.getByText("complete Sotto invite").waitFor();
      await page.getByRole("button", { name: "Join" }).click();
    },
  },
  {
    name: "first-run-host",
    scene: "first-run-passphrase",
    steps: async (page) => {
      await page.getByRole("button", { name: "Host a network" }).click();
      await page.getByLabel("Name of the network").fill("Halden Werke");
      await page.getByLabel("Passphrase", { exact: true }).fill("quiet violet lantern");
      await page.getByLabel("Repeat the passphrase").fill("quiet violet");
      await page.getByRole("button", { name: "Create network" }).click();
    },
  },
  { name: "starting", scene: "starting" },
  {
    name: "locked",
    scene: "locked",
    steps: async (page) => {
      await page.getByLabel("Passphrase", { exact: true }).fill("wrong");
      await page.getByRole("button", { name: "Unlock" }).click();
      await page.getByText("isn't the passphrase").waitFor();
    },
  },
  {
    name: "locked-waiting",
    scene: "locked-waiting",
    steps: (page) => page.getByRole("button", { name: "Can't get in?" }).click(),
  },
  {
    name: "locked-code",
    scene: "locked",
    steps: async (page) => {
      await page.getByRole("button", { name: "Use recovery code" }).click();
      await page.getByLabel("Recovery code").pressSequentially("7c2k9qxd m4tb ohw8 vz3n pe6r 5jan");
      await page.getByRole("button", { name: "Unlock" }).click();
      await page.getByText("isn't the recovery code").waitFor();
    },
  },
  {
    name: "erase",
    scene: "locked",
    steps: async (page) => {
      await page.getByRole("button", { name: "Can't get in?" }).click();
      await page.getByRole("button", { name: "Erase this vault" }).click();
      await page.getByLabel("To confirm").fill("erase everything");
    },
  },
  { name: "problem-changed", scene: "problem-changed" },
  {
    name: "problem-code",
    scene: "problem-changed",
    steps: (page) => page.getByRole("button", { name: "Use recovery code" }).click(),
  },
  { name: "problem-keychain", scene: "problem-keychain" },
  {
    name: "problem-passphrase",
    scene: "problem-keychain",
    steps: (page) => page.getByRole("button", { name: "Use a passphrase" }).click(),
  },
  { name: "problem-vault", scene: "problem-vault" },
  { name: "link-lost", scene: "ready", query: "link=lost" },
  { name: "list", scene: "ready" },
  { name: "list-loading", scene: "loading" },
  { name: "list-empty", scene: "empty" },
  {
    name: "list-search",
    scene: "ready",
    steps: (page) => page.getByRole("searchbox").fill("zzz"),
  },
  {
    name: "search-results",
    scene: "ready",
    steps: async (page) => {
      await page.getByRole("searchbox").first().fill("the");
      await page.locator("mark").first().waitFor();
    },
  },
  {
    name: "search-conversation",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await page.keyboard.press("Control+F");
      await page.locator("[data-find]").fill("the");
      await page.keyboard.press("Enter");
      await page.waitForTimeout(400);
    },
  },
  {
    name: "list-menu",
    scene: "ready",
    steps: async (page) => {
      await page.getByRole("button", { name: /Engineering/u }).click({ button: "right" });
      await page.getByRole("menu").waitFor();
    },
  },
  { name: "group", scene: "ready", steps: open("Supplier review") },
  {
    name: "group-top",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await page.getByRole("feed").evaluate((feed) => {
        feed.scrollTop = 0;
      });
      await page.waitForTimeout(300);
    },
  },
  {
    name: "group-details",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await details(page);
    },
  },
  {
    name: "direct",
    scene: "ready",
    steps: async (page) => {
      await open("Hannah")(page);
      await page.getByRole("textbox", { name: "Message to" }).fill("Bring the *old* badge, please");
    },
  },
  { name: "room-code", scene: "ready", steps: open("Engineering") },
  {
    name: "room-code-top",
    scene: "ready",
    steps: async (page) => {
      await open("Engineering")(page);
      await page.getByRole("feed").evaluate((feed) => {
        feed.scrollTop = 0;
      });
      await page.waitForTimeout(300);
    },
  },
  {
    name: "missing",
    scene: "ready",
    steps: async (page) => {
      await open("Engineering")(page);
      await page.getByRole("feed").evaluate((feed) => {
        feed.scrollTop = 480;
      });
      await page.waitForTimeout(300);
      await details(page);
      await page.getByText("Asked for again", { exact: true }).scrollIntoViewIfNeeded();
    },
  },
  { name: "unvouched", scene: "ready", steps: open("Waiting for somebody known") },
  {
    name: "unvouched-question",
    scene: "ready",
    steps: async (page) => {
      await open("Waiting for somebody known")(page);
      await page.getByRole("button", { name: "What can I do?" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  { name: "long-names", scene: "ready", steps: open("Maximiliane") },
  { name: "arabic", scene: "ready", steps: open("نور") },
  { name: "rtl", scene: "ready", query: "dir=rtl", steps: open("Supplier review") },
  { name: "burn-room", scene: "ready", steps: open("Board") },
  { name: "inactive", scene: "ready", steps: open("Trade fair") },
  { name: "ended", scene: "ready", steps: open("Tomás") },
  {
    name: "archive",
    scene: "ready",
    steps: async (page) => {
      await open("Archive")(page);
      await page.getByRole("feed").evaluate((feed) => {
        feed.scrollTop -= 2000;
      });
      await page.waitForTimeout(400);
    },
  },
  {
    name: "message-actions",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await focusMessage(page, "20 minutes after lunch");
      await page.waitForTimeout(100);
    },
  },
  {
    name: "message-menu",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await page.getByRole("article", { name: "Thursday's meeting" }).click({ button: "right" });
      await page.getByRole("menu").waitFor();
    },
  },
  {
    name: "message-info",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await page.getByRole("article", { name: "Thursday's meeting" }).click({ button: "right" });
      await page.getByRole("menuitem", { name: "Info" }).click();
      await page.getByText("Read by").waitFor();
    },
  },
  {
    name: "message-tooltip",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await page
        .getByRole("article", { name: "20 minutes after lunch" })
        .getByRole("button", { name: /Ends in/u })
        .hover();
      await page.waitForTimeout(700);
    },
  },
  {
    name: "burn-shown",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await page.getByRole("button", { name: "Show", exact: true }).click();
      await page.getByText("412,000").waitFor();
      await page.waitForTimeout(1200);
    },
  },
  {
    name: "reply",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await page.getByRole("article", { name: "I'm in" }).click({ button: "right" });
      await page.getByRole("menuitem", { name: "Reply" }).click();
      await page
        .getByRole("textbox", { name: "Message to" })
        .fill("Good. This is the query:\n```sql\nselect * from offers\n```\nRun it first.");
    },
  },
  {
    name: "timer-chip",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await page.getByRole("button", { name: /^Ends after/u }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "emoji",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await page.getByRole("button", { name: "Emoji" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "confirm",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await page.getByRole("article", { name: "Thursday's meeting" }).click({ button: "right" });
      await page.getByRole("menuitem", { name: "Recall" }).click();
      await page.getByRole("alertdialog").waitFor();
    },
  },
  {
    name: "timers-dialog",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await details(page);
      await page.getByRole("button", { name: "Change timers" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "verify",
    scene: "ready",
    steps: async (page) => {
      await open("Hannah")(page);
      await page.getByRole("button", { name: /^Verify Hannah/u }).click();
      await page.getByRole("dialog").waitFor();
      await page.waitForTimeout(300);
    },
  },
  {
    name: "verify-devices",
    scene: "ready",
    steps: async (page) => {
      await open("Maximiliane")(page);
      await page.getByRole("button", { name: /^Verify Max/u }).click();
      await page.getByRole("dialog").locator("summary").click();
    },
  },
  {
    name: "verify-scanned",
    scene: "ready",
    steps: async (page) => {
      await open("Maximiliane")(page);
      await page.getByRole("button", { name: /^Verify Max/u }).click();
      const code = page.getByRole("img", { name: /^QR code/u });
      const picture = await code.screenshot();
      await page
        .locator("input[type=file]")
        .setInputFiles({ name: "code.png", mimeType: "image/png", buffer: picture });
      await page.getByText("It matches").waitFor();
    },
  },
  {
    name: "stopped",
    scene: "ready",
    steps: async (page) => {
      await open("Stopped")(page);
      await page.getByRole("button", { name: "What does this mean?" }).waitFor();
    },
  },
  {
    name: "stopped-about",
    scene: "ready",
    steps: async (page) => {
      await open("Stopped")(page);
      await page.getByRole("button", { name: "What does this mean?" }).click();
    },
  },
  {
    name: "verify-changed",
    scene: "ready",
    steps: async (page) => {
      await open("Stopped")(page);
      await page.getByRole("button", { name: "Verify again", exact: true }).click();
      await page.getByText("Scan their code").waitFor();
    },
  },
  {
    name: "new-conversation",
    scene: "ready",
    steps: async (page) => {
      await page.getByRole("button", { name: "New conversation" }).first().click();
      await page.getByRole("option", { name: "Jonas" }).click();
      await page.getByRole("option", { name: "Priya" }).click();
    },
  },
  {
    name: "new-group",
    scene: "ready",
    steps: async (page) => {
      await page.getByRole("button", { name: "New conversation" }).first().click();
      await page.getByRole("option", { name: "Jonas" }).click();
      await page.getByRole("option", { name: "Priya" }).click();
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByLabel("Name", { exact: true }).fill("Q3 planning");
    },
  },
  {
    name: "new-alone",
    scene: "alone",
    steps: (page) => page.getByRole("button", { name: "New conversation" }).first().click(),
  },
  {
    name: "invite",
    scene: "ready",
    steps: async (page) => {
      await menu(page, "Invite people");
      await page.getByRole("button", { name: "Create link" }).click();
      await page.getByRole("button", { name: "Copy link" }).waitFor();
    },
  },
  { name: "settings-profile", scene: "ready", steps: settings("Profile") },
  { name: "settings-devices", scene: "ready", steps: settings("Devices") },
  { name: "settings-devices-history", scene: "protected", steps: settings("Devices") },
  { name: "settings-notifications", scene: "ready", steps: settings("Notifications") },
  { name: "settings-appearance", scene: "ready", steps: settings("Appearance") },
  { name: "protection-off", scene: "ready", steps: settings("Privacy and lock") },
  { name: "protection-on", scene: "protected", steps: settings("Privacy and lock") },
  {
    name: "protection-on-end",
    scene: "protected",
    steps: async (page) => {
      await settings("Privacy and lock")(page);
      await toEnd(page);
    },
  },
  { name: "protection-managed", scene: "managed", steps: settings("Privacy and lock") },
  {
    name: "protection-managed-end",
    scene: "managed",
    steps: async (page) => {
      await settings("Privacy and lock")(page);
      await toEnd(page);
    },
  },
  { name: "protection-notices", scene: "notices", steps: settings("Privacy and lock") },
  {
    name: "protection-directory",
    scene: "directory-notices",
    steps: settings("Privacy and lock"),
  },
  {
    name: "passphrase-set",
    scene: "ready",
    steps: async (page) => {
      await settings("Privacy and lock")(page);
      await page.getByRole("button", { name: "Set a passphrase" }).click();
      await page.getByLabel("Passphrase", { exact: true }).fill("quiet violet lantern");
      await page.getByLabel("Repeat the passphrase").fill("quiet violet");
      await page.getByRole("button", { name: "Turn on app lock" }).click();
      await page.getByText("not the same").waitFor();
    },
  },
  {
    name: "passphrase-change",
    scene: "protected",
    steps: async (page) => {
      await settings("Privacy and lock")(page);
      await page.getByRole("button", { name: "Change passphrase" }).click();
      await page.getByLabel("Present passphrase").fill("wrong");
      await page.getByLabel("New passphrase", { exact: true }).fill("quiet violet lantern");
      await page.getByLabel("Repeat the passphrase").fill("quiet violet lantern");
      await page.getByRole("button", { name: "Change passphrase" }).click();
      await page.getByText("isn't the passphrase").waitFor();
    },
  },
  {
    name: "passphrase-remove",
    scene: "protected",
    steps: async (page) => {
      await settings("Privacy and lock")(page);
      await page.getByRole("button", { name: "Turn off" }).click();
      await page.getByRole("dialog", { name: "Turn off app lock?" }).waitFor();
    },
  },
  {
    name: "recovery-proof",
    scene: "protected",
    steps: async (page) => {
      await settings("Privacy and lock")(page);
      await page.getByRole("button", { name: "Replace" }).click();
      await page.getByLabel("Present passphrase").fill("wrong");
      await page.getByRole("button", { name: "Replace" }).click();
      await page.getByText("isn't the passphrase").waitFor();
    },
  },
  { name: "recovery-code", scene: "ready", steps: showRecoveryCode },
  {
    name: "recovery-code-leave",
    scene: "ready",
    steps: async (page) => {
      await showRecoveryCode(page);
      await page.getByRole("button", { name: "Close" }).click();
      await page.getByRole("alertdialog").waitFor();
    },
  },
  {
    name: "recovery-sheet",
    scene: "ready",
    steps: async (page) => {
      await showRecoveryCode(page);
      await page.emulateMedia({ media: "print" });
    },
  },
  { name: "storage", scene: "protected", steps: settings("Storage") },
  {
    name: "storage-table",
    scene: "protected",
    steps: async (page) => {
      await settings("Storage")(page);
      await page.getByRole("button", { name: "Show as a table" }).click();
    },
  },
  {
    name: "storage-details",
    scene: "protected",
    steps: async (page) => {
      await settings("Storage")(page);
      await page.getByRole("button", { name: "Compact now" }).click();
      await page.getByText("Details", { exact: true }).click();
      await toEnd(page);
    },
  },
  {
    name: "storage-compacted",
    scene: "protected",
    steps: async (page) => {
      await settings("Storage")(page);
      await page.getByRole("button", { name: "Compact now" }).click();
      await page.getByText("Done:").waitFor();
      await toEnd(page);
    },
  },
  { name: "storage-empty", scene: "empty", steps: settings("Storage") },
  { name: "storage-damaged", scene: "read-only", steps: settings("Storage") },
  { name: "settings-network", scene: "ready", steps: settings("Network") },
  { name: "settings-network-member", scene: "managed", steps: settings("Network") },
  {
    name: "settings-network-suite",
    scene: "ready",
    steps: async (page) => {
      await settings("Network")(page);
      await page
        .getByLabel("Encryption")
        .selectOption({ label: "CNSA 2.0 (for US national security systems)" });
      await page.getByRole("alertdialog").waitFor();
    },
  },
  {
    name: "settings-network-people",
    scene: "ready",
    steps: async (page) => {
      await settings("Network")(page);
      await page.getByRole("heading", { name: "People" }).waitFor();
      await toEnd(page);
    },
  },
  {
    name: "settings-network-suspend",
    scene: "ready",
    steps: async (page) => {
      await settings("Network")(page);
      await page.getByRole("button", { name: "Suspend Jonas" }).click();
      await page.getByRole("alertdialog").waitFor();
    },
  },
  { name: "settings-about", scene: "ready", steps: settings("About") },
  {
    name: "palette",
    scene: "ready",
    steps: async (page) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox").fill("a");
    },
  },
  {
    name: "shortcuts",
    scene: "ready",
    steps: async (page) => {
      await page.keyboard.press("Control+/");
      await page.getByRole("dialog").waitFor();
    },
  },
  { name: "offline", scene: "offline", steps: open("Hannah") },
  { name: "suspended", scene: "suspended" },
  { name: "suspended-open", scene: "suspended", steps: open("Supplier review") },
  { name: "connecting", scene: "connecting" },
  { name: "notices", scene: "notices" },
  { name: "directory-notices", scene: "directory-notices" },
  { name: "lock-menu", scene: "protected", steps: (page) => openMenu(page) },
  { name: "read-only", scene: "read-only", steps: open("Supplier review") },
  {
    name: "collapsed",
    scene: "ready",
    steps: async (page) => {
      const splitter = page.getByRole("separator", { name: "Width of the conversation list" });
      if ((await splitter.count()) > 0) {
        await splitter.focus();
        await page.keyboard.press("Enter");
      }
      await open("Supplier review")(page);
    },
  },
  {
    name: "toast",
    scene: "ready",
    steps: async (page) => {
      await open("Supplier review")(page);
      await page.getByRole("article", { name: "I'm in" }).click({ button: "right" });
      await page.getByRole("menuitem", { name: "Copy text" }).click();
      await page.waitForTimeout(300);
    },
  },
];
