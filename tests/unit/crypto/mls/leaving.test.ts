import { beforeEach, expect, test } from "vitest";
import { createProposal } from "ts-mls";
import { encodePrivateMessage } from "../../../../crypto/mls/codec.ts";
import { proposeLeave } from "../../../../crypto/mls/group-messages.ts";
import { suiteNames } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
} from "../../../support/mls-device.ts";

const primitives = await loadPrimitives();
const id = conversationId(1);

/** Anna has two devices. */
let laptop: MlsDevice;
let tablet: MlsDevice;
let ben: MlsDevice;

beforeEach(async () => {
  const world = createMlsWorld(primitives, { suite: suiteNames.aes128 });
  ben = new MlsDevice(world);
  laptop = new MlsDevice(world);
  tablet = new MlsDevice(world, laptop.userId);
  await groupOf(id, ben, [laptop, tablet]);
});

async function wish(device: MlsDevice): Promise<readonly Uint8Array[]> {
  const { memory, entries } = await proposeLeave(device.memory(id));
  device.keep(id, memory);
  return entries;
}

/** The log gives somebody's wish to others. */
async function hear(entries: readonly Uint8Array[], ...others: readonly MlsDevice[]) {
  for (const entry of entries) {
    for (const other of others) {
      expect(await other.open(id, entry)).toMatchObject({ kind: "leave-proposed" });
    }
  }
}

/** Both of Anna's devices ask before they hear of each other; the laptop's wish comes first. */
async function bothAsk(): Promise<void> {
  const [first, second] = [await wish(laptop), await wish(tablet)];
  expect([first, second].map(({ length }) => length)).toEqual([2, 2]);
  await hear(first, tablet, ben);
  await hear(second, laptop, ben);
  for (const device of [laptop, tablet, ben]) device.restart();
}

test("two devices of one person ask at once: both follow the commit", async () => {
  await bothAsk();
  const { removed } = await orderCommit(id, ben, {}, { others: [laptop, tablet] });
  expect(removed).toHaveLength(2);
  for (const device of [laptop, tablet]) expect(device.has(id)).toBe(false);
  expect(ben.summary(id).members).toHaveLength(1);
});

test("all ask: whoever commits takes the others out, each once, and is alone", async () => {
  await bothAsk();
  await hear(await wish(ben), laptop, tablet);
  const { removed } = await orderCommit(id, tablet, {}, { others: [laptop, ben] });
  const gone = [laptop, ben].map(({ deviceId }) => deviceId);
  expect(removed.map(({ deviceId }) => deviceId).toSorted()).toEqual(gone.toSorted());
  for (const device of [laptop, ben]) expect(device.has(id)).toBe(false);
  expect(tablet.summary(id).members).toEqual([
    { userId: tablet.userId, deviceId: tablet.deviceId },
  ]);
});

test("whose commit lost the epoch follows the other one, and asks again where that didn't take it out", async () => {
  await hear(await wish(laptop), tablet, ben);
  await hear(await wish(ben), laptop, tablet);
  const lost = await ben.prepare(id);
  expect(lost.removed).toHaveLength(2);
  await orderCommit(id, laptop, {}, { others: [ben, tablet] });
  for (const device of [ben, tablet]) expect(device.has(id)).toBe(false);
  // Of its own wish nothing is left in the next epoch.
  expect(await wish(laptop)).toHaveLength(1);
});

test("a device says it again, in other words: it is noted once", async () => {
  await hear(await wish(tablet), ben);
  const { impl, state } = tablet.memory(id);
  const remove = { removed: state.privatePath.leafIndex };
  const again = await createProposal(
    state,
    false,
    { proposalType: "remove", remove },
    impl,
    new Uint8Array([1]),
  );
  if (again.message.wireformat !== "mls_private_message") throw new Error("not a private message");
  await hear([encodePrivateMessage(again.message.privateMessage)], ben);
  expect(Object.keys(ben.memory(id).state.unappliedProposals)).toHaveLength(2);
  const { removed } = await orderCommit(id, ben, {}, { others: [tablet] });
  expect(removed).toHaveLength(2);
});
