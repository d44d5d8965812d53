import { describe, expect, test } from "vitest";
import { groupInfoOf } from "../../../../crypto/mls/group-begin.ts";
import { placeOfGroup } from "../../../../crypto/mls/group-id.ts";
import { proposeLeave } from "../../../../crypto/mls/group-messages.ts";
import { suiteNames, type SuiteName } from "../../../../crypto/mls/suites.ts";
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
const { aes128, p256 } = suiteNames;

async function groupOfThree(suite: SuiteName = aes128) {
  const world = createMlsWorld(primitives, { suite });
  const [anna, ben, cora] = [new MlsDevice(world), new MlsDevice(world), new MlsDevice(world)];
  await groupOf(id, anna, [ben, cora]);
  return { world, anna, ben, cora };
}

async function everybodyReads(devices: readonly MlsDevice[]): Promise<void> {
  for (const sender of devices) {
    const bytes = await sender.seal(id, "hello");
    for (const reader of devices) {
      if (reader !== sender) expect(await reader.read(id, bytes)).toBe("hello");
    }
  }
  expect(new Set(devices.map((device) => device.summary(id).epochAuthenticator)).size).toBe(1);
}

/** `leader` takes the conversation over to `suite`, and everybody follows. */
async function goOver(leader: MlsDevice, others: readonly MlsDevice[], suite: SuiteName) {
  const { bytes } = await leader.prepareReinit(id, suite, others);
  for (const other of others) {
    expect(await other.open(id, bytes)).toMatchObject({ kind: "reinit" });
    expect(await other.openReinit(id, bytes, suite)).toMatchObject({
      kind: "commit",
      change: { committer: { deviceId: leader.deviceId }, added: [], removed: [] },
    });
  }
  leader.settle(id, true);
  return bytes;
}

describe.each([
  [suiteNames.default, suiteNames.cnsa],
  [suiteNames.p256, suiteNames.default],
  [suiteNames.aes128, suiteNames.x448ChaCha20],
] as const)("from %s to %s", (from, to) => {
  test("a conversation goes on with the same id, people, state and epochs", async () => {
    const { anna, ben, cora } = await groupOfThree(from);
    const before = anna.summary(id);
    const late = await anna.seal(id, "too late");
    // Not the administrator: it is the policy that chooses.
    await goOver(ben, [anna, cora], to);
    await everybodyReads([anna, ben, cora]);
    const after = anna.summary(id);
    const { conversationId: same, roomState, epoch } = before;
    expect(after).toMatchObject({ conversationId: same, roomState, suite: to, epoch: epoch + 1 });
    const devices = ({ members }: typeof after) => members.map(({ deviceId }) => deviceId);
    expect(devices(after).toSorted()).toEqual(devices(before).toSorted());
    expect(await cora.read(id, late)).toBe("stale");
    for (const device of [anna, ben, cora]) device.restart();
    await orderCommit(id, anna, {}, { others: [ben, cora] });
    await everybodyReads([anna, ben, cora]);
  });
});

describe("after it", () => {
  test("people come, go, and come back by external commit", async () => {
    const { world, anna, ben, cora } = await groupOfThree();
    await goOver(anna, [ben, cora], p256);
    const dora = new MlsDevice(world);
    const addKeyPackages = [await dora.keyPackage(world.nowMs, dora.inSuite(p256))];
    await orderCommit(id, anna, { removeDevices: [cora.deviceId] }, { others: [ben, cora] });
    await orderCommit(id, anna, { addKeyPackages }, { others: [ben], newcomers: [dora] });
    expect(dora.summary(id)).toMatchObject({ conversationId: id, suite: p256, epoch: 4 });
    const { impl, state } = anna.memory(id);
    const back = await ben.rejoin(id, await groupInfoOf(impl, state));
    expect(back.epoch).toBe(4);
    for (const other of [anna, dora]) {
      expect(await other.open(id, back.bytes)).toMatchObject({ kind: "commit" });
    }
    ben.settle(id, true);
    await everybodyReads([anna, ben, dora]);
    expect(anna.summary(id).epoch).toBe(5);
  });

  test("it can go over again, and the epochs count on", async () => {
    const { anna, ben, cora } = await groupOfThree();
    await goOver(anna, [ben, cora], p256);
    await orderCommit(id, cora, {}, { others: [anna, ben] });
    await goOver(ben, [anna, cora], aes128);
    await everybodyReads([anna, ben, cora]);
    expect(anna.summary(id)).toMatchObject({ conversationId: id, suite: aes128, epoch: 4 });
    const { groupId, epoch } = anna.memory(id).state.groupContext;
    expect(placeOfGroup(groupId)).toEqual({ conversationId: id, baseEpoch: 3 });
    expect(epoch).toBe(1n);
  });

  test("nobody opens what comes of the group that was ended", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const behind = cora.memory(id);
    const bytes = await goOver(anna, [ben, cora], p256);
    cora.keep(id, behind);
    // Of the same epoch, by who hadn't heard of it; and of the epoch that the ended group would have come to.
    expect(await anna.read(id, await cora.seal(id, "still here"))).toBe("stale");
    const other = await cora.prepare(id);
    cora.settle(id, true);
    expect(await anna.read(id, await cora.seal(id, "a fork"))).toBe("refused: frame-malformed");
    expect(await anna.read(id, other.bytes)).toBe("stale");
    expect(await ben.openReinit(id, bytes, p256)).toMatchObject({ kind: "stale" });
  });

  test("nothing is left of the group before, in memory or in rows", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const before = [anna, ben].map((device) => device.memory(id).state);
    const secrets = before.flatMap(({ keySchedule, privatePath }) => [
      ...Object.values({ ...keySchedule }),
      ...Object.values(privatePath.privateKeys),
    ]);
    const copies = secrets.map((secret) => Buffer.from(secret).toString("hex"));
    await goOver(anna, [ben, cora], p256);
    expect(secrets.flatMap((secret) => [...secret]).some((byte) => byte !== 0)).toBe(false);
    for (const device of [anna, ben]) {
      const rows = [...(device.rows.get(id) ?? new Map<string, Uint8Array>())];
      expect(rows.filter(([name]) => name.startsWith("pending"))).toEqual([]);
      const stored = rows.map(([, plain]) => Buffer.from(plain).toString("hex")).join();
      expect(copies.filter((copy) => stored.includes(copy))).toEqual([]);
    }
  });
});

describe("while the relay hasn't ordered it", () => {
  test("its maker goes on in the old group, through restarts, until it wins", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const { bytes } = await anna.prepareReinit(id, p256, [ben, cora]);
    anna.restart();
    expect(await anna.read(id, await ben.seal(id, "meanwhile"))).toBe("meanwhile");
    expect(await ben.read(id, await anna.seal(id, "yes"))).toBe("yes");
    anna.restart();
    anna.settle(id, true);
    anna.restart();
    for (const other of [ben, cora]) await other.openReinit(id, bytes, p256);
    await everybodyReads([anna, ben, cora]);
    expect(anna.summary(id)).toMatchObject({ suite: p256, epoch: 2 });
  });

  test("the loser of two follows the winner", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const won = await anna.prepareReinit(id, p256, [ben, cora]);
    await ben.prepareReinit(id, p256, [anna, cora]);
    anna.settle(id, true);
    for (const other of [ben, cora]) {
      expect(await other.openReinit(id, won.bytes, p256)).toMatchObject({ kind: "commit" });
    }
    await everybodyReads([anna, ben, cora]);
    ben.restart();
    await orderCommit(id, ben, {}, { others: [anna, cora] });
  });

  test("it loses to another commit without a trace, and is made anew", async () => {
    const { anna, ben, cora } = await groupOfThree();
    await anna.prepareReinit(id, p256, [ben, cora]);
    await orderCommit(id, ben, {}, { others: [anna, cora] });
    anna.restart();
    await goOver(anna, [ben, cora], p256);
    await everybodyReads([anna, ben, cora]);
    await cora.prepareReinit(id, aes128, [anna, ben]);
    cora.settle(id, false);
    cora.restart();
    await everybodyReads([anna, ben, cora]);
  });

  test("nobody asks to leave and is taken along", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const { memory, entries } = await proposeLeave(cora.memory(id));
    cora.keep(id, memory);
    for (const other of [anna, ben]) {
      for (const bytes of entries) await other.open(id, bytes);
    }
    await expect(anna.prepareReinit(id, p256, [ben, cora])).rejects.toMatchObject({
      code: "commit-refused",
    });
    await orderCommit(id, anna, {}, { others: [ben, cora] });
    await goOver(anna, [ben], p256);
    await everybodyReads([anna, ben]);
  });

  test("nobody is left behind, and nobody comes in", async () => {
    const { world, anna, ben, cora } = await groupOfThree();
    const before = anna.memory(id);
    const dora = new MlsDevice(world);
    for (const others of [[ben], [ben, cora, dora], [ben, dora], []]) {
      await expect(anna.prepareReinit(id, p256, others)).rejects.toMatchObject({
        code: "commit-refused",
      });
    }
    expect(anna.memory(id)).toBe(before);
    await everybodyReads([anna, ben, cora]);
  });

  test("a person who is alone can, too", async () => {
    const world = createMlsWorld(primitives, { suite: aes128 });
    const anna = new MlsDevice(world);
    await groupOf(id, anna, []);
    await anna.prepareReinit(id, p256, []);
    anna.restart();
    anna.settle(id, true);
    expect(anna.summary(id)).toMatchObject({ suite: p256, epoch: 1 });
  });
});
