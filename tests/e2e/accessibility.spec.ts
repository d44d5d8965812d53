import { expectAccessible } from "./support/axe.ts";
import { pressUntilFocused, tabAndPress, tabAndType } from "./support/keyboard.ts";
import { makeRecoveryCode, openProtection, seesLock } from "./support/lock.ts";
import { meetInGroup } from "./support/scenes.ts";
import { expect, test } from "./support/test.ts";
import { damageKeyring } from "./support/vault-files.ts";

const passphrase = "umbrella cactus violin harbour";

test("the pages around the app are accessible", async ({ stage }) => {
  test.setTimeout(240_000);
  const ada = stage.person("Ada Berg", {
    environment: { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" },
  });
  await ada.start();
  const { page } = ada;
  await expect(page.getByRole("heading", { name: "Welcome to Sotto" })).toBeVisible();
  await expectAccessible(ada, "first run");

  await page.getByRole("button", { name: /^Join your organisation/u }).click();
  await page.getByRole("textbox", { name: "Invite link" }).fill("sotto://join/nothing");
  await page.getByRole("button", { name: "Join", exact: true }).click();
  await expect(page.getByText("This isn't a complete Sotto invite link.")).toBeVisible();
  await expectAccessible(ada, "join form with faults");
  await page.getByRole("button", { name: "Back" }).click();

  await page.getByRole("button", { name: /^Host a network on this computer/u }).click();
  await page.getByRole("textbox", { name: "Passphrase", exact: true }).fill("umbrella");
  await page.getByRole("button", { name: "Create network" }).click();
  await expectAccessible(ada, "host form with faults and passphrase");
  await page.getByLabel("Name of the network").fill("Northwind");
  await page.getByLabel("Your name").fill("Ada Berg");
  await page.getByRole("textbox", { name: "Passphrase", exact: true }).fill(passphrase);
  await page.getByRole("textbox", { name: "Repeat the passphrase" }).fill(passphrase);
  await page.getByRole("button", { name: "Create network" }).click();
  await ada.isReady();
  await expectAccessible(ada, "empty list");
  await makeRecoveryCode(ada, passphrase);
  await ada.terminate();

  await ada.start();
  await seesLock(ada);
  await expectAccessible(ada, "lock page");
  await ada.page.getByRole("button", { name: "Use recovery code" }).click();
  await expect(ada.page.getByText("Enter your recovery code")).toBeVisible();
  await ada.page.getByRole("button", { name: "Can't get in?" }).click();
  await expectAccessible(ada, "lock page with the recovery code's field and help");
  await ada.page.getByRole("button", { name: "Erase this vault…" }).click();
  await expect(ada.dialog("Erase this vault?")).toBeVisible();
  await expectAccessible(ada, "erase dialog");
  await ada.terminate();

  damageKeyring(ada);
  await ada.start();
  await expect(ada.page.getByRole("heading", { name: "Your vault needs attention" })).toBeVisible();
  await expectAccessible(ada, "problem page");
});

test("the app in use is accessible", async ({ stage }) => {
  test.setTimeout(600_000);
  const [ada, ben, cleo] = await meetInGroup(stage);
  const { page } = ada;

  await test.step("a conversation with all kinds of messages", async () => {
    await ben.say("The draft is **ready**, see `offer.md`:\n\n```ts\nconst total = 41_500;\n```");
    await ben.setMessageTimers({ burnsAfter: [30, "seconds"] });
    await ben.say("For your eyes only.");
    await cleo.say("Wrong window.");
    await cleo.act(cleo.message("Wrong window."), "Recall for everyone…", "Recall");
    await expect(ada.line("Cleo Marsh recalled this message")).toBeVisible();
    const draft = ada.line("The draft is ready");
    await ada.press(draft, "React");
    await expectAccessible(ada, "choice of reactions");
    await page.getByRole("button", { name: "thumbs up" }).click();
    await expect(draft.getByRole("button", { name: /👍/u })).toBeVisible();
    await ada.act(draft, "Reply");
    await ada.say("Good, I'll read it today.");
    await ada.sees("Good, I'll read it today.", "Read");
    await expect(ada.covered).toBeVisible();
    await expectAccessible(ada, "conversation");
  });

  await test.step("what opens over a conversation", async () => {
    await ada.timerChip.click();
    await ada
      .dialog("When this message ends")
      .getByRole("button", { name: "Other…" })
      .first()
      .click();
    await expectAccessible(ada, "timer popover");
    await page.keyboard.press("Escape");

    const own = ada.message("Good, I'll read it today.");
    await ada.press(own, "More actions");
    await expectAccessible(ada, "menu of a message");
    await page.getByRole("menuitem", { name: "Info" }).click();
    await expect(ada.dialog("About this message")).toContainText("Read by");
    await expectAccessible(ada, "message info");
    await ada.closeDialog();
    await ada.press(own, "More actions");
    await page.getByRole("menuitem", { name: "Delete for me…" }).click();
    await expect(page.getByRole("alertdialog")).toBeVisible();
    await expectAccessible(ada, "question");
    await page.getByRole("button", { name: "Cancel" }).click();
  });

  await test.step("the details, and what they open", async () => {
    await page.getByRole("button", { name: "Details", exact: true }).click();
    await expectAccessible(ada, "details");
    await page.getByRole("button", { name: "Change timers" }).click();
    await expectAccessible(ada, "timers of a conversation");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Close details" }).click();
  });

  await test.step("dialogs of the frame", async () => {
    await ada.makeInvite();
    await expectAccessible(ada, "invite dialog");
    await ada.closeDialog();
    const dialog = await ada.choosePeople(["Ben Stein", "Cleo Marsh"]);
    await expectAccessible(ada, "new conversation, people");
    await dialog.getByRole("button", { name: "Next" }).click();
    await dialog.getByRole("button", { name: "Create group" }).click();
    await expectAccessible(ada, "new conversation, shape with faults");
    await ada.closeDialog();
    await page.keyboard.press("ControlOrMeta+k");
    await expect(page.getByRole("combobox")).toBeFocused();
    await expectAccessible(ada, "palette");
    await page.keyboard.press("Escape");
    await page.keyboard.press("ControlOrMeta+/");
    await expect(ada.dialog("Keyboard shortcuts")).toBeVisible();
    await expectAccessible(ada, "shortcuts");
    await ada.closeDialog();
  });

  await test.step("the searches", async () => {
    const field = page.getByRole("searchbox", { name: "Search conversations and messages" });
    await field.fill("read");
    await expect(
      page.getByRole("region", { name: "Search results" }).locator("mark").first(),
    ).toBeVisible();
    await expectAccessible(ada, "search results");
    await field.fill("from:nobody");
    await expect(page.getByText("from:nobody").first()).toBeVisible();
    await expectAccessible(ada, "search with a filter that names nobody");
    await field.fill("");
    await page.keyboard.press("ControlOrMeta+f");
    const bar = page.getByRole("search", { name: "Search in this conversation" });
    await bar.getByRole("searchbox").fill("read");
    await expect(bar.getByRole("status")).toHaveText(/results?$/u);
    await expectAccessible(ada, "search in a conversation");
    await page.keyboard.press("Escape");
    await expect(bar).toHaveCount(0);
  });

  await test.step("what protects the vault, and is set up in dialogs", async () => {
    const settings = await openProtection(ada);
    await settings.getByRole("button", { name: "Set a passphrase" }).click();
    const dialog = ada.dialog("Set a passphrase");
    await dialog.getByRole("textbox", { name: "Passphrase", exact: true }).fill("umbrella");
    await dialog.getByRole("button", { name: "Turn on app lock" }).click();
    await expectAccessible(ada, "passphrase dialog with faults");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await settings.getByRole("button", { name: "Create recovery code" }).click();
    await expect(ada.dialog("Your recovery code")).toBeVisible();
    await expectAccessible(ada, "recovery code dialog");
    await page.getByRole("checkbox", { name: "I have kept this code in a safe place" }).check();
    await page.getByRole("button", { name: "Done" }).click();
    await expect(settings.getByRole("button", { name: "Replace" })).toBeVisible();
    await settings.getByRole("button", { name: "Close" }).click();
  });

  await test.step("every section of the settings", async () => {
    await page.keyboard.press("ControlOrMeta+,");
    const sections = await ada.dialog("Settings").getByRole("tab").all();
    expect(sections.length).toBe(8);
    for (const section of sections) {
      await section.click();
      await expect(page.getByRole("tabpanel")).toBeVisible();
      await expect(page.getByRole("status", { name: "Loading" })).toHaveCount(0);
      await expectAccessible(ada, `settings, ${await section.innerText()}`);
    }
    await ada.closeDialog();
  });

  await test.step("one pane in a narrow window", async () => {
    await page.setViewportSize({ width: 380, height: 760 });
    await expect(page.getByRole("button", { name: "Back" })).toBeVisible();
    await expectAccessible(ada, "conversation, narrow");
    await page.getByRole("button", { name: "Back" }).click();
    await expectAccessible(ada, "list, narrow");
  });
});

test("from the first start to a message without a mouse", async ({ stage }) => {
  const ada = stage.person("Ada Berg");
  const ben = stage.person("Ben Stein");
  await Promise.all([ada.start(), ben.start()]);
  const { keyboard } = ada.page;
  let link = "";

  await test.step("Ada hosts a network", async () => {
    await tabAndPress(ada.page.getByRole("button", { name: /^Host a network/u }));
    await tabAndType(ada.page.getByLabel("Name of the network"), "Northwind");
    await tabAndType(ada.page.getByLabel("Your name"), "Ada Berg");
    await keyboard.press("Enter");
    await ada.isReady();
  });

  await test.step("she makes an invite", async () => {
    await tabAndPress(ada.list.getByRole("button", { name: "Menu of Ada Berg" }));
    const entry = ada.page.getByRole("menuitem", { name: "Invite people" });
    await pressUntilFocused(entry, "ArrowDown");
    await keyboard.press("Enter");
    const dialog = ada.dialog("Invite people to Northwind");
    await tabAndPress(dialog.getByRole("button", { name: "Create link" }));
    const field = dialog.getByRole("textbox", { name: "Invite link" });
    await pressUntilFocused(field, "Tab");
    link = await field.inputValue();
    await keyboard.press("Escape");
    await expect(ada.dialog()).toHaveCount(0);
    await expect(ada.list.getByRole("button", { name: "Menu of Ada Berg" })).toBeFocused();
  });

  await test.step("Ben joins", async () => {
    await tabAndPress(ben.page.getByRole("button", { name: /^Join your organisation/u }));
    await tabAndType(ben.page.getByRole("textbox", { name: "Invite link" }), link);
    await tabAndType(ben.page.getByLabel("Your name"), "Ben Stein");
    await expect(ben.page.getByText("You are joining Northwind")).toBeVisible();
    await ben.page.keyboard.press("Enter");
    await ben.isReady();
  });

  await test.step("Ada starts a conversation and writes", async () => {
    await keyboard.press("ControlOrMeta+n");
    await expect(ada.dialog("New conversation").getByLabel("Search people")).toBeFocused();
    await keyboard.type("stein");
    await keyboard.press("Enter");
    await tabAndPress(ada.dialog().getByRole("button", { name: "Start conversation" }));
    await expect(ada.composer).toBeFocused();
    await keyboard.type("Do you have a minute?");
    await keyboard.press("Enter");
    await ada.sees("Do you have a minute?", "Delivered");
  });

  await test.step("Ben opens it and replies to the message", async () => {
    await pressUntilFocused(ben.row("Ada Berg"), "Tab");
    await ben.page.keyboard.press("Enter");
    await ada.sees("Do you have a minute?", "Read");
    await expect(ben.composer).toBeFocused();
    await pressUntilFocused(ben.message("Do you have a minute?"), "Shift+Tab");
    await ben.page.keyboard.press("r");
    await expect(ben.composer).toBeFocused();
    await expect(ben.page.getByText("Replying to Ada Berg")).toBeVisible();
    await ben.page.keyboard.type("In five.");
    await ben.page.keyboard.press("Enter");
    await expect(
      ada.line("In five.").getByRole("button", { name: /Ada Berg|In reply/u }),
    ).toBeVisible();
  });

  await test.step("Ada corrects her last message", async () => {
    await expect(ada.composer).toBeFocused();
    await keyboard.press("ArrowUp");
    await expect(ada.composer).toHaveValue("Do you have a minute?");
    await keyboard.type(" Or two?");
    await keyboard.press("Enter");
    await ben.reads("Do you have a minute? Or two?");
  });
});

test(
  "the page keeps to its policy, and a breach would be noticed",
  { tag: "@preview" },
  async ({ stage }) => {
    const ada = stage.person("Ada Berg");
    await ada.start();
    const answer = await ada.page.request.get(ada.page.url());
    const policy = answer.headers()["content-security-policy"];
    for (const part of ["default-src 'none'", "script-src 'self'", "require-trusted-types-for"]) {
      expect(policy).toContain(part);
    }
    await ada.host("Northwind");
    expect(stage.complaints).toEqual([]);
    await ada.page
      .evaluate(() => {
        document.body.setAttribute("style", "color: red");
        const script = document.createElement("script");
        script.text = "window.breached = true";
        document.body.append(script);
      })
      .catch(() => undefined);
    await expect
      .poll(() => stage.complaints.join("\n"))
      .toMatch(/style[^]*Trusted|Trusted[^]*style/u);
    ada.complaints.length = 0;
  },
);
