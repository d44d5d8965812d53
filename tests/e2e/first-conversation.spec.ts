import { expect, test } from "./support/stage.ts";

test("two people find each other and talk", async ({ stage }) => {
  const ada = stage.person("Ada Berg");
  await ada.start();
  await ada.host("Northwind");
  const link = await ada.invite();
  const ben = stage.person("Ben Stein");
  await ben.start();
  await ben.join(link);
  await ben.startDirect("Ada Berg");
  await ben.say("Good morning, Ada.");
  await ada.open("Ben Stein");
  await ada.reads("Good morning, Ada.");
  await ben.sees("Good morning, Ada.", "Read");
  expect(await ben.texts()).toEqual(["Good morning, Ada."]);
});
