import { afterEach, beforeEach, expect } from "vitest";
import {
  suiteNames,
  type ConversationId,
  type ConversationView,
  type Frame,
  type GroupEntry,
  type InboxEntry,
  type MessageView,
  type RelayEventInput,
} from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { playing } from "../../support/hostile/attack.ts";

/*
 * Longer stories of a relay that misbehaves on somebody's cable: what comes of them, and what is told of them (see `attacks.ts`).
 */

const attack = playing("in longer stories");

let world: World;
let ada: Person;
let ben: Person;
let cem: Person;
let group: ConversationId;

beforeEach(async () => {
  world = await World.start();
  [ada, ben, cem] = (await world.people("Ada", "Ben", "Cem")) as [Person, Person, Person];
  group = await ada.create("group", [ben, cem]);
  await ada.look(group);
  await ben.finds(group);
  await cem.finds(group);
  for (const person of [ada, ben, cem]) person.told.clear();
});
afterEach(async () => {
  await world.dispose();
});

async function conversationOf(person: Person, id = group): Promise<ConversationView> {
  const opened = await person.client.commands["conversation.open"]({ conversationId: id });
  return opened.conversation;
}

/** Lets a relay change each entry of the group's log on its way to a person, live or read. */
function forge(person: Person, change: (entry: GroupEntry) => GroupEntry): void {
  person.cable.onFrame = (frame: Frame) => {
    if (frame.kind === "event" && frame.name === "group.entry") {
      const body = frame.body as RelayEventInput<"group.entry">;
      if (body.conversationId !== group) return frame;
      // What arrives was written by a relay that names devices rightly.
      const entry = change(body.entry as GroupEntry);
      return { ...frame, body: { ...body, entry } };
    }
    if (frame.kind !== "response" || !isPage(frame.result)) return frame;
    return { ...frame, result: { ...frame.result, entries: frame.result.entries.map(change) } };
  };
}

function isPage(result: unknown): result is { readonly entries: readonly GroupEntry[] } {
  const names = typeof result === "object" && result !== null ? Object.keys(result) : [];
  return ["entries", "headSequence", "epoch"].every((name) => names.includes(name));
}

function tampered<Entry extends GroupEntry>(entry: Entry): Entry {
  if (!("bytes" in entry)) return entry;
  const bytes = entry.bytes.slice();
  bytes[bytes.length - 3]! ^= 1;
  return { ...entry, bytes };
}

const unopenable = (person: Person) =>
  person
    .messages(group)
    .filter((message): message is Extract<MessageView, { kind: "unopenable" }> => {
      return message.kind === "unopenable";
    });

const setTimers = (person: Person, expirationSeconds: number) =>
  person.client.commands["conversation.setTimers"]({
    conversationId: group,
    timers: { expirationSeconds, burnSeconds: null },
  });

async function agree(...people: readonly Person[]): Promise<void> {
  for (const person of people) {
    await person.say(group, `hello from ${person.name}`);
    for (const other of people) await other.sees(group, `hello from ${person.name}`);
  }
  const views = await Promise.all(people.map((person) => conversationOf(person)));
  expect(new Set(views.map(({ encryption }) => encryption.epochAuthenticator)).size).toBe(1);
}

attack("our change comes back under another's name", async (named) => {
  const bens = ben.client.view.me.deviceId;
  let id = -1;
  let lost = false;
  forge(ada, (entry) => (entry.kind === "commit" ? { ...entry, sender: bens } : entry));
  const forging = ada.cable.onFrame!;
  ada.cable.onRequest = (request) => {
    if (request.method === "group.commit") id = request.id;
    return true;
  };
  ada.cable.onFrame = (frame) => {
    if (frame.kind === "response" && frame.id === id) {
      lost = true;
      id = -1;
      setTimeout(() => {
        ada.cable.unplug();
      }, 0);
      return null;
    }
    if (lost && frame.kind === "event" && frame.name === "group.entry") return null;
    return forging(frame);
  };
  const changing = setTimers(ada, 600);
  await until("the answer is lost", () => lost);
  await until("Ada is off line", () => ada.client.view.connection.kind === "offline");
  ada.cable.onFrame = forging;
  ada.cable.plug();
  ada.client.retryNow();
  await changing;
  ada.cable.onFrame = null;
  await agree(ada, ben, cem);
  await named(ada, group);
});

attack("another's change comes under our name", async (named) => {
  const bens = ben.client.view.me.deviceId;
  forge(ben, (entry) => (entry.kind === "commit" ? { ...entry, sender: bens } : entry));
  await setTimers(ada, 600);
  await until(
    "Ben has it",
    async () => (await conversationOf(ben)).timers.expirationSeconds === 600,
  );
  await agree(ada, ben, cem);
  await named(ben, group);
});

attack("another's messages come under our name, the second one spoilt", async (named) => {
  const bens = ben.client.view.me.deviceId;
  let spoil = false;
  forge(ben, (entry) => {
    if (entry.kind !== "application" || entry.sender === bens) return entry;
    return { ...(spoil ? tampered(entry) : entry), sender: bens };
  });
  await ada.say(group, "one");
  await ben.sees(group, "one");
  spoil = true;
  await ada.say(group, "two");
  await cem.sees(group, "two");
  ben.cable.onFrame = null;
  await ada.say(group, "three");
  await ben.sees(group, "three");
  expect(unopenable(ben).length).toBe(1);
  expect((await conversationOf(ben)).encryption.unopenableCount).toBeGreaterThanOrEqual(1);
  await named(ben, group);
});

attack("every message is spoilt", async (named) => {
  const bens = ben.client.view.me.deviceId;
  forge(ben, (entry) =>
    entry.kind === "application" && entry.sender !== bens ? tampered(entry) : entry,
  );
  await ada.say(group, "one");
  await ada.say(group, "two");
  await until("both show", () => unopenable(ben)[0]?.count === 2);
  expect(unopenable(ben)).toMatchObject([{ senderKnown: false, sender: { displayName: "" } }]);
  ben.cable.onFrame = null;
  await ada.say(group, "three");
  await ben.sees(group, "three");
  expect((await conversationOf(ben)).encryption.unopenableCount).toBe(2);
  await named(ben, group);
});

attack("a change's answer is lost, and the log is said not to be there", async (named) => {
  let commitId = -1;
  let readId = -1;
  let refused = 0;
  ada.cable.onRequest = (request) => {
    if (request.method === "group.commit") commitId = request.id;
    if (request.method === "group.read") readId = request.id;
    return true;
  };
  ada.cable.onFrame = (frame) => {
    if (frame.kind === "event" && frame.name === "group.entry") return null;
    if (frame.kind !== "response") return frame;
    if (frame.id === commitId) {
      commitId = -1;
      setTimeout(() => {
        ada.cable.unplug();
      }, 0);
      return null;
    }
    if (frame.id !== readId || refused > 0) return frame;
    refused += 1;
    return { kind: "failure", id: frame.id, error: { code: "not-found" } };
  };
  const changing = setTimers(ada, 600).catch(() => undefined);
  await until("Ada is off line", () => ada.client.view.connection.kind === "offline");
  ada.cable.plug();
  ada.client.retryNow();
  await until("the log couldn't be read", () => refused === 1);
  await changing;
  ada.cable.onFrame = null;
  await agree(ada, ben, cem);
  await named(ada, group);
});

attack("the log of one conversation can't be read", async (named) => {
  const direct = await ada.create("direct", [ben]);
  await ben.finds(direct);
  const reads = new Set<number>();
  ben.cable.onRequest = (request) => {
    const { conversationId } = request.params as { readonly conversationId?: ConversationId };
    if (request.method === "group.read" && conversationId === group) reads.add(request.id);
    return true;
  };
  ben.cable.onFrame = (frame) =>
    frame.kind === "response" && reads.has(frame.id)
      ? { kind: "failure", id: frame.id, error: { code: "internal" } }
      : frame;
  ben.cable.unplug();
  await until("Ben is off line", () => ben.client.view.connection.kind === "offline");
  await ada.look(direct);
  const said = [await ada.say(group, "in the group"), await ada.say(direct, "to you alone")];
  await until("the relay has both", () =>
    [group, direct].every((id, index) => {
      const message = ada.shown.get(id)?.get(said[index]!);
      return message?.kind === "text" && message.delivery?.kind !== "waiting";
    }),
  );
  ben.cable.plug();
  ben.client.retryNow();
  await ben.sees(direct, "to you alone");
  expect(ben.client.view.connection.kind).toBe("online");
  expect(reads.size).toBeGreaterThan(0);
  await named(ben, group);
  ben.cable.onFrame = null;
  await ben.sees(group, "in the group");
});

attack("a change is spoilt, and comes whole when it is read once more", async (named) => {
  let spoilt = 0;
  forge(ben, (entry) => {
    if (entry.kind !== "commit" || spoilt > 0) return entry;
    spoilt += 1;
    return tampered(entry);
  });
  await setTimers(ada, 600);
  await until(
    "Ben has it",
    async () => (await conversationOf(ben)).timers.expirationSeconds === 600,
  );
  expect(spoilt).toBe(1);
  await agree(ada, ben, cem);
  await named(ben, group);
});

attack("a change is withheld", async (named) => {
  forge(ben, (entry) =>
    entry.kind === "commit" ? { kind: "dropped", sequence: entry.sequence } : entry,
  );
  await setTimers(ada, 600);
  await ada.say(group, "unreadable");
  await until("it shows", () => unopenable(ben)[0]?.code === "conversation-stuck");
  await ben.say(group, "is anybody there?");
  await ada.sees(group, "is anybody there?");
  expect(unopenable(ben).some(({ code }) => code === "conversation-stuck")).toBe(false);
  expect(ben.lines(group)).toContain("rejoined");
  expect(ben.client.view.connection.kind).toBe("online");
  ben.cable.onFrame = null;
  await agree(ada, ben, cem);
  await named(ben, group);
});

attack("who invites is kept back from the directory", async (named) => {
  let hidden = true;
  const lists = new Map<number, number>();
  ben.cable.onRequest = (request) => {
    const { afterVersion } = request.params as { readonly afterVersion?: number };
    if (request.method === "directory.list") lists.set(request.id, afterVersion ?? 0);
    return true;
  };
  ben.cable.onFrame = (frame) => {
    if (hidden && frame.kind === "event" && frame.name === "directory.changed") return null;
    const version = frame.kind === "response" ? lists.get(frame.id) : undefined;
    if (hidden && frame.kind === "response" && version !== undefined) {
      return { ...frame, result: { version, entries: [] } };
    }
    return frame;
  };
  const dee = await world.person("Dee").join(await world.invite(ada));
  await dee.online();
  await until("Dee knows Ben", async () => {
    return (await dee.client.commands["people.list"]({})).length === 4;
  });
  const direct = await dee.create("direct", [ben]);
  await until("the Welcome has come", () => ben.vault.read("welcomes", []).length === 1);
  expect((await ben.client.commands["conversations.list"]({})).length).toBe(1);
  hidden = false;
  // The next change of the directory brings everything.
  const eve = await world.person("Eve").join(await world.invite(ada));
  await eve.online();
  await ben.finds(direct);
  expect(ben.vault.read("welcomes", [])).toEqual([]);
  await named(ben);
});

attack("a Welcome comes to another group of the same name", async (named) => {
  const mallory = await world.person("Mallory").join(await world.invite(ada));
  await mallory.online();
  await until("Mallory knows Ben", async () => {
    return (await mallory.client.commands["people.list"]({})).length === 4;
  });
  const keyPackages: Uint8Array[] = [];
  mallory.cable.onFrame = (frame) => {
    if (frame.kind === "response") keyPackages.push(...claimed(frame.result));
    return frame;
  };
  // Her client claims a key package of Ben's; she makes use of it elsewhere.
  mallory.cable.onRequest = ({ method }) => method !== "group.commit";
  void mallory.create("direct", [ben]).catch(() => undefined);
  await until("she has a key package", () => keyPackages.length > 0);
  const welcome = await forgedWelcome(mallory, keyPackages);
  const before = await conversationOf(ben);
  inject(ben, (sequence): InboxEntry => ({
    sequence,
    kind: "welcome",
    conversationId: group,
    groupSequence: 1,
    sender: ada.client.view.me.deviceId,
    receivedAtMs: Date.now(),
    bytes: welcome,
  }));
  await ada.say(group, "wakes the cable");
  await until("it was counted", async () => {
    return (await conversationOf(ben)).encryption.unopenableCount === 1;
  });
  const after = await conversationOf(ben);
  expect(after.encryption.epochAuthenticator).toBe(before.encryption.epochAuthenticator);
  expect(after.members.map(({ displayName }) => displayName)).toEqual(["Ada", "Ben", "Cem"]);
  ben.cable.onFrame = null;
  await agree(ada, ben, cem);
  await named(ben, group);
});

function claimed(result: unknown): readonly Uint8Array[] {
  const { keyPackages } = result as {
    readonly keyPackages?: readonly ({ readonly bytes: Uint8Array } | null)[];
  };
  return keyPackages?.flatMap((each) => (each === null ? [] : [each.bytes])) ?? [];
}

/** A group that Mallory makes under the name of the real one, in a later epoch, and a Welcome to it. */
async function forgedWelcome(
  mallory: Person,
  keyPackages: readonly Uint8Array[],
): Promise<Uint8Array> {
  const conversationId = group;
  const { worker } = mallory;
  const roomState = {
    kind: "group",
    name: "The crew",
    administrators: [mallory.userId],
    timers: { expirationSeconds: 3600, burnSeconds: null },
  } as const;
  await worker.call("group.create", { suite: suiteNames.default, conversationId, roomState });
  const commit = async (name: string, addKeyPackages: readonly Uint8Array[]) => {
    const made = await worker.call("group.prepareCommit", {
      conversationId,
      addKeyPackages,
      removeDevices: [],
      roomState: { ...roomState, name },
    });
    await worker.call("group.settleCommit", { conversationId, accepted: true });
    return made.welcome;
  };
  for (const name of ["a", "b", "c"]) await commit(name, []);
  const welcome = await commit("The crew", keyPackages);
  if (welcome === null) throw new Error("no Welcome");
  return welcome;
}

/** Puts an entry into somebody's inbox, in place of the next log entry that would come. */
function inject(person: Person, entry: (sequence: number) => InboxEntry): void {
  let done = false;
  person.cable.onFrame = (frame) => {
    if (done || frame.kind !== "event" || frame.name !== "group.entry") return frame;
    done = true;
    const sequence = (readFact(person.vault, "inboxCursor") ?? 0) + 1;
    return { ...frame, name: "inbox.entry", body: entry(sequence) };
  };
}

attack("live entries don't come to who leaves", async (named) => {
  const messageId = await ada.say(group, "not for long");
  await cem.sees(group, "not for long");
  cem.cable.onFrame = (frame) =>
    frame.kind === "event" && frame.name === "group.entry" ? null : frame;
  await ada.client.commands["message.recall"]({ conversationId: group, messageId });
  await until("it is gone for Ben", () => !ben.texts(group).includes("not for long"));
  // Nobody carries the leaving out before Cem has read on.
  ada.cable.unplug();
  ben.cable.unplug();
  await cem.client.commands["conversation.leave"]({ conversationId: group });
  await until("it is gone for Cem", () => !cem.texts(group).includes("not for long"));
  await cem.look(group);
  expect(cem.texts(group)).not.toContain("not for long");
  await named(cem, group);
});
