import { describe, expect, test } from "vitest";
import {
  roomFor,
  suiteLimits,
  suiteNames,
  type ConversationId,
  type DeviceId,
  type Policy,
  type TrustedPerson,
  type UserId,
} from "#protocol";
import type { Commits } from "../../../../electron/client/conversations/commits.ts";
import type { Intent } from "../../../../electron/client/conversations/intent.ts";
import { Membership, planDevices } from "../../../../electron/client/conversations/membership.ts";
import { Refresher, renewsLeaf } from "../../../../electron/client/conversations/refresher.ts";
import { Changes } from "../../../../electron/client/core/changes.ts";
import type { Core } from "../../../../electron/client/core/core.ts";
import type { StoredConversation } from "../../../../electron/client/store/rows.ts";
import { People } from "../../../../electron/client/views/people.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";

const [ada, ben, cem] = ["ada", "ben", "cem"] as unknown as readonly [UserId, UserId, UserId];
const conversationId = "AAAAAAAAAAAAAAAAAAAAAA" as ConversationId;
const device = (name: string) => name as DeviceId;
const dayMs = 86_400_000;

function person(
  userId: UserId,
  devices: readonly string[],
  rest: Partial<Pick<TrustedPerson, "revoked" | "suspended">> = {},
): TrustedPerson {
  return {
    user: { userId },
    devices: devices.map((deviceId) => ({ deviceId })),
    revoked: [],
    suspended: false,
    ...rest,
  } as unknown as TrustedPerson;
}

/** A client of `me` in one conversation, whose commits do what they were asked for, or fail. */
function client(me: string, members: readonly (readonly [UserId, string])[]) {
  const clock = createFakeClock();
  const people = new People();
  const asked: Intent[] = [];
  const listeners: ((changes: Changes) => void)[] = [];
  const state = {
    conversation: {
      conversationId,
      state: "active",
      blocked: null,
      stale: false,
      suite: suiteNames.default,
      members: members.map(([userId, deviceId]) => ({ userId, deviceId: device(deviceId) })),
    } as unknown as StoredConversation,
    refreshedAtMs: clock.now(),
    online: true,
    failing: false,
    intent: undefined as object | undefined,
  };
  const core = {
    clock,
    people,
    // Of which only the suite matters here, and it is left out.
    policy: {} as Policy,
    time: { now: () => clock.now() },
    random: () => Uint8Array.of(0, 0),
    self: { userId: me.slice(0, 3), deviceId: me },
    closed: false,
    onCommitted: (listener: (changes: Changes) => void) => {
      listeners.push(listener);
      return () => undefined;
    },
    get online() {
      return state.online;
    },
    store: {
      conversations: () => [state.conversation],
      conversation: () => state.conversation,
      leavers: () => [],
      intent: () => state.intent,
      refreshedAtMs: () => state.refreshedAtMs,
    },
  } as unknown as Core;
  const carryOut = (intent: Intent): void => {
    if (intent.kind === "refresh") state.refreshedAtMs = clock.now();
    if (intent.kind === "suite") {
      state.conversation = { ...state.conversation, suite: suiteNames.default };
    }
    if (intent.kind !== "devices") return;
    const plan = planDevices(state.conversation, people, intent.userId);
    const kept = state.conversation.members.filter(
      ({ deviceId }) => plan?.remove.includes(deviceId) !== true,
    );
    const added = (plan?.add ?? []).map((deviceId) => ({ userId: intent.userId, deviceId }));
    state.conversation = { ...state.conversation, members: [...kept, ...added] };
  };
  const commits = {
    run: async (_: ConversationId, intent: Intent) => {
      asked.push(intent);
      if (state.failing) throw new Error("no key packages");
      carryOut(intent);
    },
  } as unknown as Commits;
  /** Somebody has changed the conversation. */
  const changed = (change: Partial<StoredConversation>): void => {
    state.conversation = { ...state.conversation, ...change };
    const changes = new Changes();
    changes.touch(conversationId);
    for (const listener of listeners) listener(changes);
  };
  return { clock, people, asked, state, core, commits, changed };
}

/** So many devices of one person. */
function crowdOf(userId: UserId, count: number): readonly (readonly [UserId, string])[] {
  return Array.from({ length: count }, (_, at) => [userId, `${userId}-${String(at + 1)}`]);
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe("what is to be done about a person's devices", () => {
  const members = [
    { userId: ben, deviceId: device("ben-1") },
    { userId: ben, deviceId: device("ben-2") },
  ];
  const suite = suiteNames.cnsa;
  const plan = (known: TrustedPerson, userId = ben, others = 0) => {
    const people = new People();
    people.put([known]);
    const crowd = crowdOf(ada, others).map(([, name]) => ({ userId: ada, deviceId: device(name) }));
    return planDevices({ members: [...members, ...crowd], suite }, people, userId);
  };

  test("nothing, when leaves and directory agree, or the person isn't in it", () => {
    expect(plan(person(ben, ["ben-1", "ben-2"]))).toBeUndefined();
    expect(plan(person(cem, ["cem-1"]), cem)).toBeUndefined();
    expect(plan(person(cem, ["cem-1"]))).toBeUndefined();
  });

  test("missing ones come in, revoked ones go out, in one", () => {
    const known = person(ben, ["ben-1", "ben-3"], { revoked: [device("ben-2")] });
    expect(plan(known)).toEqual({ add: ["ben-3"], remove: ["ben-2"] });
  });

  test("somebody suspended goes with all, and nothing of theirs comes in", () => {
    const known = person(ben, ["ben-1", "ben-2", "ben-3"], { suspended: true });
    expect(plan(known)).toEqual({ add: [], remove: ["ben-1", "ben-2"] });
  });

  test("no more come in than there is room for, and who must go goes", () => {
    const devices = ["ben-1", "ben-2", "ben-3", "ben-4"];
    const room = (others: number) => roomFor(suite, members.length + others);
    expect([room(434), room(436), room(438)]).toEqual([2, 1, 0]);
    expect(plan(person(ben, devices), ben, 434)).toEqual({ add: ["ben-3", "ben-4"], remove: [] });
    expect(plan(person(ben, devices), ben, 436)).toEqual({ add: ["ben-3"], remove: [] });
    expect(plan(person(ben, devices), ben, 438)).toBeUndefined();
    const known = person(ben, ["ben-1", "ben-3"], { revoked: [device("ben-2")] });
    expect(plan(known, ben, 438)).toEqual({ add: [], remove: ["ben-2"] });
  });
});

describe("members come forward one after another", () => {
  const everybody = [
    [ada, "ada-1"],
    [ben, "ben-1"],
    [cem, "cem-1"],
  ] as const;

  /** After how many seconds a device does it, when nobody else does. */
  async function turnOf(me: string, of: TrustedPerson): Promise<number> {
    const { clock, people, asked, core, commits } = client(me, everybody);
    people.put([person(ada, ["ada-1"]), person(ben, ["ben-1"]), person(cem, ["cem-1"]), of]);
    const membership = new Membership(core, commits);
    membership.audit();
    for (let seconds = 0; seconds < 70; seconds += 1) {
      clock.advance(seconds === 0 ? 0 : 1000);
      await settled();
      if (asked.length > 0) return seconds;
    }
    return Infinity;
  }

  test("to the policy's suite after who must go and before who comes, in the same order", async () => {
    const { clock, people, asked, state, core, commits } = client("ben-1", everybody);
    people.put([person(ada, ["ada-1", "ada-2"]), person(ben, ["ben-1"])]);
    people.put([person(cem, [], { revoked: [device("cem-1")] })]);
    state.conversation = { ...state.conversation, suite: suiteNames.p256 };
    const membership = new Membership(core, commits);
    membership.audit();
    clock.advance(4000);
    await settled();
    expect(asked).toEqual([
      { kind: "devices", userId: cem },
      { kind: "suite", suite: suiteNames.default },
      { kind: "devices", userId: ada },
    ]);
    const later = client("cem-1", everybody);
    later.people.put([person(ada, ["ada-1"]), person(ben, ["ben-1"]), person(cem, ["cem-1"])]);
    later.state.conversation = { ...later.state.conversation, suite: suiteNames.p256 };
    new Membership(later.core, later.commits).audit();
    later.clock.advance(3999);
    await settled();
    expect(later.asked).toEqual([]);
    later.clock.advance(1);
    await settled();
    expect(later.asked).toEqual([{ kind: "suite", suite: suiteNames.default }]);
  });

  test("to no suite for which the conversation is too large, however often it is looked at", async () => {
    const { takenOver } = suiteLimits[suiteNames.default];
    for (const [members, asked] of [
      [crowdOf(ada, takenOver), [{ kind: "suite", suite: suiteNames.default }]],
      [crowdOf(ada, takenOver + 1), []],
    ] as const) {
      const device = client("ada-2", members);
      device.people.put([
        person(
          ada,
          members.map(([, deviceId]) => deviceId),
        ),
      ]);
      device.state.conversation = { ...device.state.conversation, suite: suiteNames.p256 };
      const membership = new Membership(device.core, device.commits);
      for (let look = 0; look < 3; look += 1) {
        membership.audit();
        device.clock.advance(70_000);
        await settled();
      }
      expect(device.asked).toEqual(asked);
    }
  });

  test("for devices that find no room not before somebody has left", async () => {
    const { clock, people, asked, state, core, commits, changed } = client("ada-1", [
      ...crowdOf(ada, 440),
      [ben, "ben-1"],
    ]);
    people.put([person(ada, ["ada-1"]), person(ben, ["ben-1", "ben-2"])]);
    Object.assign(core, { policy: { suite: suiteNames.cnsa } });
    state.conversation = { ...state.conversation, suite: suiteNames.cnsa };
    const membership = new Membership(core, commits);
    membership.audit();
    changed({});
    const { members } = state.conversation;
    changed({ members: members.slice(2) });
    expect(clock.waiting).toBe(0);
    changed({ members: [members[0]!, ...members.slice(4)] });
    clock.advance(60_000);
    await settled();
    expect(asked).toEqual([{ kind: "devices", userId: ben }]);
    expect(state.conversation.members.map(({ deviceId }) => deviceId)).toContain("ben-2");
  });

  test("a person's own device first, the others in an order that all of them know", async () => {
    const bens = person(ben, ["ben-1", "ben-2"]);
    expect(await turnOf("ben-1", bens)).toBe(0);
    expect(await turnOf("ada-1", bens)).toBe(2);
    expect(await turnOf("cem-1", bens)).toBe(4);
  });

  test("who is to go has no turn", async () => {
    const bens = person(ben, ["ben-1"], { suspended: true });
    expect(await turnOf("ben-1", bens)).toBe(Infinity);
    expect(await turnOf("ada-1", bens)).toBe(0);
    expect(await turnOf("cem-1", bens)).toBe(2);
  });

  test("somebody who was faster leaves nothing to do", async () => {
    const { clock, people, asked, state, core, commits } = client("cem-1", everybody);
    people.put([person(ben, ["ben-1", "ben-2"])]);
    new Membership(core, commits).audit();
    const { members } = state.conversation;
    const added = { userId: ben, deviceId: device("ben-2") };
    state.conversation = { ...state.conversation, members: [...members, added] };
    clock.advance(60_000);
    await settled();
    expect(asked).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  test("what failed is tried again, later each time, and not any more once it is done", async () => {
    const { clock, people, asked, state, core, commits } = client("ben-1", everybody);
    people.put([person(ben, ["ben-1", "ben-2"])]);
    state.failing = true;
    new Membership(core, commits).audit();
    for (const [afterMs, times] of [
      [0, 1],
      [4999, 1],
      [1, 2],
      [9999, 2],
      [1, 3],
    ] as const) {
      clock.advance(afterMs);
      await settled();
      expect(asked).toHaveLength(times);
    }
    state.failing = false;
    clock.advance(60 * 60_000);
    await settled();
    expect(asked).toHaveLength(4);
    expect(clock.waiting).toBe(0);
  });
});

describe("a leaf is renewed", () => {
  const two = [
    [ada, "ada-1"],
    [ben, "ben-1"],
  ] as const;

  async function pass(clock: ReturnType<typeof createFakeClock>, ms: number): Promise<void> {
    clock.advance(ms);
    await settled();
  }

  test("every week, while this device stays on line", async () => {
    const { clock, asked, core, commits } = client("ada-1", two);
    new Refresher(core, commits).resume();
    await pass(clock, 7 * dayMs - 1);
    expect(asked).toEqual([]);
    await pass(clock, 1);
    expect(asked).toMatchObject([{ kind: "refresh" }]);
    await pass(clock, 7 * dayMs);
    expect(asked).toHaveLength(2);
  });

  test("soon after a long absence, and never beside a commit that is under way", async () => {
    const { clock, asked, state, core, commits } = client("ada-1", two);
    state.refreshedAtMs = clock.now() - 8 * dayMs;
    state.intent = {};
    new Refresher(core, commits).resume();
    await pass(clock, 5000);
    expect(asked).toEqual([]);
    state.intent = undefined;
    await pass(clock, 10 * 60_000);
    expect(asked).toHaveLength(1);
  });

  test("not where nobody else is, and not once it was closed", async () => {
    const alone = client("ada-1", [[ada, "ada-1"]]);
    new Refresher(alone.core, alone.commits).resume();
    expect(alone.clock.waiting).toBe(0);
    const { clock, core, commits } = client("ada-1", two);
    const refresher = new Refresher(core, commits);
    refresher.resume();
    refresher.close();
    expect(clock.waiting).toBe(0);
  });

  test("by every commit but one that only adds", () => {
    const state = {
      kind: "group",
      name: "Crew",
      administrators: ["AAAAAAAAAAAAAAAAAAAAAA" as UserId],
      timers: { expirationSeconds: 600, burnSeconds: null },
    } as const;
    const member = { userId: ben, deviceId: device("ben-1") };
    const change = { committer: member, added: [], removed: [], before: state, after: state };
    expect(renewsLeaf(change)).toBe(true);
    expect(renewsLeaf({ ...change, added: [member] })).toBe(false);
    expect(renewsLeaf({ ...change, added: [member], removed: [member] })).toBe(true);
    expect(renewsLeaf({ ...change, added: [member], after: { ...state, name: "New" } })).toBe(true);
  });
});
