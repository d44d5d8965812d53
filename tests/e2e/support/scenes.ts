import type { Person } from "./person.ts";
import type { Stage } from "./stage.ts";

/** People in one network: the first of them hosts it, the others have joined by invite. */
async function meet(stage: Stage, ...names: readonly string[]): Promise<readonly Person[]> {
  const people = names.map((name) => stage.person(name));
  await Promise.all(people.map((person) => person.start()));
  const [host, ...guests] = people;
  await host?.host("Northwind");
  const link = await host?.invite("25 times");
  await Promise.all(guests.map((guest) => guest.join(link ?? "")));
  return people;
}

/** Two people who have their direct conversation open; the first one hosts. */
export async function meetInDirect(stage: Stage): Promise<readonly [Person, Person]> {
  const [ada, ben] = await meet(stage, "Ada Berg", "Ben Stein");
  if (ada === undefined || ben === undefined) throw new Error("nobody came");
  await ada.startDirect(ben.name);
  await ben.open(ada.name);
  return [ada, ben];
}

/** Three people who have their group open; the first one hosts. */
export async function meetInGroup(stage: Stage): Promise<readonly [Person, Person, Person]> {
  const [ada, ben, cleo] = await meet(stage, "Ada Berg", "Ben Stein", "Cleo Marsh");
  if (ada === undefined || ben === undefined || cleo === undefined) throw new Error("nobody came");
  const title = "Supplier review";
  await ada.startTogether("group", title, [ben.name, cleo.name]);
  await Promise.all([ben, cleo].map((person) => person.open(title)));
  return [ada, ben, cleo];
}
