import { describe, expect, test } from "vitest";
import {
  suiteNames,
  type ConversationId,
  type DeviceId,
  type RoomState,
  type SuiteName,
  type UserId,
} from "#protocol";
import {
  decodeIntent,
  decodeOffer,
  encodeIntent,
  encodeOffer,
  planCommit,
  successorOf,
  type Intent,
  type PlanContext,
} from "../../../../electron/client/conversations/intent.ts";
import type { StoredConversation } from "../../../../electron/client/store/rows.ts";

const [ada, ben, cem, dee] = ["ada", "ben", "cem", "dee"] as unknown as [
  UserId,
  UserId,
  UserId,
  UserId,
];
const device = (name: string) => name as DeviceId;
const devices = new Map<UserId, readonly DeviceId[]>([
  [ada, [device("ada-1"), device("ada-2")]],
  [ben, [device("ben-1")]],
  [cem, [device("cem-1"), device("cem-2")]],
  [dee, []],
]);

function context(
  room: Partial<RoomState> = {},
  rest: Partial<Pick<PlanContext, "me" | "leavers">> = {},
): PlanContext {
  const roomState: RoomState = {
    kind: "group",
    name: "Crew",
    administrators: [ada],
    timers: { expirationSeconds: 600, burnSeconds: null },
    ...room,
  };
  const conversation = {
    conversationId: "AAAAAAAAAAAAAAAAAAAAAA" as ConversationId,
    suite: suiteNames.default,
    roomState,
    members: [
      { userId: ada, deviceId: device("ada-1") },
      { userId: ben, deviceId: device("ben-1") },
    ],
  } as unknown as StoredConversation;
  return {
    conversation,
    me: ada,
    thisDevice: device("ada-1"),
    devicesOf: (userId) => devices.get(userId) ?? [],
    leavers: [],
    refreshedAtMs: 5,
    planDevices: (userId) =>
      userId === cem ? { add: ["cem-2" as DeviceId], remove: ["cem-1" as DeviceId] } : undefined,
    ...rest,
  };
}

describe("what a commit does for an intent", () => {
  test("adding people adds all their devices, and this person's others", () => {
    expect(planCommit({ kind: "add", people: [cem] }, context())).toEqual({
      addDevices: ["cem-1", "cem-2", "ada-2"],
      required: [cem],
      removeDevices: [],
      roomState: null,
    });
  });

  test("adding somebody without any device is still asked for, so that it can fail in words", () => {
    expect(planCommit({ kind: "add", people: [dee] }, context())?.required).toEqual([dee]);
  });

  test("going over to another suite takes everybody along, and waits for who is leaving", () => {
    const there = context();
    const intent = { kind: "suite", suite: suiteNames.cnsa } as const;
    expect(planCommit(intent, there)).toMatchObject({
      addDevices: ["ben-1"],
      reinitTo: suiteNames.cnsa,
    });
    expect(planCommit(intent, { ...there, leavers: [ben] })).toBeUndefined();
    const present = { ...there.conversation, suite: suiteNames.cnsa };
    expect(planCommit(intent, { ...there, conversation: present })).toBeUndefined();
  });

  test("more devices than fit in a frame are refused before any key package is claimed", () => {
    const many = Array.from({ length: 221 }, (_, at) => device(`dee-${String(at)}`));
    const crowd = (suite: SuiteName, count: number) => {
      const there = context();
      const conversation = { ...there.conversation, suite };
      const devicesOf = (id: UserId) => (id === dee ? many.slice(0, count) : there.devicesOf(id));
      return { ...there, conversation, devicesOf };
    };
    const add = { kind: "add", people: [dee] } as const;
    expect(() => planCommit(add, crowd(suiteNames.cnsa, 220))).toThrow(
      expect.objectContaining({ code: "conversation-too-large", data: { most: 219 } }),
    );
    // This person's other device comes along, if there is room.
    expect(planCommit(add, crowd(suiteNames.cnsa, 219))?.addDevices).not.toContain("ada-2");
    expect(planCommit(add, crowd(suiteNames.cnsa, 218))?.addDevices).toContain("ada-2");
    expect(planCommit(add, crowd(suiteNames.default, 221))?.addDevices).toHaveLength(222);
  });

  test("a conversation that is too large for a suite stays in its own", () => {
    const there = context();
    const of = (count: number) => {
      const members = Array.from({ length: count }, (_, at) => ({
        userId: ben,
        deviceId: device(`ben-${String(at)}`),
      }));
      return { ...there, conversation: { ...there.conversation, members } };
    };
    const intent = { kind: "suite", suite: suiteNames.cnsa } as const;
    expect(planCommit(intent, of(400))?.reinitTo).toBe(suiteNames.cnsa);
    expect(planCommit(intent, of(401))).toBeUndefined();
  });

  test("what has come about meanwhile is not done again", () => {
    const done: readonly Intent[] = [
      { kind: "add", people: [ben] },
      { kind: "remove", userId: cem },
      { kind: "rename", name: "Crew" },
      { kind: "timers", timers: { expirationSeconds: 600, burnSeconds: null } },
      { kind: "role", userId: ada, role: "administrator" },
      { kind: "role", userId: ben, role: "member" },
      { kind: "leavers" },
    ];
    const me = context({}, {});
    const alone = {
      ...me,
      devicesOf: (id: UserId) => (id === ada ? [device("ada-1")] : me.devicesOf(id)),
    };
    for (const intent of done) expect(planCommit(intent, alone), intent.kind).toBeUndefined();
  });

  test("removing a person removes all their devices, and their role", () => {
    const both = context({ administrators: [ada, ben] });
    expect(planCommit({ kind: "remove", userId: ben }, both)).toMatchObject({
      removeDevices: ["ben-1"],
      roomState: { administrators: [ada] },
    });
    expect(planCommit({ kind: "remove", userId: ben }, context())?.roomState).toBeNull();
  });

  test("a change of the room keeps what others have changed meanwhile", () => {
    const moved = context({ timers: { expirationSeconds: 5, burnSeconds: 5 } });
    expect(planCommit({ kind: "rename", name: "Pilots" }, moved)?.roomState).toMatchObject({
      name: "Pilots",
      timers: { expirationSeconds: 5, burnSeconds: 5 },
    });
  });

  test("others' wishes to leave need no proposal of ours", () => {
    expect(planCommit({ kind: "leavers" }, context({}, { leavers: [ben] }))).toEqual({
      addDevices: [],
      required: [],
      removeDevices: [],
      roomState: null,
    });
  });

  test("a role that doesn't allow it is told before anything is made", () => {
    const member = context({}, { me: ben });
    for (const intent of [
      { kind: "remove", userId: ada },
      { kind: "timers", timers: { expirationSeconds: 5, burnSeconds: null } },
      { kind: "role", userId: ben, role: "administrator" },
    ] as const) {
      expect(() => planCommit(intent, member), intent.kind).toThrow(
        expect.objectContaining({ code: "not-allowed" }),
      );
    }
    const room = context({ kind: "room" }, { me: ben });
    expect(() => planCommit({ kind: "add", people: [cem] }, room)).toThrow(
      expect.objectContaining({ code: "not-allowed" }),
    );
  });

  test("the last administrator is succeeded by the first who stays", () => {
    const members = [ada, ben, cem].map((userId) => ({ userId, deviceId: device(userId) }));
    const there = context();
    const inGroup = { ...there, conversation: { ...there.conversation, members } };
    const plan = (rest: Partial<PlanContext>) =>
      planCommit({ kind: "succession" }, { ...inGroup, ...rest });
    expect(plan({})?.roomState?.administrators).toEqual([ada, ben]);
    // Whoever is on the way out, or gone, isn't chosen.
    expect(plan({ leavers: [ben] })?.roomState?.administrators).toEqual([ada, cem]);
    const without = { ...there.conversation, members: [members[0]!, members[2]!] };
    expect(plan({ conversation: without })?.roomState?.administrators).toEqual([ada, cem]);
  });

  test("nobody needs to succeed whom another administrator follows, or nobody", () => {
    const needless: readonly PlanContext[] = [
      context({ administrators: [ada, ben] }),
      context({}, { leavers: [ben] }),
      context({ kind: "direct" }),
      // Somebody has taken the role away meanwhile.
      context({}, { me: ben }),
    ];
    for (const each of needless) {
      expect(successorOf(each)).toBeNull();
      expect(planCommit({ kind: "succession" }, each)).toBeUndefined();
    }
  });

  test("nobody removes themselves, and the last administrator stays one", () => {
    expect(() => planCommit({ kind: "remove", userId: ada }, context())).toThrow(
      expect.objectContaining({ code: "not-allowed" }),
    );
    expect(() => planCommit({ kind: "role", userId: ada, role: "member" }, context())).toThrow(
      expect.objectContaining({ code: "not-allowed" }),
    );
    expect(() =>
      planCommit({ kind: "role", userId: cem, role: "administrator" }, context()),
    ).toThrow(expect.objectContaining({ code: "not-found" }));
  });

  test("who is leaving gets no role, gives none up, and can't be the last to have it", () => {
    const there = context({ administrators: [ada, ben] }, { leavers: [ben] });
    for (const role of ["administrator", "member"] as const) {
      expect(() => planCommit({ kind: "role", userId: ben, role }, there)).toThrow(
        expect.objectContaining({ code: "person-leaving" }),
      );
    }
    expect(() => planCommit({ kind: "role", userId: ada, role: "member" }, there)).toThrow(
      expect.objectContaining({ code: "not-allowed", data: { action: "last-administrator" } }),
    );
  });
});

test("intents and offers come back from the vault as they went in", () => {
  const intent: Intent = { kind: "create", people: [ben], groupInfo: new Uint8Array([1, 2]) };
  expect(decodeIntent(encodeIntent(intent))).toEqual(intent);
  const offer = {
    epoch: 3,
    bytes: new Uint8Array([1]),
    welcome: null,
    groupInfo: new Uint8Array([2]),
    add: [device("ben-1")],
    remove: [],
  };
  expect(decodeOffer(encodeOffer(offer))).toEqual(offer);
});

describe("what a commit does for devices and leaves", () => {
  test("a person's devices become what the directory says, and nobody must be reached", () => {
    expect(planCommit({ kind: "devices", userId: cem }, context())).toEqual({
      addDevices: ["cem-2"],
      required: [],
      removeDevices: ["cem-1"],
      roomState: null,
      idleWithoutPackages: false,
    });
    expect(planCommit({ kind: "devices", userId: ben }, context())).toBeUndefined();
  });

  test("a leaf that was renewed meanwhile is left alone", () => {
    const nothing = { addDevices: [], required: [], removeDevices: [], roomState: null };
    expect(planCommit({ kind: "refresh", sinceMs: 5 }, context())).toEqual(nothing);
    expect(planCommit({ kind: "refresh", sinceMs: 4 }, context())).toBeUndefined();
  });
});
