import { expect } from "vitest";
import {
  suiteNames,
  type ConversationId,
  type Frame,
  type RelayEventInput,
  type SignedRecord,
  type SuiteName,
} from "#protocol";
import { readFact } from "../../electron/client/store/facts.ts";
import { until, World, type Person } from "./client-world.ts";

/** A policy of the network that `host` has made. */
export async function signPolicy(
  host: Person,
  suite: SuiteName,
  version = 2,
): Promise<SignedRecord> {
  const { networkId, name: networkName } = host.client.view.network;
  await host.loadNetworkKey();
  const value = {
    ...{ networkId, networkName, version, issuedAtMs: Date.now(), suite },
    ...{ maxExpirationSeconds: 3600, defaultExpirationSeconds: 3600, membersMayInvite: true },
  };
  return (await host.worker.call("record.sign", { kind: "policy", value })).record;
}

/**
 * The relay tells somebody of a policy, now or when they come back, and stands by it.
 *
 * @param spoil - what else becomes of what arrives
 */
export function tell(
  person: Person,
  policy: SignedRecord,
  spoil: (frame: Frame) => Frame | null = (frame) => frame,
): void {
  person.cable.onFrame = (frame) => {
    if (frame.kind !== "event" || frame.name !== "hello") return spoil(frame);
    const body = frame.body as RelayEventInput<"hello">;
    const network = body.network === null ? null : { ...body.network, policy };
    return { ...frame, body: { ...body, network } };
  };
  person.cable.deliver({ kind: "event", name: "policy.changed", body: { policy } });
}

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
