import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type {
  ConversationId,
  Frame,
  GroupEntry,
  RelayEventInput,
  SystemLine,
  WorkerMethodName,
} from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";

let world: World;
let ada: Person;
let ben: Person;
let cem: Person;
let group: ConversationId;

beforeEach(async () => {
  world = await World.start();
  [ada, ben, cem] = (await world.people("Ada", "Ben", "Cem")) as [Person, Person, Person];
  group = await ada.create("group", [ben, cem]);
  for (const person of [ada, ben, cem]) await person.finds(group);
});
afterEach(async () => {
  await world.dispose();
});

const setTimers = (person: Person, expirationSeconds: number) =>
  person.client.commands["conversation.setTimers"]({
    conversationId: group,
    timers: { expirationSeconds, burnSeconds: null },
  });
const viewOf = async (person: Person) =>
  (await person.client.commands["conversation.open"]({ conversationId: group })).conversation;
const linesOf = (person: Person, kind: SystemLine["kind"]) =>
  person.lines(group).filter((line) => line === kind).length;

/** Everybody is in the same epoch, and everybody reads everybody. */
async function agree(...people: readonly Person[]): Promise<void> {
  for (const person of people) await person.say(group, `from ${person.name}`);
  for (const person of people) {
    for (const other of people) await person.sees(group, `from ${other.name}`);
  }
  await until("all are in one epoch", async () => {
    const views = await Promise.all(people.map(viewOf));
    return new Set(views.map(({ encryption }) => encryption.epochAuthenticator)).size === 1;
  });
  for (const { encryption } of await Promise.all(people.map(viewOf))) {
    expect(encryption).toMatchObject({ doubtful: false, lostCount: 0 });
  }
}

/** Lets a person's worker spoil the commits that it makes, as a broken or hostile client would. */
function spoilCommits(person: Person, times: number): void {
  const { worker } = person;
  const call = worker.call.bind(worker) as (name: WorkerMethodName, params: unknown) => unknown;
  let left = times;
  worker.call = (async (name: WorkerMethodName, params: unknown) => {
    const made = await call(name, params);
    if (name !== "group.prepareCommit" || left === 0) return made;
    left -= 1;
    const { bytes } = made as { readonly bytes: Uint8Array };
    bytes[bytes.length - 3]! ^= 1;
    return made;
  }) as typeof worker.call;
}

/** Changes the entries of the group's log as a person gets them. */
function forge(person: Person, change: (entry: GroupEntry) => GroupEntry | null): void {
  const all = (entries: readonly GroupEntry[]) => entries.flatMap((entry) => change(entry) ?? []);
  person.cable.onFrame = (frame): Frame | null => {
    if (frame.kind === "event" && frame.name === "group.entry") {
      const body = frame.body as RelayEventInput<"group.entry">;
      if (body.conversationId !== group) return frame;
      const entry = change(body.entry as GroupEntry);
      return entry === null ? null : { ...frame, body: { ...body, entry } };
    }
    if (frame.kind !== "response" || !isPage(frame.result)) return frame;
    return { ...frame, result: { ...frame.result, entries: all(frame.result.entries) } };
  };
}

function isPage(result: unknown): result is { readonly entries: readonly GroupEntry[] } {
  const names = typeof result === "object" && result !== null ? Object.keys(result) : [];
  return ["entries", "headSequence", "epoch"].every((name) => names.includes(name));
}

describe("a commit that nobody else can take", () => {
  test("is found void: the conversation goes on, the change is made again, and no message is lost", async () => {
    spoilCommits(ada, 1);
    await setTimers(ada, 600);
    // She doesn't know yet, and says something in an epoch that never will be.
    await ada.say(group, "into the void");
    await ben.say(group, "meanwhile");
    for (const person of [ada, ben, cem]) {
      await person.sees(group, "into the void");
      await person.sees(group, "meanwhile");
    }
    for (const person of [ada, ben, cem]) {
      await until(`${person.name} has the change`, async () => {
        const { timers } = await viewOf(person);
        return timers.expirationSeconds === 600;
      });
      expect(linesOf(person, "reopened")).toBe(1);
      expect(linesOf(person, "rejoined")).toBe(0);
    }
    await agree(ada, ben, cem);
  });

  test("is found void though its committer stopped at once, and hears of it at the next start", async () => {
    spoilCommits(ada, 1);
    await setTimers(ada, 600);
    await ada.say(group, "into the void");
    await until("it is on its way", () => {
      const message = ada.message(group, "into the void");
      return message?.kind === "text" && message.delivery?.kind === "sent";
    });
    await ada.quit();
    await until("Ben has heard", () => linesOf(ben, "reopened") === 1);
    await ada.open();
    await ada.look(group);
    await ben.sees(group, "into the void");
    await until("the change is made again", async () => {
      return (await viewOf(ben)).timers.expirationSeconds === 600;
    });
    await agree(ada, ben, cem);
  });

  test("that removes somebody is made again, although whom it removed vouches for what its maker joins anew from", async () => {
    const role = { conversationId: group, userId: cem.userId, role: "administrator" } as const;
    await ada.client.commands["conversation.setRole"](role);
    await until("Cem may change it", () => linesOf(cem, "roles") > 0);
    await setTimers(cem, 1800);
    await until("Ada has it", async () => (await viewOf(ada)).timers.expirationSeconds === 1800);
    spoilCommits(ada, 1);
    const removal = { conversationId: group, userId: cem.userId };
    await ada.client.commands["conversation.removeMember"](removal);
    await until("Ada is told", () => linesOf(ada, "reopened") > 0);
    await until("Ben is told that Cem is out", () => linesOf(ben, "removed") > 0);
    await agree(ada, ben);
  });

  test("that adds somebody leaves them out, until it is made again", async () => {
    const dee = await world.person("Dee").join(await world.invite(ada));
    await until("Ada knows Dee", async () => {
      return (await ada.client.commands["people.list"]({})).length === 4;
    });
    spoilCommits(ada, 1);
    await ada.client.commands["conversation.addMembers"]({
      conversationId: group,
      people: [dee.userId],
    });
    await until("Dee is in for good", async () => {
      return (await viewOf(ben)).members.some(({ userId }) => userId === dee.userId);
    });
    await dee.finds(group);
    await agree(ada, ben, cem, dee);
  });
});

describe("a device that alone can't follow", () => {
  test("joins anew when a commit is withheld from it", async () => {
    forge(ben, (entry) =>
      entry.kind === "commit" ? { kind: "dropped", sequence: entry.sequence } : entry,
    );
    await setTimers(ada, 600);
    await ada.say(group, "behind it");
    await ben.say(group, "from afar");
    await until("Ben has joined anew", () => linesOf(ben, "rejoined") === 1);
    await ada.sees(group, "from afar");
    await ben.sees(group, "behind it");
    ben.cable.onFrame = null;
    await agree(ada, ben, cem);
    expect(linesOf(ben, "rejoined")).toBe(1);
  });

  test("joins anew when others have taken what it refuses, and voids nothing", async () => {
    forge(ben, (entry) => {
      if (entry.kind !== "commit" || entry.sender !== deviceOf(ada)) return entry;
      const bytes = entry.bytes.slice();
      bytes[bytes.length - 3]! ^= 1;
      return { ...entry, bytes };
    });
    await setTimers(ada, 600);
    await until("Ben has joined anew", () => linesOf(ben, "rejoined") === 1);
    ben.cable.onFrame = null;
    await agree(ada, ben, cem);
    for (const person of [ada, ben, cem]) expect(linesOf(person, "reopened")).toBe(0);
  });

  test("is out, and knows it, when it can't take the commit that took it out", async () => {
    forge(ben, (entry) => {
      if (entry.kind !== "commit" || entry.sender !== deviceOf(ada)) return entry;
      return { ...entry, bytes: entry.bytes.with(-3, entry.bytes.at(-3)! ^ 1) };
    });
    const target = { conversationId: group, userId: ben.userId };
    await ada.client.commands["conversation.removeMember"](target);
    await until("Ben is out", () => {
      return ben.vault.read("conversation", [group])[0]?.["state"] === "removed";
    });
    await agree(ada, cem);
  });

  test.each([
    ["doesn't go back on the relay's word alone", 1],
    ["doesn't believe that places are void on the relay's word alone", 0],
  ])("%s", async (_, epochsBack) => {
    await setTimers(ada, 600);
    await until("Ben has it", async () => (await viewOf(ben)).timers.expirationSeconds === 600);
    const { epoch } = (await viewOf(ben)).encryption;
    let forged = 0;
    forge(ben, (entry) => {
      if (entry.kind !== "application") return entry;
      forged += 1;
      return {
        kind: "reopened",
        sequence: entry.sequence,
        epoch: entry.epoch - epochsBack,
        voids: entry.sequence - 1,
        commitHash: new Uint8Array(32),
        sender: entry.sender,
        receivedAtMs: entry.receivedAtMs,
        rejections: [{ deviceId: deviceOf(cem), signature: new Uint8Array(64) }],
      };
    });
    await ada.say(group, "hidden");
    await until("Ben has joined anew", () => linesOf(ben, "rejoined") === 1);
    expect(forged).toBeGreaterThan(0);
    expect(linesOf(ben, "reopened")).toBe(0);
    expect((await viewOf(ben)).encryption.epoch).toBeGreaterThan(epoch);
    ben.cable.onFrame = null;
    await agree(ada, ben, cem);
  });

  test("isn't told twice: what was said since isn't void", async () => {
    let reopened: Extract<GroupEntry, { kind: "reopened" }> | null = null;
    let replayed = 0;
    forge(ben, (entry) => {
      if (entry.kind === "reopened") reopened ??= entry;
      if (entry.kind !== "application" || reopened === null) return entry;
      replayed += 1;
      const { sequence, receivedAtMs } = entry;
      return { ...reopened, sequence, receivedAtMs };
    });
    spoilCommits(ada, 1);
    // She hears nothing of what becomes of it, and makes no other.
    forge(ada, () => null);
    ada.cable.onRequest = ({ method }) => {
      const unplug = (): void => {
        ada.cable.unplug();
      };
      if (method === "group.commit") setTimeout(unplug, 200);
      return true;
    };
    const changing = setTimers(ada, 600).catch(() => undefined);
    await until("Ben is told", () => linesOf(ben, "reopened") === 1);
    await cem.say(group, "hidden");
    await until("Ben refuses what is said again", () => {
      return ben.vault.read("conversation", [group])[0]?.["blocked"] === "conversation-stuck";
    });
    ben.cable.onFrame = null;
    expect(replayed).toBeGreaterThan(0);
    expect(linesOf(ben, "reopened")).toBe(1);
    await ben.sees(group, "hidden");
    ada.cable.onRequest = null;
    ada.cable.onFrame = null;
    ada.cable.plug();
    ada.client.retryNow();
    await changing;
    await agree(ada, ben, cem);
  });

  test("doesn't take a removal back on the word of whom it removed", async () => {
    let removal: Extract<GroupEntry, { kind: "commit" }> | null = null;
    let rejections: Extract<GroupEntry, { kind: "reopened" }>["rejections"] | null = null;
    let commitHash = new Uint8Array();
    forge(ben, (entry) => {
      if (entry.kind === "commit") removal ??= entry;
      if (entry.kind !== "application" || removal === null || rejections === null) return entry;
      const { sequence, sender, receivedAtMs } = entry;
      const voided = { epoch: removal.epoch, voids: removal.sequence, commitHash };
      return { kind: "reopened", sequence, sender, receivedAtMs, ...voided, rejections };
    });
    await ada.client.commands["conversation.removeMember"]({
      conversationId: group,
      userId: cem.userId,
    });
    await until("Ben is told that Cem is out", () => linesOf(ben, "removed") > 0);
    const { epoch, sequence, bytes } = removal!;
    commitHash = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
    expect(ben.vault.read("freshCommits", [group]).at(-1)).toMatchObject({ sequence, epoch });
    const place = { conversationId: group, epoch, sequence, commitHash };
    const { signature } = await cem.worker.call("rejection.sign", { place });
    rejections = [{ deviceId: deviceOf(cem), signature }];
    await ada.say(group, "hidden");
    await until("Ben has joined anew", () => linesOf(ben, "rejoined") === 1);
    expect(linesOf(ben, "reopened")).toBe(0);
    expect((await viewOf(ben)).members.map(({ userId }) => userId)).not.toContain(cem.userId);
    ben.cable.onFrame = null;
    await agree(ada, ben);
  });
});

describe("a rejection of former times", () => {
  test("voids nothing later", async () => {
    const reopened: GroupEntry[] = [];
    forge(ada, (entry) => {
      if (entry.kind === "reopened") reopened.push(entry);
      return entry;
    });
    spoilCommits(ada, 1);
    await setTimers(ada, 600);
    await until("Ada has heard", () => linesOf(ada, "reopened") === 1);
    // While she is joining anew the others go on.
    await agree(ada, ben, cem);
    const [old] = reopened;
    if (old?.kind !== "reopened") throw new Error("nothing was reopened");
    let forged = 0;
    forge(ada, (entry) => {
      if (entry.kind !== "application") return entry;
      forged += 1;
      return { ...old, sequence: entry.sequence };
    });
    await ben.say(group, "hidden");
    await until("Ada has joined anew", () => linesOf(ada, "rejoined") === 1);
    expect(forged).toBeGreaterThan(0);
    expect(linesOf(ada, "reopened")).toBe(1);
    ada.cable.onFrame = null;
    await ben.say(group, "in the open");
    await ada.sees(group, "in the open");
    expect((await viewOf(ada)).timers.expirationSeconds).toBe(600);
  });
});

describe("a relay that shows people different logs", () => {
  test("is noticed at the next message on both sides, and said; nobody joins anew without end", async () => {
    shiftLog(ben, headOf(ben) + 1);
    await ada.say(group, "never shown to Ben");
    await cem.sees(group, "never shown to Ben");
    await setTimers(ada, 600);
    await until("Ben has it", async () => (await viewOf(ben)).timers.expirationSeconds === 600);
    await ada.say(group, "who sees what?");
    await until("Ben is in doubt", () => linesOf(ben, "forked") === 1);
    expect((await viewOf(ben)).encryption.doubtful).toBe(true);
    await ben.say(group, "something is wrong");
    await until("Ada is in doubt", () => linesOf(ada, "forked") === 1);
    // Ada has heard from Cem, who sees what she sees; Ben is alone and joins anew, once, since the pauses grow.
    await cem.say(group, "I see it all");
    await until("Ben has joined anew", () => linesOf(ben, "rejoined") === 1);
    await ada.say(group, "still here");
    await ben.sees(group, "still here");
    expect(linesOf(ben, "rejoined")).toBe(1);
  });
});

const headOf = (person: Person) =>
  Number(person.vault.read("conversation", [group])[0]?.["cursor"]);
const deviceOf = (person: Person) => person.client.view.me.deviceId;

/** Shows a person the log without one entry, and what comes behind it a place further up. */
function shiftLog(person: Person, hidden: number): void {
  const down = (sequence: number) => (sequence >= hidden ? sequence - 1 : sequence);
  const move = (entry: GroupEntry): GroupEntry | null => {
    if (entry.sequence === hidden) return null;
    const moved = { ...entry, sequence: down(entry.sequence) };
    return moved.kind === "reopened" ? { ...moved, voids: down(moved.voids) } : moved;
  };
  const reads = new Map<number, number>();
  forge(person, move);
  const { onFrame } = person.cable;
  person.cable.onRequest = (request) => {
    const params = request.params as { afterSequence?: number; sequence?: number };
    if (request.method === "group.read" && (params.afterSequence ?? 0) >= hidden) {
      params.afterSequence = (params.afterSequence ?? 0) + 1;
    }
    if (request.method === "group.acknowledge" && (params.sequence ?? 0) >= hidden) {
      params.sequence = (params.sequence ?? 0) + 1;
    }
    if (request.method.startsWith("group.")) reads.set(request.id, hidden);
    return true;
  };
  person.cable.onFrame = (frame) => {
    const passed = onFrame?.(frame) ?? null;
    if (passed === null || passed instanceof Uint8Array) return passed;
    if (passed.kind !== "response" || !reads.has(passed.id)) return passed;
    const result = passed.result as { headSequence?: number; sequence?: number };
    const moved = { ...result };
    if (moved.headSequence !== undefined) moved.headSequence = down(moved.headSequence);
    if (moved.sequence !== undefined) moved.sequence = down(moved.sequence);
    return { ...passed, result: moved };
  };
}
