import { expect, test } from "vitest";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import { suiteNames } from "../../crypto/mls/suites.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
} from "../support/mls-device.ts";
import { unsafeRemoveWithoutPath } from "../support/pathless-removal.ts";
import { Seat } from "../support/seat.ts";
import { readMessages } from "./readings.ts";
import { removalKinds } from "./removal-crew.ts";
import { removeMembers } from "./removals.ts";

// From the attacker's seat, with a full copy of what was stored. At length: `npm run test:scenario -- attackers`.

const id = conversationId(1);

async function groupOfFour() {
  const world = createMlsWorld(await loadPrimitives(), { suite: suiteNames.aes128 });
  const people = [0, 1, 2, 3].map(() => new MlsDevice(world));
  const [anna, ben, cora, dora] = people as [MlsDevice, MlsDevice, MlsDevice, MlsDevice];
  await groupOf(id, anna, [ben, cora, dora]);
  return { anna, ben, cora, dora };
}

test("who was removed, in whatever way, opens nothing that comes later, and nobody who belongs there is locked out", async () => {
  const outcomes = await removeMembers(2, 7);
  expect(outcomes.map(({ kind }) => kind)).toEqual(removalKinds);
  for (const { kind, removed, tries, opened, openedByMembers } of outcomes) {
    expect(opened, kind).toBe(0);
    expect(removed, kind).toBeGreaterThanOrEqual(2);
    expect(tries, kind).toBeGreaterThan(removed);
    expect(openedByMembers, kind).toBeGreaterThan(removed);
  }
});

test("a seat with a member who stays follows a removal, and the commits after it", async () => {
  const { anna, ben, cora, dora } = await groupOfFour();
  const [bens, coras] = [await Seat.take(ben, id), await Seat.take(cora, id)];
  for (const [by, wanted] of [
    [anna, { removeDevices: [cora.deviceId] }],
    [dora, {}],
    [anna, {}],
  ] as const) {
    const others = [anna, ben, dora].filter((device) => device !== by);
    const { bytes } = await orderCommit(id, by, wanted, { others });
    for (const seat of [bens, coras]) await seat.attack(bytes);
    const said = await by.seal(id, "for those who are here");
    expect(await bens.opens(said)).toBe(true);
    expect(await coras.opens(said)).toBe(false);
  }
});

test("a removal without a path is broken from the seat of who was removed", async () => {
  const { anna, ben, cora } = await groupOfFour();
  const seat = await Seat.take(cora, id);
  const bytes = await unsafeRemoveWithoutPath(anna, id, cora.deviceId);
  const said = await anna.seal(id, "cora is gone, as anna believes");
  expect(await seat.opens(said)).toBe(false);
  await seat.attack(bytes);
  expect(await seat.opens(said)).toBe(true);
  // No member of ours follows such a commit.
  expect(await ben.open(id, bytes)).toMatchObject({ kind: "refused", code: "commit-refused" });
});

test("a stored state opens no message again that was read, or jumped over", async () => {
  const { tries, opened } = await readMessages(200, 7);
  expect(tries).toBeGreaterThan(200);
  expect(opened).toBe(0);
});
