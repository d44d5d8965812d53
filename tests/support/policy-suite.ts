import { expect } from "vitest";
import { suiteNames, type ConversationId, type SuiteName } from "#protocol";
import { readFact } from "../../electron/client/store/facts.ts";
import { until, World, type Person } from "./client-world.ts";

/** Three people in a conversation of the default suite, in which something was said. */
export class ThreePeople {
  readonly world: World;
  readonly everybody: readonly [Person, Person, Person];
  readonly group: ConversationId;

  private constructor(
    world: World,
    everybody: readonly [Person, Person, Person],
    group: ConversationId,
  ) {
    this.world = world;
    this.everybody = everybody;
    this.group = group;
  }

  static async start(): Promise<ThreePeople> {
    const world = await World.start();
    const everybody = (await world.people("Ada", "Ben", "Cem")) as [Person, Person, Person];
    const [ada, ...others] = everybody;
    const group = await ada.create("group", others);
    for (const person of everybody) await person.finds(group);
    await ada.say(group, "Before");
    for (const person of others) await person.sees(group, "Before");
    return new ThreePeople(world, everybody, group);
  }

  /** The administrator has the network's policy name a suite. */
  async choose(suite: SuiteName): Promise<void> {
    const [ada] = this.everybody;
    await ada.client.commands["network.setPolicy"]({ suite });
  }

  async encryptionOf(person: Person) {
    const { conversation } = await person.client.commands["conversation.open"]({
      conversationId: this.group,
    });
    return conversation.encryption;
  }

  isIn(person: Person, suite: SuiteName): Promise<void> {
    return until(`${person.name} is in ${suite}`, async () => {
      return (await this.encryptionOf(person)).suite === suite;
    });
  }

  hasKeys(person: Person, suite: SuiteName): Promise<void> {
    return until(`${person.name} has published keys`, () => {
      return (readFact(person.vault, "keyPackageSuite") ?? suiteNames.default) === suite;
    });
  }

  /** Everybody reads everybody, in one epoch. */
  async everybodyReads(word: string): Promise<void> {
    const { everybody, group } = this;
    for (const person of everybody) await person.say(group, `${word} ${person.name}`);
    for (const person of everybody) {
      for (const { name } of everybody) await person.sees(group, `${word} ${name}`);
    }
    const views = await Promise.all(everybody.map((person) => this.encryptionOf(person)));
    expect(new Set(views.map(({ epochAuthenticator }) => epochAuthenticator)).size).toBe(1);
    expect(views).toMatchObject(everybody.map(() => ({ doubtful: false, nextSuite: null })));
  }

  /** Nothing was missed by anybody, ever. */
  async nothingWasLost(): Promise<void> {
    for (const person of this.everybody) {
      expect(await this.encryptionOf(person)).toMatchObject({ unopenableCount: 0 });
    }
  }
}
