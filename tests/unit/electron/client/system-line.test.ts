import { describe, expect, test } from "vitest";
import type { DeviceId, GroupChange, GroupMember, RoomState, UserId } from "#protocol";
import { People } from "../../../../electron/client/views/people.ts";
import {
  decodeLine,
  encodeLine,
  lineView,
  linesOfChange,
  type ChangeContext,
  type StoredLine,
} from "../../../../electron/client/views/system-line.ts";

const [ada, ben, cem] = ["ada-id", "ben-id", "cem-id"] as unknown as [UserId, UserId, UserId];
const at = (userId: UserId, index = 1): GroupMember => ({
  userId,
  deviceId: `${userId}-${String(index)}` as DeviceId,
});
const room: RoomState = {
  kind: "group",
  name: "Crew",
  administrators: [ada],
  timers: { expirationSeconds: 600, burnSeconds: null },
};

function lines(
  change: Partial<GroupChange>,
  context: Partial<ChangeContext> = {},
): readonly StoredLine[] {
  return linesOfChange(
    { committer: at(ada), added: [], removed: [], before: room, after: room, ...change },
    {
      before: new Set([ada, ben]),
      after: new Set([ada, ben]),
      leavers: new Set(),
      first: false,
      ...context,
    },
  );
}

describe("the lines a commit leaves", () => {
  test("a new conversation has one, whoever came in", () => {
    expect(lines({ added: [at(ben), at(cem)] }, { first: true })).toEqual([
      { kind: "created", by: ada },
    ]);
  });

  test("new people are named once, whatever their number of devices", () => {
    expect(lines({ added: [at(cem), at(cem, 2)] })).toEqual([
      { kind: "added", by: ada, people: [cem] },
    ]);
  });

  test("a further device of somebody who is there leaves none", () => {
    expect(lines({ added: [at(ben, 2)] })).toEqual([]);
    expect(lines({ removed: [at(ben, 2)] })).toEqual([]);
  });

  test("who may not be there any more is named with the reason, and a wish to leave comes before it", () => {
    const gone = { before: new Set([ada, ben, cem]), after: new Set([ada]) };
    const removed = [at(ben), at(cem)];
    const excluded = new Map([
      [ben, "suspended"],
      [cem, "revoked"],
    ] as const);
    expect(lines({ removed }, { ...gone, excluded })).toEqual([
      { kind: "suspended", by: ben },
      { kind: "revoked", by: cem },
    ]);
    expect(lines({ removed }, { ...gone, excluded, leavers: new Set([ben]) })).toEqual([
      { kind: "left", by: ben },
      { kind: "revoked", by: cem },
    ]);
    // Another device of theirs stays.
    const stays = { before: new Set([ada, ben]), after: new Set([ada, ben]), excluded };
    expect(lines({ removed: [at(ben, 2)] }, stays)).toEqual([]);
  });

  test("who asked to leave has left; who didn't was removed", () => {
    const gone = { before: new Set([ada, ben, cem]), after: new Set([ada]) };
    expect(lines({ removed: [at(ben), at(cem)] }, { ...gone, leavers: new Set([cem]) })).toEqual([
      { kind: "left", by: cem },
      { kind: "removed", by: ada, people: [ben] },
    ]);
  });

  test("name, timers and roles each have theirs", () => {
    const after: RoomState = {
      ...room,
      name: "Pilots",
      timers: { expirationSeconds: 600, burnSeconds: 30 },
      administrators: [ada, ben],
    };
    expect(lines({ after })).toEqual([
      { kind: "renamed", by: ada, name: "Pilots" },
      { kind: "timers", by: ada, timers: { expirationSeconds: 600, burnSeconds: 30 } },
      { kind: "roles", by: ada, administrators: [ada, ben] },
    ]);
  });

  test("an administrator who goes takes the role along without a further line", () => {
    const before = { ...room, administrators: [ada, ben] };
    expect(lines({ before, removed: [at(ben)] }, { after: new Set([ada]) })).toEqual([
      { kind: "removed", by: ada, people: [ben] },
    ]);
  });

  test("nothing is nothing", () => {
    expect(lines({})).toEqual([]);
  });
});

test("lines come back from the vault, and are shown with present names", () => {
  const stored: readonly StoredLine[] = [
    { kind: "left", by: ada },
    { kind: "added", by: ada, people: [ben] },
    { kind: "renamed", by: ada, name: "Pilots" },
    { kind: "timers", by: ada, timers: room.timers },
    { kind: "roles", by: ada, administrators: [ada] },
  ];
  const people = new People();
  for (const line of stored) {
    const read = decodeLine(encodeLine(line));
    expect(read).toEqual(line);
    expect(lineView(read, people)).toMatchObject({
      kind: line.kind,
      by: { userId: ada, displayName: "ada-id" },
    });
  }
});
