import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ConversationId, ConversationView, GroupEntry } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";
import { HostileRelay } from "../../support/hostile-relay.ts";

/*
 * What a relay can do to a conversation's log on its way to one of its members. Whatever it does: nothing that wasn't said is shown, nothing
 * is shown twice, nobody comes in or goes, and the person is told by the next message at the latest.
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

/** Everything that a person is told is wrong, by its code. */
async function toldTo(person: Person): Promise<readonly string[]> {
  const shown = person
    .messages(group)
    .flatMap((message) => (message.kind === "unopenable" ? [message.code] : []));
  const offline = person === ben ? relay.told : [];
  const { encryption } = await viewOf(person);
  return [...shown, ...offline, ...(encryption.unopenableCount > 0 ? ["counted"] : [])];
}

async function expectTold(person: Person, codes: readonly string[]): Promise<void> {
  let told: readonly string[] = [];
  await until(`${person.name} is told one of ${codes.join(", ")}`, async () => {
    told = await toldTo(person);
    return codes.some((code) => told.includes(code));
  }).catch((cause: unknown) => {
    throw new Error(`told only: ${told.join(", ")}`, { cause });
  });
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

const spoils: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  "changes a bit of": (bytes) => bytes.with(bytes.length - 3, bytes.at(-3)! ^ 1),
  "appends a byte to": (bytes) => Uint8Array.of(...bytes, 0),
  "cuts off the end of": (bytes) => bytes.slice(0, -20),
  "leaves nothing of": () => new Uint8Array(),
  "puts noise in the place of": (bytes) => crypto.getRandomValues(new Uint8Array(bytes.length)),
};

const renew = () =>
  ada.client.commands["conversation.setTimers"]({
    conversationId: group,
    timers: { expirationSeconds: 4321, burnSeconds: null },
  });

const dropped = (entry: GroupEntry): GroupEntry => ({ kind: "dropped", sequence: entry.sequence });

describe("a relay that, of a message,", () => {
  test.each(Object.keys(spoils))("%s it", async (name) => {
    onFirst("application", (entry) => withBytes(spoils[name]!(bytesOf(entry)))(entry));
    await say(ada, "one");
    await say(ada, "two");
    await expectTold(ben, ["counted"]);
    await ben.sees(group, "two");
    await expectUnharmed(ben);
    await expectHealed();
  });

  test("leaves only the number", async () => {
    onFirst("application", dropped);
    await say(ada, "one");
    await say(ada, "two");
    await ben.sees(group, "two");
    await expectUnharmed(ben);
    await expectHealed();
  });

  test("hides that it was ever there, by counting the others anew", async () => {
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
    await expectTold(ben, ["counted"]);
    await expectUnharmed(ben);
  });

  test("gives an older one once more in its place", async () => {
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
    await expectTold(ben, ["counted"]);
    await expectUnharmed(ben);
    await expectHealed();
  });

  test("gives one of another conversation in its place", async () => {
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
    await expectTold(ben, ["counted"]);
    await expectUnharmed(ben);
    await expectHealed();
  });

  test("changes its place with the next one", async () => {
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
    await expectTold(ben, ["counted"]);
    await expectUnharmed(ben);
    await expectHealed();
  });

  test("calls it a change of the conversation", async () => {
    onFirst("application", (entry) => {
      if (entry.kind !== "application") return entry;
      const { sequence, epoch, sender, receivedAtMs, bytes } = entry;
      return { kind: "commit", sequence, epoch, sender, receivedAtMs, bytes };
    });
    await say(ada, "one");
    await say(ada, "two");
    await until("two has come", () => ben.texts(group).length >= 2);
    await expectUnharmed(ben);
    await expectHealed();
  });
});

describe("a relay that, of a change,", () => {
  const stuck = ["conversation-stuck", "counted"];

  test.each(Object.keys(spoils))("%s it", async (name) => {
    onFirst("commit", (entry) => withBytes(spoils[name]!(bytesOf(entry)))(entry));
    await renew();
    await say(ada, "one");
    await expectTold(ben, stuck);
    await expectUnharmed(ben);
    expect((await viewOf(ben)).timers.expirationSeconds).not.toBe(4321);
    await expectHealed();
  });

  test("leaves only the number", async () => {
    onFirst("commit", dropped);
    await renew();
    await say(ada, "one");
    await expectTold(ben, stuck);
    await expectUnharmed(ben);
  });

  test("gives an earlier one once more in its place", async () => {
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
    await expectTold(ben, stuck);
    await expectUnharmed(ben);
  });

  test("calls it a message", async () => {
    onFirst("commit", (entry) =>
      entry.kind === "commit" ? { ...entry, kind: "application", expiresAtMs: null } : entry,
    );
    await renew();
    await say(ada, "one");
    await until("one has come, or the matter was told", async () => {
      return ben.texts(group).includes("one") || (await toldTo(ben)).length > 0;
    });
    await expectUnharmed(ben);
    await expectHealed();
  });
});

describe("a relay whose pages", () => {
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

  const pages: Readonly<Record<string, (entries: readonly GroupEntry[]) => readonly GroupEntry[]>> =
    {
      "leave an entry out": (entries) => entries.filter((_, index) => index !== 0),
      "are in the wrong order": (entries) => entries.toReversed(),
      "have an entry twice": (entries) => [...entries.slice(0, 1), ...entries],
      "begin before what was asked for": (entries) =>
        entries.map((entry) => ({ ...entry, sequence: entry.sequence - 1 })),
    };

  test.each(Object.keys(pages))("%s", async (name) => {
    await away();
    let isTold = false;
    relay.answer("group.read", (result, { conversationId }) => {
      if (conversationId !== group) return result;
      const entries = result["entries"] as readonly GroupEntry[];
      if (entries.length === 0) return result;
      isTold = true;
      return { ...result, entries: pages[name]!(entries) };
    });
    back();
    await until("the page was read", () => isTold);
    await expectUnharmed(ben);
    await expectHealed();
    for (const text of ["one", "two", "three"]) await ben.sees(group, text);
  });

  test("promise more than there is", async () => {
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
    await expectUnharmed(ben);
    await expectHealed();
  });
});

describe("a relay that tells who writes", () => {
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

  test("that a message was taken, and throws it away: the others are told", async () => {
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
    await expectTold(ada, ["counted"]);
    await expectUnharmed(ada);
  });

  test("for ever that they are behind: the message waits, and goes when it can", async () => {
    let asked = 0;
    relay.pretend("group.append", ({ conversationId, epoch }) => {
      if (conversationId !== group) return null;
      asked += 1;
      return { kind: "stale", epoch: Number(epoch) + 1, headSequence: 1 };
    });
    await say(ben, "one");
    await until("it was offered", () => asked > 0);
    expect(ben.message(group, "one")).toMatchObject({ delivery: { kind: "waiting" } });
    relay.repent();
    await ben.reconnect();
    await ada.sees(group, "one");
    await expectUnharmed(ada);
  });

  test("for ever that they are behind: the change isn't made, in words", async () => {
    relay.pretend("group.commit", ({ conversationId, epoch }) =>
      conversationId === group
        ? { kind: "stale", epoch: Number(epoch) + 1, headSequence: 1 }
        : null,
    );
    const renaming = ben.client.commands["conversation.rename"]({
      conversationId: group,
      name: "Mine",
    });
    await expect(renaming).rejects.toMatchObject({ code: "epoch-unknown" });
    expect((await viewOf(ada)).title).not.toBe("Mine");
    await expectUnharmed(ada);
  });

  test("that their change was made, and the others that another one was: a split view", async () => {
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
    await expectTold(ben, ["counted", "conversation-stuck", "frame-out-of-order"]);
    await expectUnharmed(ben);
    await expectUnharmed(ada);
    expect((await viewOf(ada)).title).toBe("Hers");
  });
});
