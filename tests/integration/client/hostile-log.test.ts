import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "vitest";
import type { ConversationId, ConversationView, GroupEntry } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";
import { answerTo, playing } from "../../support/hostile/attack.ts";
import { HostileRelay } from "../../support/hostile/hostile-relay.ts";

/*
 * What a relay can do to a conversation's log on its way to one of its members. Whatever it does: nothing that wasn't said is shown, nothing
 * is shown twice, nobody comes in or goes, and the person is told by the next message at the latest: see `attacks.ts`.
 */

let world: World;
let ada: Person;
let ben: Person;
let cem: Person;
let group: ConversationId;
let relay: HostileRelay;
const said: string[] = [];

beforeAll(async () => {
  world = await World.start();
  [ada, ben, cem] = (await world.people("Ada", "Ben", "Cem")) as [Person, Person, Person];
});
afterAll(() => world.dispose());

beforeEach(async () => {
  said.length = 0;
  group = await ada.create("group", [ben, cem]);
  for (const person of [ada, ben, cem]) await person.finds(group);
  await say(ada, "before");
  for (const person of [ben, cem]) await person.sees(group, "before");
  relay = new HostileRelay(ben);
  for (const person of [ada, ben, cem]) person.told.clear();
});
afterEach(() => {
  relay.repent();
});

async function say(person: Person, text: string): Promise<void> {
  said.push(text);
  await person.say(group, text);
}

async function viewOf(person: Person): Promise<ConversationView> {
  const opened = await person.client.commands["conversation.open"]({ conversationId: group });
  return opened.conversation;
}

/** Nothing that the relay did was believed. */
async function expectUnharmed(person: Person): Promise<void> {
  const texts = person.texts(group);
  expect(new Set(texts).size).toBe(texts.length);
  expect(texts.filter((text) => !said.includes(text))).toEqual([]);
  const { members } = await viewOf(person);
  expect(members.map(({ displayName }) => displayName).sort()).toEqual(["Ada", "Ben", "Cem"]);
}

/** Once the relay does what it should, messages come again. */
async function expectHealed(): Promise<void> {
  relay.repent();
  await ben.reconnect();
  await say(ada, "after");
  await ben.sees(group, "after");
  await say(ben, "and back");
  await ada.sees(group, "and back");
}

type Change = (entry: GroupEntry) => GroupEntry | null;

/** Whether it is Ada's: others' receipts come in between. */
const isAdas = (entry: GroupEntry): boolean =>
  "sender" in entry && entry.sender === ada.client.view.me.deviceId;

/** Changes the first entry of a kind that Ada sends, live or read, however often it is read. */
function onFirst(kind: GroupEntry["kind"], change: Change): void {
  let sequence: number | null = null;
  relay.entries((entry, conversationId) => {
    if (conversationId !== group || entry.kind !== kind || !isAdas(entry)) return entry;
    sequence ??= entry.sequence;
    return entry.sequence === sequence ? change(entry) : entry;
  });
}

const bytesOf = (entry: GroupEntry): Uint8Array =>
  "bytes" in entry ? entry.bytes : new Uint8Array();
const withBytes = (bytes: Uint8Array) => (entry: GroupEntry) => ({ ...entry, bytes }) as GroupEntry;

const spoils = {
  "changes a bit": (bytes) => bytes.with(bytes.length - 3, bytes.at(-3)! ^ 1),
  "appends a byte": (bytes) => Uint8Array.of(...bytes, 0),
  "cuts off the end": (bytes) => bytes.slice(0, -20),
  "leaves nothing": () => new Uint8Array(),
  "puts noise in its place": (bytes) => crypto.getRandomValues(new Uint8Array(bytes.length)),
} as const satisfies Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>>;
const waysToSpoil = Object.keys(spoils) as (keyof typeof spoils)[];

const renew = () =>
  ada.client.commands["conversation.setTimers"]({
    conversationId: group,
    timers: { expirationSeconds: 4321, burnSeconds: null },
  });

const dropped = (entry: GroupEntry): GroupEntry => ({ kind: "dropped", sequence: entry.sequence });

describe("a relay that, of a message,", () => {
  const attack = playing("of a message");

  for (const way of waysToSpoil) {
    attack(way, async (named) => {
      onFirst("application", (entry) => withBytes(spoils[way](bytesOf(entry)))(entry));
      await say(ada, "one");
      await say(ada, "two");
      await named(ben, group);
      await ben.sees(group, "two");
      await expectUnharmed(ben);
      await expectHealed();
    });
  }

  attack("leaves only the number", async (named) => {
    onFirst("application", dropped);
    await say(ada, "one");
    await say(ada, "two");
    await ben.sees(group, "two");
    await named(ben, group);
    await expectUnharmed(ben);
    await expectHealed();
  });

  attack("hides that it was there, by counting the others anew", async (named) => {
    let hidden: number | null = null;
    const renumbered = (entry: GroupEntry): GroupEntry | null => {
      if (entry.kind === "application" && isAdas(entry)) hidden ??= entry.sequence;
      if (hidden === null || entry.sequence < hidden) return entry;
      return entry.sequence === hidden ? null : { ...entry, sequence: entry.sequence - 1 };
    };
    relay.entries((entry, id) => (id === group ? renumbered(entry) : entry));
    relay.answer("group.read", (result) => ({
      ...result,
      headSequence: Number(result["headSequence"]) - (hidden === null ? 0 : 1),
    }));
    await say(ada, "one");
    await say(ada, "two");
    await ben.sees(group, "two");
    await named(ben, group);
    await expectUnharmed(ben);
  });

  attack("gives an older one once more in its place", async (named) => {
    let old: Uint8Array | null = null;
    relay.entries((entry, id) => {
      if (id !== group || entry.kind !== "application" || !isAdas(entry)) return entry;
      if (old === null) {
        old = entry.bytes;
        return entry;
      }
      return withBytes(old)(entry);
    });
    await say(ada, "one");
    await ben.sees(group, "one");
    await say(ada, "two");
    await named(ben, group);
    await expectUnharmed(ben);
    await expectHealed();
  });

  attack("gives one of another conversation in its place", async (named) => {
    const other = await ada.create("direct", [ben]);
    await ben.finds(other);
    let foreign: Uint8Array | null = null;
    relay.entries((entry, id) => {
      if (entry.kind !== "application" || !isAdas(entry)) return entry;
      if (id === other) foreign = entry.bytes;
      return id === group && foreign !== null ? withBytes(foreign)(entry) : entry;
    });
    await ada.say(other, "to you alone");
    await until("it has come", () => foreign !== null);
    await say(ada, "one");
    await named(ben, group);
    await expectUnharmed(ben);
    await expectHealed();
  });

  attack("changes its place with the next one", async (named) => {
    const held: GroupEntry[] = [];
    /** What stands in the place of both from then on, however often the log is read. */
    const swapped = new Map<number, Uint8Array>();
    relay.entries((entry, id) => {
      if (id !== group) return entry;
      const others = swapped.get(entry.sequence);
      if (swapped.size > 0) return others === undefined ? entry : withBytes(others)(entry);
      const [first] = held;
      if (first === undefined && !(entry.kind === "application" && isAdas(entry))) return entry;
      // What is held may be read from the log once more.
      if (held.some(({ sequence }) => sequence === entry.sequence)) return null;
      if (first === undefined || !isAdas(entry)) {
        held.push(entry);
        return null;
      }
      swapped.set(first.sequence, bytesOf(entry)).set(entry.sequence, bytesOf(first));
      relay.push(group, withBytes(bytesOf(entry))(first));
      for (const between of held.slice(1)) relay.push(group, between);
      return withBytes(bytesOf(first))(entry);
    });
    await say(ada, "one");
    await say(ada, "two");
    await named(ben, group);
    await expectUnharmed(ben);
    await expectHealed();
  });

  attack("calls it a change of the conversation", async (named) => {
    onFirst("application", (entry) => {
      if (entry.kind !== "application") return entry;
      const { sequence, epoch, sender, receivedAtMs, bytes } = entry;
      return { kind: "commit", sequence, epoch, sender, receivedAtMs, bytes };
    });
    await say(ada, "one");
    await say(ada, "two");
    for (const text of ["one", "two"]) await ben.sees(group, text);
    await named(ben, group);
    await expectUnharmed(ben);
    await expectHealed();
  });
});

describe("a relay that, of a change,", () => {
  const attack = playing("of a change");

  for (const way of waysToSpoil) {
    attack(way, async (named) => {
      onFirst("commit", (entry) => withBytes(spoils[way](bytesOf(entry)))(entry));
      await renew();
      await say(ada, "one");
      await named(ben, group);
      await expectUnharmed(ben);
      expect((await viewOf(ben)).timers.expirationSeconds).not.toBe(4321);
      await expectHealed();
    });
  }

  attack("leaves only the number", async (named) => {
    onFirst("commit", dropped);
    await renew();
    await say(ada, "one");
    await named(ben, group);
    await expectUnharmed(ben);
  });

  attack("gives an earlier one once more in its place", async (named) => {
    let earlier: Uint8Array | null = null;
    relay.entries((entry, id) => {
      if (id !== group || entry.kind !== "commit") return entry;
      earlier ??= entry.bytes;
      return withBytes(earlier)(entry);
    });
    await ada.client.commands["conversation.rename"]({ conversationId: group, name: "Renamed" });
    await until("Ben has the first", async () => (await viewOf(ben)).title === "Renamed");
    await renew();
    await say(ada, "one");
    await named(ben, group);
    await expectUnharmed(ben);
  });

  attack("calls it a message", async (named) => {
    onFirst("commit", (entry) =>
      entry.kind === "commit" ? { ...entry, kind: "application", expiresAtMs: null } : entry,
    );
    await renew();
    await say(ada, "one");
    await ben.sees(group, "one");
    expect((await viewOf(ben)).timers.expirationSeconds).toBe(4321);
    await named(ben, group);
    await expectUnharmed(ben);
    await expectHealed();
  });
});

describe("a relay that, of a page of the log,", () => {
  const attack = playing("of a page of the log");

  const away = async (): Promise<void> => {
    ben.cable.unplug();
    await until("Ben is off line", () => ben.client.view.connection.kind === "offline");
    for (const text of ["one", "two", "three"]) await say(ada, text);
    await cem.sees(group, "three");
  };
  const back = (): void => {
    ben.cable.plug();
    ben.client.retryNow();
  };

  type Page = readonly GroupEntry[];
  const pages = {
    "leaves an entry out": (entries) => entries.filter((_, index) => index !== 0),
    "turns the order around": (entries) => entries.toReversed(),
    "gives an entry twice": (entries) => [...entries.slice(0, 1), ...entries],
    "begins before what was asked for": (entries) =>
      entries.map((entry) => ({ ...entry, sequence: entry.sequence - 1 })),
  } as const satisfies Readonly<Record<string, (entries: Page) => Page>>;

  for (const way of Object.keys(pages) as (keyof typeof pages)[]) {
    attack(way, async (named) => {
      await away();
      let isTold = false;
      relay.answer("group.read", (result, { conversationId }) => {
        if (conversationId !== group) return result;
        const entries = result["entries"] as readonly GroupEntry[];
        if (entries.length === 0) return result;
        isTold = true;
        return { ...result, entries: pages[way](entries) };
      });
      back();
      await until("the page was read", () => isTold);
      await named(ben, group);
      await expectUnharmed(ben);
      await expectHealed();
      for (const text of ["one", "two", "three"]) await ben.sees(group, text);
    });
  }

  attack("promises more than there is", async (named) => {
    await away();
    let asked = 0;
    relay.answer("group.read", (result, { conversationId }) => {
      if (conversationId !== group) return result;
      asked += 1;
      return { ...result, headSequence: Number(result["headSequence"]) + 10 };
    });
    back();
    await until("it was asked for", () => asked > 1);
    await ben.sees(group, "three");
    await named(ben, group);
    await expectUnharmed(ben);
    await expectHealed();
  });
});

describe("a relay that tells who writes", () => {
  const attack = playing("to who writes");

  const accepted = (sequence: number) => ({
    kind: "accepted",
    sequence,
    receivedAtMs: Date.now(),
  });
  /** How far the log is: as far as somebody has read it whom the relay leaves alone. */
  /** The log's last number, once nobody has anything to add: receipts come by themselves. */
  const headOf = async (): Promise<number> => {
    let [head, since] = [-1, 0];
    await until("the log is at rest", () => {
      const [row] = cem.vault.read("conversation", [group]);
      const now = Number(row?.["cursor"]);
      if (now !== head) [head, since] = [now, performance.now()];
      return performance.now() - since >= 500;
    });
    return head;
  };

  attack("says that a message was taken, and throws it away", async (named) => {
    const head = await headOf();
    let kept = 0;
    relay.pretend("group.append", ({ conversationId }) =>
      conversationId === group && (kept += 1) === 1 ? accepted(head + 1) : null,
    );
    await say(ben, "one");
    await until("it is kept by nobody", () => kept > 0);
    relay.repent();
    await say(ben, "two");
    await ada.sees(group, "two");
    await named(ada, group);
    await expectUnharmed(ada);
  });

  attack("says for ever that they are behind, of a message", async (named) => {
    let asked = 0;
    relay.pretend("group.append", ({ conversationId, epoch }) => {
      if (conversationId !== group) return null;
      asked += 1;
      return { kind: "stale", epoch: Number(epoch) + 1, headSequence: 1 };
    });
    await say(ben, "one");
    await until("it was offered", () => asked > 0);
    expect(ben.message(group, "one")).toMatchObject({ delivery: { kind: "waiting" } });
    named.by("message: waiting");
    relay.repent();
    await ben.reconnect();
    await ada.sees(group, "one");
    await expectUnharmed(ada);
  });

  attack("says for ever that they are behind, of a change", async (named) => {
    relay.pretend("group.commit", ({ conversationId, epoch }) =>
      conversationId === group
        ? { kind: "stale", epoch: Number(epoch) + 1, headSequence: 1 }
        : null,
    );
    const renaming = ben.client.commands["conversation.rename"]({
      conversationId: group,
      name: "Mine",
    });
    named.by(await answerTo(renaming));
    expect((await viewOf(ada)).title).not.toBe("Mine");
    await expectUnharmed(ada);
  });

  attack(
    "says that their change was made, and to the others that another one was: a split view",
    async (named) => {
      const head = await headOf();
      relay.pretend("group.commit", ({ conversationId }) =>
        conversationId === group ? accepted(head + 1) : null,
      );
      relay.entries((entry, id) =>
        id === group && entry.kind === "commit" && isAdas(entry) && entry.sequence > head
          ? null
          : entry,
      );
      await ben.client.commands["conversation.rename"]({ conversationId: group, name: "Mine" });
      await ada.client.commands["conversation.rename"]({ conversationId: group, name: "Hers" });
      await say(ada, "one");
      await named(ben, group);
      await expectUnharmed(ben);
      await expectUnharmed(ada);
      expect((await viewOf(ada)).title).toBe("Hers");
    },
  );
});
