import { describe, expect, test, vi } from "vitest";
import { decryptSenderData } from "ts-mls/privateMessage.js";
import { ratchetToGeneration } from "ts-mls/secretTree.js";
import type { ReuseGuard } from "ts-mls/sender.js";
import { supportedSuites } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
  privateMessageOf,
} from "../../../support/mls-device.ts";
import { Seat } from "../../../support/seat.ts";

const primitives = await loadPrimitives();
const id = conversationId(1);
const noGuard = new Uint8Array(4) as ReuseGuard;

async function groupOfThree() {
  const world = createMlsWorld(primitives);
  const [anna, ben, cora] = [new MlsDevice(world), new MlsDevice(world), new MlsDevice(world)];
  await groupOf(id, anna, [ben, cora]);
  return { world, anna, ben, cora };
}

describe.each(supportedSuites)("a group of three in %s", (suite) => {
  test("everybody reads everybody, in both directions", async () => {
    const world = createMlsWorld(primitives, { suite });
    const [anna, ben, cora] = [new MlsDevice(world), new MlsDevice(world), new MlsDevice(world)];
    await groupOf(id, anna, [ben, cora]);
    const fromAnna = await anna.seal(id, "hello");
    expect(await ben.read(id, fromAnna)).toBe("hello");
    expect(await cora.read(id, fromAnna)).toBe("hello");
    const fromCora = await cora.seal(id, "hello back");
    expect(await anna.read(id, fromCora)).toBe("hello back");
    expect(await ben.read(id, fromCora)).toBe("hello back");
    expect(ben.summary(id)).toEqual(anna.summary(id));
    expect(cora.summary(id)).toEqual(anna.summary(id));
    expect(anna.summary(id)).toMatchObject({ suite, epoch: 1 });
  });
});

test("a newcomer joins a group in which somebody hasn't renewed their leaf for more than a year", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    const world = {
      ...createMlsWorld(primitives),
      get nowMs() {
        return Date.now();
      },
    };
    const [anna, ben, cora] = [new MlsDevice(world), new MlsDevice(world), new MlsDevice(world)];
    await groupOf(id, anna, [ben]);
    vi.setSystemTime(Date.now() + 400 * 86_400_000);
    const addKeyPackages = [await cora.keyPackage()];
    await orderCommit(id, anna, { addKeyPackages }, { others: [ben], newcomers: [cora] });
    expect(await cora.read(id, await ben.seal(id, "long ago"))).toBe("long ago");
  } finally {
    vi.useRealTimers();
  }
});

describe("messages", () => {
  test("tell the sender and their generation, which counts up", async () => {
    const { anna, ben } = await groupOfThree();
    for (const generation of [0, 1, 2]) {
      const outcome = await ben.open(id, await anna.seal(id, "x"));
      expect(outcome).toMatchObject({
        kind: "application",
        generation,
        sender: { userId: anna.userId, deviceId: anna.deviceId },
      });
    }
  });

  test("that expired unread leave a gap over which reading goes on", async () => {
    const { anna, ben } = await groupOfThree();
    let last = await anna.seal(id, "first");
    for (let at = 0; at < 300; at++) last = await anna.seal(id, String(at));
    expect(await ben.open(id, last)).toMatchObject({ kind: "application", generation: 300 });
  });

  /** As if a member had said so much since that nobody has kept. */
  async function goOnTo(device: MlsDevice, generation: number): Promise<void> {
    const memory = device.memory(id);
    const { secretTree, privatePath, clientConfig } = memory.state;
    const used = await ratchetToGeneration(
      secretTree,
      { leafIndex: privatePath.leafIndex, generation: generation - 1, reuseGuard: noGuard },
      "application",
      { ...clientConfig.keyRetentionConfig, maximumForwardRatchetSteps: Infinity },
      memory.impl,
    );
    device.keep(id, { ...memory, state: { ...memory.state, secretTree: used.newTree } });
  }

  test("are read after 5,001 that expired unread, and after 10,000", async () => {
    const { anna, ben, cora } = await groupOfThree();
    await goOnTo(anna, 5001);
    const late = await anna.seal(id, "still here");
    expect(await ben.open(id, late)).toMatchObject({ kind: "application", generation: 5001 });
    expect(await ben.read(id, await anna.seal(id, "and again"))).toBe("and again");
    await goOnTo(anna, 10_000);
    const last = await anna.seal(id, "the last");
    expect(await cora.open(id, last)).toMatchObject({ kind: "application", generation: 10_000 });
  });

  test("are refused after 10,001, and nothing is lost by it", async () => {
    const { anna, ben, cora } = await groupOfThree();
    await goOnTo(anna, 10_000);
    const near = await anna.seal(id, "near");
    const far = await anna.seal(id, "far");
    const [before, rows] = [ben.memory(id), new Map(ben.rows.get(id))];
    expect(await ben.read(id, far)).toBe("refused: message-unopenable");
    expect(ben.memory(id)).toBe(before);
    expect(ben.rows.get(id)).toEqual(rows);
    // The one before it, those of others, what follows it, and changes of the group.
    expect(await ben.read(id, near)).toBe("near");
    expect(await ben.read(id, far)).toBe("far");
    expect(await cora.read(id, far)).toBe("refused: message-unopenable");
    expect(await cora.read(id, await ben.seal(id, "from Ben"))).toBe("from Ben");
    await orderCommit(id, anna, {}, { others: [ben, cora] });
    expect(await cora.read(id, await anna.seal(id, "anew"))).toBe("anew");
  });

  test("are as long as any other of about their length", async () => {
    const { anna } = await groupOfThree();
    const sizes = await Promise.all(
      ["", "short", "x".repeat(100)].map(async (text) => (await anna.seal(id, text)).length),
    );
    expect(new Set(sizes).size).toBe(1);
    const long = (await anna.seal(id, "x".repeat(10_000))).length;
    expect((await anna.seal(id, "x".repeat(10_100))).length).toBe(long);
  });

  test("of an epoch to come and of one that is over are told apart from forgeries", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const old = await anna.seal(id, "old");
    await orderCommit(id, anna, {}, { others: [ben] });
    const fresh = await anna.seal(id, "new");
    expect(await ben.open(id, old)).toEqual({ kind: "stale", epoch: 1 });
    expect(await cora.open(id, fresh)).toEqual({ kind: "future", epoch: 2 });
    expect(await ben.read(id, fresh)).toBe("new");
  });

  test("are refused, and nothing changes, when any byte is altered or added", async () => {
    const { anna, ben } = await groupOfThree();
    const bytes = await anna.seal(id, "hello");
    const before = ben.memory(id);
    for (let at = 0; at < bytes.length; at += 7) {
      const altered = bytes.slice();
      altered[at] = (altered[at] ?? 0) ^ 0x10;
      const { kind } = await ben.open(id, altered);
      expect(["refused", "future", "stale"]).toContain(kind);
    }
    const longer = new Uint8Array([...bytes, 0]);
    expect(await ben.read(id, longer)).toBe("refused: frame-malformed");
    expect(await ben.read(id, bytes.slice(0, -1))).toBe("refused: frame-malformed");
    expect(await ben.read(id, new Uint8Array(0))).toBe("refused: frame-malformed");
    expect(ben.memory(id)).toBe(before);
    expect(await ben.read(id, bytes)).toBe("hello");
  });

  test("that were read, and our own, are refused when they come again", async () => {
    const { anna, ben } = await groupOfThree();
    const bytes = await anna.seal(id, "once");
    expect(await ben.read(id, bytes)).toBe("once");
    expect(await ben.read(id, bytes)).toBe("refused: message-unopenable");
    expect(await anna.read(id, bytes)).toBe("refused: message-unopenable");
  });

  test("of another group are refused", async () => {
    const { anna, ben } = await groupOfThree();
    const other = conversationId(2);
    await groupOf(other, anna, [ben]);
    expect(await ben.read(other, await anna.seal(id, "x"))).toBe("refused: frame-malformed");
  });
});

describe("members", () => {
  test("who are added read what comes after, not what came before", async () => {
    const { world, anna, ben, cora } = await groupOfThree();
    const dora = new MlsDevice(world);
    const earlier = await anna.seal(id, "before dora");
    await orderCommit(
      id,
      ben,
      { addKeyPackages: [await dora.keyPackage()] },
      { others: [anna, cora], newcomers: [dora] },
    );
    expect(await dora.read(id, earlier)).toBe("stale");
    expect(await dora.read(id, await anna.seal(id, "welcome"))).toBe("welcome");
    expect(await anna.read(id, await dora.seal(id, "thanks"))).toBe("thanks");
  });

  test("who are removed read nothing that comes after", async () => {
    const { anna, ben, cora } = await groupOfThree();
    // From the attacker's seat, and with the same means from that of somebody who stays.
    const [coras, bens] = [await Seat.take(cora, id), await Seat.take(ben, id)];
    const prepared = await anna.prepare(id, { removeDevices: [cora.deviceId] });
    anna.settle(id, true);
    expect(await ben.open(id, prepared.bytes)).toMatchObject({
      kind: "commit",
      change: { removed: [{ userId: cora.userId }] },
    });
    expect(await cora.open(id, prepared.bytes)).toMatchObject({ kind: "removed" });
    expect(cora.has(id)).toBe(false);
    expect(cora.rows.get(id)?.size).toBe(0);

    for (const seat of [coras, bens]) await seat.attack(prepared.bytes);
    const secret = await anna.seal(id, "cora is gone");
    expect(await ben.read(id, secret)).toBe("cora is gone");
    expect(await bens.opens(secret)).toBe(true);
    expect(await coras.opens(secret)).toBe(false);
  });

  test("who were removed can be added again", async () => {
    const { anna, ben, cora } = await groupOfThree();
    await orderCommit(id, anna, { removeDevices: [cora.deviceId] }, { others: [ben, cora] });
    await orderCommit(
      id,
      anna,
      { addKeyPackages: [await cora.keyPackage()] },
      { others: [ben], newcomers: [cora] },
    );
    expect(await cora.read(id, await ben.seal(id, "back"))).toBe("back");
  });

  test("who are in already can't be added a second time", async () => {
    const { anna, ben } = await groupOfThree();
    const again = await ben.keyPackage();
    await expect(anna.prepare(id, { addKeyPackages: [again] })).rejects.toMatchObject({
      code: "commit-refused",
    });
  });

  test("may replace the leaf of a device in one commit", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const wanted = {
      removeDevices: [cora.deviceId],
      addKeyPackages: [await cora.keyPackage()],
    };
    await orderCommit(id, anna, wanted, { others: [ben], newcomers: [cora] });
    expect(await cora.read(id, await ben.seal(id, "new leaf"))).toBe("new leaf");
  });
});

describe("two commits of one epoch", () => {
  test("the loser follows the winner, rebases, and everybody agrees", async () => {
    const { world, anna, ben, cora } = await groupOfThree();
    const dora = new MlsDevice(world);
    const fromAnna = await anna.prepare(id, { removeDevices: [cora.deviceId] });
    const fromBen = await ben.prepare(id, { addKeyPackages: [await dora.keyPackage()] });
    expect(fromAnna.epoch).toBe(fromBen.epoch);

    // The relay orders Ben's. Anna learns that hers lost before she reads it.
    ben.settle(id, true);
    expect(anna.settle(id, false).change).toBeNull();
    await anna.open(id, fromBen.bytes);
    await cora.open(id, fromBen.bytes);
    await dora.join(id, fromBen.welcome ?? new Uint8Array(0));
    expect(anna.summary(id)).toEqual(ben.summary(id));

    await orderCommit(id, anna, { removeDevices: [cora.deviceId] }, { others: [ben, cora, dora] });
    expect(dora.summary(id)).toEqual(anna.summary(id));
    expect(await dora.read(id, await anna.seal(id, "after the race"))).toBe("after the race");
  });

  test("the winner's may be read before ours is settled", async () => {
    const { anna, ben, cora } = await groupOfThree();
    await anna.prepare(id, { removeDevices: [cora.deviceId] });
    const fromBen = await ben.prepare(id);
    ben.settle(id, true);
    expect(await anna.open(id, fromBen.bytes)).toMatchObject({ kind: "commit" });
    expect(anna.rows.get(id)?.has("pending")).toBe(false);
    expect(anna.settle(id, false).change).toBeNull();
    expect(() => anna.settle(id, true)).toThrow(expect.objectContaining({ code: "not-ready" }));
    expect(await ben.read(id, await anna.seal(id, "still here"))).toBe("still here");
  });

  test("messages go on in the old epoch while ours is under way", async () => {
    const { anna, ben } = await groupOfThree();
    const prepared = await anna.prepare(id);
    expect(await ben.read(id, await anna.seal(id, "meanwhile"))).toBe("meanwhile");
    expect(await anna.read(id, await ben.seal(id, "me too"))).toBe("me too");
    anna.settle(id, true);
    await ben.open(id, prepared.bytes);
    expect(await ben.read(id, await anna.seal(id, "and after"))).toBe("and after");
  });

  test("of ours there is never more than one under way", async () => {
    const { anna } = await groupOfThree();
    await anna.prepare(id);
    await expect(anna.prepare(id)).rejects.toMatchObject({ code: "not-ready" });
  });

  test("a refused one doesn't make the next reuse its place in the ratchet", async () => {
    const { anna, ben } = await groupOfThree();
    const generationOf = async ({ bytes }: { readonly bytes: Uint8Array }) => {
      const { keySchedule } = ben.memory(id).state;
      const message = privateMessageOf(bytes);
      const sent = await decryptSenderData(message, keySchedule.senderDataSecret, ben.world.impl);
      return sent?.generation;
    };
    const first = await anna.prepare(id);
    anna.settle(id, false);
    anna.restart();
    const second = await anna.prepare(id);
    expect(await generationOf(first)).toBe(0);
    expect(await generationOf(second)).toBe(1);
    anna.settle(id, true);
    await ben.open(id, second.bytes);
    expect(await ben.read(id, await anna.seal(id, "agreed"))).toBe("agreed");
  });
});

describe("a restart", () => {
  test("at any moment goes on with the next generation, never the same", async () => {
    const { anna, ben } = await groupOfThree();
    const generations: number[] = [];
    for (let at = 0; at < 6; at++) {
      const outcome = await ben.open(id, await anna.seal(id, String(at)));
      if (outcome.kind === "application") generations.push(outcome.generation);
      anna.restart();
      if (at % 2 === 0) ben.restart();
    }
    expect(generations).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("brings a commit under way back, whether it won or lost", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const winner = await anna.prepare(id, { removeDevices: [cora.deviceId] });
    anna.restart();
    expect(anna.settle(id, true).change).toMatchObject({ removed: [{ userId: cora.userId }] });
    await ben.open(id, winner.bytes);
    expect(await ben.read(id, await anna.seal(id, "won"))).toBe("won");

    await anna.prepare(id);
    anna.restart();
    const other = await ben.prepare(id);
    ben.settle(id, true);
    anna.settle(id, false);
    await anna.open(id, other.bytes);
    expect(await ben.read(id, await anna.seal(id, "lost"))).toBe("lost");
  });

  test("finds the sender's leaf whichever it is, and small rows for messages", async () => {
    const world = createMlsWorld(primitives);
    const devices = Array.from({ length: 40 }, () => new MlsDevice(world));
    const [founder, ...others] = devices;
    const last = others.at(-1);
    if (founder === undefined || last === undefined) throw new Error("no devices");
    await groupOf(id, founder, others, { joining: [last] });
    for (const device of [founder, last]) device.restart();
    for (const expected of [["secrets/63", "secrets/71", "secrets/78"], ["secrets/78"]]) {
      const rowsBefore = new Map(founder.rows.get(id));
      expect(await founder.read(id, await last.seal(id, "from the last"))).toBe("from the last");
      const changed = [...(founder.rows.get(id) ?? [])].filter(
        ([name, plain]) => rowsBefore.get(name) !== plain,
      );
      expect(changed.map(([name]) => name)).toEqual(expected);
      expect(changed.at(-1)?.[1].length).toBeLessThan(200);
    }
    expect(summaryMembers(founder)).toHaveLength(40);
  });

  test("refuses rows that are missing or cut", async () => {
    const { anna } = await groupOfThree();
    await anna.seal(id, "expands the secret tree");
    await anna.prepare(id);
    const rows = anna.rows.get(id) ?? new Map<string, Uint8Array>();
    expect(rows.size).toBeGreaterThan(10);
    for (const name of [...rows.keys()]) {
      const row = rows.get(name) ?? new Uint8Array(0);
      for (const damaged of [undefined, row.slice(0, -1), new Uint8Array([...row, 0])]) {
        // Without its first row nothing is under way, and what is left of it isn't looked at.
        if (damaged === undefined && name === "pending") continue;
        if (damaged === undefined) rows.delete(name);
        else rows.set(name, damaged);
        expect(() => {
          anna.restart();
        }).toThrow(expect.objectContaining({ code: "vault-damaged" }));
      }
      rows.set(name, row);
    }
    anna.restart();
  });
});

function summaryMembers(device: MlsDevice) {
  return device.summary(id).members;
}

describe("from the attacker's seat, the stored state", () => {
  test("opens no message again that was read", async () => {
    const { anna, ben } = await groupOfThree();
    const read: Uint8Array[] = [];
    for (let at = 0; at < 20; at++) {
      const bytes = await anna.seal(id, String(at));
      // Every fifth is skipped, as if it had expired on the relay; those keys must be gone as well.
      if (at % 5 !== 4) await ben.open(id, bytes);
      read.push(bytes);
    }
    await ben.open(id, await anna.seal(id, "the last"));
    ben.restart();
    for (const bytes of read) {
      expect(await ben.read(id, bytes)).toBe("refused: message-unopenable");
    }
  });

  test("holds no receiving keys of epochs that are over, not even with a commit under way", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const underWay = await ben.prepare(id);
    const bytes = await anna.seal(id, "read while pending");
    expect(await ben.read(id, bytes)).toBe("read while pending");
    ben.restart();
    expect(await ben.read(id, bytes)).toBe("refused: message-unopenable");
    ben.settle(id, true);
    for (const other of [anna, cora]) await other.open(id, underWay.bytes);
    expect(ben.memory(id).state.historicalReceiverData.size).toBe(0);
    expect(cora.memory(id).state.historicalReceiverData.size).toBe(0);
  });

  test("doesn't contain this device's signature key", async () => {
    const { anna } = await groupOfThree();
    await anna.prepare(id);
    const key = Buffer.from(anna.own.signaturePrivateKey);
    for (const row of anna.rows.get(id)?.values() ?? []) {
      expect(Buffer.from(row).includes(key)).toBe(false);
    }
  });
});
