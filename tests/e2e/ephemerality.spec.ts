import { meetInDirect, meetInGroup } from "./support/scenes.ts";
import { expect, test } from "./support/test.ts";

test("a burn-on-read message is covered, burns after each reader has seen it, and at the sender's last", async ({
  stage,
}) => {
  const [ada, ben, cleo] = await meetInGroup(stage);
  const secret = "The offer is 41,500.";
  await ada.setMessageTimers({ burnsAfter: [6, "seconds"] });
  await ada.say(secret);
  await ada.say("Please read it before noon.");

  await test.step("nobody sees it before asking for it", async () => {
    for (const reader of [ben, cleo]) {
      await expect(reader.covered).toContainText("Burns 6 seconds after you show it");
      await reader.readsExactly(["Please read it before noon."]);
    }
  });

  await test.step("Ben shows it, and his copy burns; Ada's and Cleo's stay", async () => {
    await ben.covered.getByRole("button", { name: "Show" }).click();
    await ben.reads(secret);
    await expect(
      ben.message(secret).getByRole("button", { name: /^Burns in [1-6] second/u }),
    ).toBeVisible();
    await expect(ben.message(secret)).toHaveCount(0);
    await expect(ben.covered).toHaveCount(0);
    await ada.readsExactly([secret, "Please read it before noon."]);
    await expect(cleo.covered).toBeVisible();
  });

  await test.step("Cleo shows it; when hers has burnt, nobody has it any more", async () => {
    await cleo.covered.getByRole("button", { name: "Show" }).click();
    await cleo.reads(secret);
    await expect(cleo.message(secret)).toHaveCount(0);
    await expect(ada.message(secret)).toHaveCount(0);
  });

  for (const person of [ada, ben, cleo]) {
    await person.readsExactly(["Please read it before noon."]);
  }
});

test("what was recalled, deleted or has ended stays away, also after the next start", async ({
  stage,
}) => {
  const [ada, ben] = await meetInDirect(stage);
  await ada.say("The figures are in the folder.");
  await ada.say("Wrong file, sorry.");
  await ada.say("Lunch at one?");
  await ben.readsExactly(["The figures are in the folder.", "Wrong file, sorry.", "Lunch at one?"]);

  await test.step("Ada recalls a message: it is gone on both sides, and a line says so", async () => {
    await ada.act(ada.message("Wrong file, sorry."), "Recall for everyone…", "Recall");
    await expect(ada.line("You recalled this message")).toBeVisible();
    await expect(ben.line("Ada Berg recalled this message")).toBeVisible();
    for (const person of [ada, ben]) {
      await person.readsExactly(["The figures are in the folder.", "Lunch at one?"]);
    }
  });

  await test.step("Ben deletes a message for himself: Ada keeps hers", async () => {
    await ben.act(ben.message("Lunch at one?"), "Delete for me…", "Delete for me");
    await ben.readsExactly(["The figures are in the folder."]);
    await ada.readsExactly(["The figures are in the folder.", "Lunch at one?"]);
  });

  await test.step("two messages end while Ben's Sotto isn't running: one he had, one he never got", async () => {
    await ada.setMessageTimers({ endsAfter: [7, "seconds"] });
    await ada.say("Seen before the end.");
    await ben.reads("Seen before the end.");
    await ben.kill();
    await ada.setMessageTimers({ endsAfter: [5, "seconds"] });
    await ada.say("Never arrived in time.");
    await expect(ada.message("Seen before the end.")).toHaveCount(0);
    await expect(ada.message("Never arrived in time.")).toHaveCount(0);
    await ada.say("Good evening.");
    await ben.start();
    await ben.isReady();
    await ben.open("Ada Berg");
    await ben.readsExactly(["The figures are in the folder.", "Good evening."]);
    await expect(ben.line("Ada Berg recalled this message")).toBeVisible();
  });

  await test.step("Ada quits and starts: the same picture at hers", async () => {
    await ada.quit();
    await ada.start();
    await ada.isReady();
    await ada.open("Ben Stein");
    await ada.readsExactly(["The figures are in the folder.", "Lunch at one?", "Good evening."]);
    await expect(ada.line("You recalled this message")).toBeVisible();
  });
});
