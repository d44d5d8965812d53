import { describe, expect, test } from "vitest";
import { suiteNames } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { conversationId, createMlsWorld, groupOf, MlsDevice } from "../../../support/mls-device.ts";

const primitives = await loadPrimitives();
const id = conversationId(1);

async function groupOfMany(count: number): Promise<readonly MlsDevice[]> {
  const world = createMlsWorld(primitives, { suite: suiteNames.aes128 });
  const devices = Array.from({ length: count }, () => new MlsDevice(world));
  const [first, ...others] = devices as [MlsDevice, ...MlsDevice[]];
  await groupOf(id, first, others);
  return devices;
}

/** One epoch: everybody of `racers` offers a commit, and the relay takes the one of `winner`. */
async function race(
  everybody: readonly MlsDevice[],
  racers: readonly MlsDevice[],
  winner: MlsDevice,
): Promise<void> {
  const commits = new Map<MlsDevice, Uint8Array>();
  for (const racer of racers) commits.set(racer, (await racer.prepare(id)).bytes);
  const won = commits.get(winner)!;
  winner.settle(id, true);
  for (const device of everybody) {
    if (device === winner) continue;
    // First round trip: "stale". Second: the winner's commit, while the own one still waits.
    const outcome = await device.open(id, won);
    expect(outcome.kind).toBe("commit");
    // What lost is void, and comes too late.
    if (device !== racers[0]) continue;
    for (const [loser, bytes] of commits) {
      if (loser === winner || loser === device) continue;
      expect((await device.open(id, bytes)).kind).toBe("stale");
    }
  }
}

function authenticators(devices: readonly MlsDevice[]): ReadonlySet<string> {
  return new Set(devices.map((device) => device.summary(id).epochAuthenticator));
}

describe.each([2, 7, 20])("%i committers at once", (count) => {
  test("one wins, all others are on its epoch, and everybody reads everybody", async () => {
    const devices = await groupOfMany(count);
    const winner = devices[Math.floor(count / 2)]!;
    const epoch = winner.summary(id).epoch;
    await race(devices, devices, winner);
    expect(authenticators(devices).size).toBe(1);
    expect(winner.summary(id).epoch).toBe(epoch + 1);
    for (const sender of [devices[0]!, devices.at(-1)!]) {
      const bytes = await sender.seal(id, "after the race");
      for (const reader of devices) {
        if (reader !== sender) expect(await reader.read(id, bytes)).toBe("after the race");
      }
    }
  }, 30_000);
});

test("each of eight wins once, in as many epochs, the losers committing anew every time", async () => {
  const devices = await groupOfMany(8);
  const left = new Set(devices);
  for (const winner of devices) {
    await race(devices, [...left], winner);
    left.delete(winner);
    expect(authenticators(devices).size).toBe(1);
  }
}, 60_000);

test("a restart between losing and following loses nothing", async () => {
  const devices = await groupOfMany(4);
  const [winner, loser, ...others] = devices as [MlsDevice, MlsDevice, ...MlsDevice[]];
  const { bytes } = await winner.prepare(id);
  await loser.prepare(id);
  winner.settle(id, true);
  loser.restart();
  expect((await loser.open(id, bytes)).kind).toBe("commit");
  for (const other of others) await other.open(id, bytes);
  expect(authenticators(devices).size).toBe(1);
  const anew = await loser.prepare(id);
  loser.settle(id, true);
  for (const device of devices) {
    if (device !== loser) expect((await device.open(id, anew.bytes)).kind).toBe("commit");
  }
  expect(authenticators(devices).size).toBe(1);
});
