import { setTimeout as pause } from "node:timers/promises";
import { seededRandom } from "../support/seeded.ts";
import type { Person } from "./support/person.ts";
import { meetInDirect } from "./support/scenes.ts";
import { expect, test } from "./support/test.ts";

const seed = 20261126;
const rounds = 4;

/** A window so tall that all messages of the test are in view at once. */
async function seeEverything({ page }: Person): Promise<void> {
  await page.setViewportSize({ width: 1000, height: 3600 });
}

function textsOf({ name }: Person, round: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${round}.${index + 1}`);
}

/** Says short things one after the other, as fast as they can be typed. */
async function talk(person: Person, texts: readonly string[]): Promise<void> {
  for (const text of texts) await person.say(text);
}

/** What only one of two has. */
async function bothSides(ada: Person, ben: Person) {
  const [adas, bens] = await Promise.all([ada.texts(), ben.texts()]);
  return { onlyAda: missingFrom(adas, bens), onlyBen: missingFrom(bens, adas) };
}

function missingFrom(wanted: Iterable<string>, texts: readonly string[]): readonly string[] {
  return [...wanted].filter((text) => !texts.includes(text));
}

/** Waits until nothing of one's own waits for the network any more. */
async function allSent(person: Person): Promise<void> {
  await expect
    .poll(async () => (await person.messages()).filter(({ delivery }) => delivery === "waiting"), {
      timeout: 30_000,
    })
    .toEqual([]);
}

test("killed in mid-conversation at random moments, nobody loses anything or says it twice", async ({
  stage,
}) => {
  test.setTimeout(180_000);
  const random = seededRandom(seed);
  const [ada, ben] = await meetInDirect(stage);
  const promised = new Set<string>();
  await Promise.all([ada, ben].map(seeEverything));

  for (let round = 1; round <= rounds; round += 1) {
    // By turns a guest, and the host with the relay in her app.
    const [victim, other] = round % 2 === 1 ? [ben, ada] : [ada, ben];
    await test.step(`round ${round}: ${victim.name} is killed`, async () => {
      const others = textsOf(other, round, 3);
      const talking = talk(other, others);
      await talk(victim, textsOf(victim, round, 2 + random.below(5)));
      // The random moment is what is tested: between typing, sealing, storing, sending and being acknowledged.
      await pause(random.below(120));
      const shown = await victim.kill();
      await talking;
      for (const { text } of shown) if (text !== null) promised.add(text);
      for (const text of others) promised.add(text);

      await victim.start();
      await victim.isReady();
      await seeEverything(victim);
      await victim.open(other.name);
      await other.isOnline();
      await Promise.all([allSent(ada), allSent(ben)]);
      await expect.poll(() => bothSides(ada, ben)).toEqual({ onlyAda: [], onlyBen: [] });
      for (const texts of [await ada.texts(), await ben.texts()]) {
        expect(new Set(texts).size, "nothing twice").toBe(texts.length);
        expect(missingFrom(promised, texts), "nothing lost").toEqual([]);
        // What crosses on its way may stand differently at the two, but nobody's own words change places.
        for (const { name } of [ada, ben]) {
          const own = texts.filter((text) => text.startsWith(name));
          expect(own).toEqual(own.toSorted());
        }
      }
    });
  }
  expect(promised.size).toBeGreaterThan(rounds * 4);
});

test("when the computer with the relay loses its power, the other waits and goes on by itself", async ({
  stage,
}) => {
  test.setTimeout(120_000);
  const [ada, ben] = await meetInDirect(stage);
  await ben.say("Are you at the office?");
  await ada.reads("Are you at the office?");

  await ada.say("Yes, until six.");
  await ada.reads("Yes, until six.");
  const shown = await ada.kill();
  expect(shown.map(({ text }) => text)).toEqual(["Are you at the office?", "Yes, until six."]);
  await expect(ben.waitingForNetwork).toContainText("Messages you send wait here");
  await expect(ben.page.getByRole("alert"), "it looks like no error").toHaveCount(0);
  await talk(ben, ["Can you send me the plan?", "Before five, if you can."]);
  await ben.sees("Before five, if you can.", "Waiting for network");

  await ada.start();
  await ada.isReady();
  await ada.open("Ben Stein");
  await ben.isOnline();
  await ben.sees("Before five, if you can.", "Read");
  await ada.say("Here it is.");
  const all = [
    "Are you at the office?",
    "Yes, until six.",
    "Can you send me the plan?",
    "Before five, if you can.",
    "Here it is.",
  ];
  for (const person of [ada, ben]) {
    await person.reads("Here it is.");
    expect((await person.texts()).toSorted()).toEqual(all.toSorted());
  }
});
