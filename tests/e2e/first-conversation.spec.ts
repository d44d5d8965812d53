import type { Person } from "./support/person.ts";
import { expect, test } from "./support/test.ts";
import type { WallClock } from "./support/wall-clock.ts";

/**
 * Lets somebody say something that ends after so many seconds, and holds it to its time: nowhere before, and everywhere soon after. Where the
 * machine's clock was set back meanwhile, what one app stamped before and another reads after may lose as much, and no more.
 */
async function endsOnTime(
  people: readonly Person[],
  text: string,
  {
    by,
    seconds,
    clock,
  }: { readonly by: Person; readonly seconds: number; readonly clock: WallClock },
): Promise<void> {
  const saidAtMs = performance.now();
  await by.say(text);
  await Promise.all(
    people.map(async (person) => {
      await person.reads(text);
      await expect(person.message(text)).toHaveCount(0, { timeout: seconds * 1000 + 5000 });
      const livedMs = performance.now() - saidAtMs;
      expect(livedMs).toBeGreaterThanOrEqual(seconds * 1000 - clock.swingMs());
      expect(livedMs).toBeLessThan(seconds * 1000 + 5000);
    }),
  );
}

test("three people meet, talk, let messages end, and find the rest again", async ({ stage }) => {
  test.setTimeout(150_000);
  const ada = stage.person("Ada Berg");
  const ben = stage.person("Ben Stein");
  const cleo = stage.person("Cleo Marsh");
  const everybody = [ada, ben, cleo];
  let link = "";

  await test.step("Ada hosts a network and copies an invite link", async () => {
    await ada.start();
    await ada.host("Northwind");
    await ada.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const dialog = await ada.makeInvite("5 times");
    link = await dialog.getByRole("textbox", { name: "Invite link" }).inputValue();
    await dialog.getByRole("button", { name: "Copy link" }).click();
    await expect(ada.page.getByText("Link copied")).toBeVisible();
    await ada.closeDialog();
  });

  await test.step("Ben pastes it, sees where it leads, and joins", async () => {
    await ben.start();
    await ben.page.getByRole("button", { name: /^Join your organisation/u }).click();
    const field = ben.page.getByRole("textbox", { name: "Invite link" });
    await field.press("ControlOrMeta+V");
    await expect(field).toHaveValue(link);
    await expect(ben.page.getByText("You are joining Northwind")).toBeVisible();
    await ben.page.getByLabel("Your name").fill("Ben Stein");
    await ben.page.getByRole("button", { name: "Join Northwind" }).click();
    await ben.isReady();
  });

  await test.step("Ben finds Ada by her name, and they talk both ways", async () => {
    const dialog = await ben.choosePeople([]);
    await dialog.getByLabel("Search people").fill("berg");
    await dialog.getByRole("option", { name: "Ada Berg" }).click();
    await dialog.getByRole("button", { name: "Start conversation" }).click();
    await ben.say("Good morning, Ada.");
    await ben.sees("Good morning, Ada.", "Delivered");
    await expect(ada.row("Ben Stein")).toContainText("1 unread message");
    await ada.open("Ben Stein");
    await ada.reads("Good morning, Ada.");
    await ben.sees("Good morning, Ada.", "Read");
    await ada.say("Morning, Ben! Did the **supplier** write back?");
    await ben.reads("Morning, Ben! Did the supplier write back?");
    await ada.sees("Morning, Ben! Did the supplier write back?", "Read");
  });

  await test.step("Cleo joins, and Ada makes a group of the three", async () => {
    await cleo.start();
    await cleo.join(link);
    await ada.startTogether("group", "Supplier review", ["Ben Stein", "Cleo Marsh"]);
    await ada.say("Let us decide on Thursday.");
    for (const person of [ben, cleo]) {
      await person.open("Supplier review");
      await person.reads("Let us decide on Thursday.");
    }
    await ada.sees("Let us decide on Thursday.", "Read");
    await cleo.say("Thursday is fine.");
    await ben.reads("Thursday is fine.");
    await ada.reads("Thursday is fine.");
  });

  await test.step("a message with a timer of its own ends for all three, at its time", async () => {
    await cleo.setMessageTimers({ endsAfter: [6, "seconds"] });
    await endsOnTime(everybody, "The door code is 2917.", {
      by: cleo,
      seconds: 6,
      clock: stage.clock,
    });
    await cleo.say("See you there.");
    await ada.reads("See you there.");
    await ben.reads("See you there.");
  });

  await test.step("after new timers in the direct conversation, only what comes later ends", async () => {
    await ada.open("Ben Stein");
    await ben.open("Ada Berg");
    await ada.setConversationTimers({ endsAfter: [8, "seconds"] });
    await expect(ben.line("Ada Berg set messages to end after 8 seconds")).toBeVisible();
    await endsOnTime([ben, ada], "My number is 0170 555 010.", {
      by: ben,
      seconds: 8,
      clock: stage.clock,
    });
  });

  await test.step("all quit and start again: what should be there is there, nothing else", async () => {
    await Promise.all([ben, cleo].map((person) => person.quit()));
    await ada.quit();
    await ada.start();
    await Promise.all([ben, cleo].map((person) => person.start()));
    await Promise.all(everybody.map((person) => person.isReady()));

    const together = ["Let us decide on Thursday.", "Thursday is fine.", "See you there."];
    for (const person of everybody) {
      await person.open("Supplier review");
      await person.readsExactly(together);
    }
    const direct = ["Good morning, Ada.", "Morning, Ben! Did the supplier write back?"];
    await ada.open("Ben Stein");
    await ada.readsExactly(direct);
    await ben.open("Ada Berg");
    await ben.readsExactly(direct);
    await expect(cleo.list.getByRole("listitem")).toHaveCount(1);
  });

  await test.step("and they go on talking", async () => {
    await ada.open("Supplier review");
    await ada.say("Back again.");
    for (const person of [ben, cleo]) {
      await person.open("Supplier review");
      await person.reads("Back again.");
    }
    await ada.sees("Back again.", "Read");
  });
});
