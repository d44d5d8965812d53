import type { ConversationId, Frame, GroupEntry, MessageView, RelayEventInput } from "#protocol";
import type { Clock } from "../../electron/link/index.ts";
import { until, World, type Person } from "./client-world.ts";
import { systemClock } from "./fake-clock.ts";

/** What a relay makes of an entry on its way to somebody. */
type Change = (entry: GroupEntry) => GroupEntry;

/** As if it had ended or been recalled. */
export const dropped: Change = ({ sequence }) => ({ kind: "dropped", sequence });

/** One bit is another. */
export const tampered: Change = (entry) => {
  if (!("bytes" in entry)) return entry;
  const bytes = entry.bytes.slice();
  bytes[bytes.length - 3]! ^= 1;
  return { ...entry, bytes };
};

/** Ada, Ben and Cem in a group, and a relay that can be made to lose things. */
export class LossyRelay {
  readonly world: World;
  readonly people: readonly [Person, Person, Person];
  readonly group: ConversationId;

  private constructor(
    world: World,
    people: readonly [Person, Person, Person],
    group: ConversationId,
  ) {
    this.world = world;
    this.people = people;
    this.group = group;
  }

  static async start(): Promise<LossyRelay> {
    const world = await World.start();
    const [ada, ben, cem] = (await world.people("Ada", "Ben", "Cem")) as [Person, Person, Person];
    const group = await ada.create("group", [ben, cem]);
    await ada.look(group);
    await ben.finds(group);
    await cem.finds(group);
    return new LossyRelay(world, [ada, ben, cem], group);
  }

  /** Changes each entry of the group's log on its way to a person, live or read. */
  forge(person: Person, change: Change): void {
    person.cable.onFrame = (frame: Frame) => {
      if (frame.kind === "event" && frame.name === "group.entry") {
        const body = frame.body as RelayEventInput<"group.entry">;
        if (body.conversationId !== this.group) return frame;
        return { ...frame, body: { ...body, entry: change(body.entry as GroupEntry) } };
      }
      if (frame.kind !== "response" || !isPage(frame.result)) return frame;
      return { ...frame, result: { ...frame.result, entries: frame.result.entries.map(change) } };
    };
  }

  /** Changes the first `count` messages of one device on their way to a person, each time that they come by. */
  forgeFirst(person: Person, of: Person, count: number, change: Change): void {
    const { deviceId } = of.client.view.me;
    const seen = new Set<number>();
    this.forge(person, (entry) => {
      if (entry.kind !== "application" || entry.sender !== deviceId) return entry;
      if (!seen.has(entry.sequence) && seen.size >= count) return entry;
      seen.add(entry.sequence);
      return change(entry);
    });
  }

  /** Lets nothing that a person writes into the group through to the relay. */
  mute(person: Person): void {
    person.cable.onRequest = ({ method }) => method !== "group.append";
  }

  /** Lets it through again, what waited included. */
  async unmute(person: Person): Promise<void> {
    person.cable.onRequest = null;
    await person.reconnect();
  }

  /** The lines for what is missing. */
  lines(person: Person): readonly Extract<MessageView, { kind: "unopenable" }>[] {
    return person.messages(this.group).filter((message) => message.kind === "unopenable");
  }

  misses(person: Person, count = 1): Promise<void> {
    return until(`${person.name} misses ${String(count)}`, () => {
      return this.lines(person).reduce((sum, line) => sum + line.count, 0) === count;
    });
  }

  missesNothing(person: Person): Promise<void> {
    return until(`${person.name} misses nothing`, () => {
      return this.lines(person).length === 0 && this.asked(person) === 0;
    });
  }

  /** How much is asked for, shown or not. */
  asked(person: Person): number {
    return person.vault.read("gaps", [this.group]).length;
  }

  /** What "Encryption details" says: missed, came after all, asked for, lost. */
  async counts(person: Person): Promise<readonly number[]> {
    const opened = await person.client.commands["conversation.open"]({
      conversationId: this.group,
    });
    const { unopenableCount, recoveredCount, askedCount, lostCount } =
      opened.conversation.encryption;
    return [unopenableCount, recoveredCount, askedCount, lostCount];
  }

  dispose(): Promise<void> {
    return this.world.dispose();
  }
}

function isPage(result: unknown): result is { readonly entries: readonly GroupEntry[] } {
  const names = typeof result === "object" && result !== null ? Object.keys(result) : [];
  return ["entries", "headSequence", "epoch"].every((name) => names.includes(name));
}

/** The machine's clock, which can be put ahead a little: by less than what makes clocks differ. */
export function aheadClock(): Clock & { aheadMs: number } {
  return {
    aheadMs: 0,
    now() {
      return systemClock.now() + this.aheadMs;
    },
    setTimeout: (run, delayMs) => systemClock.setTimeout(run, delayMs),
  };
}
