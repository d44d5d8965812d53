import { beforeAll, describe, expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import { sealApplication } from "../../../../crypto/mls/group-messages.ts";
import type { GroupMemory } from "../../../../crypto/mls/memory.ts";
import { changedPieces } from "../../../../crypto/mls/pieces.ts";
import { suiteNames } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
} from "../../../support/mls-device.ts";
import { seededRandom } from "../../../support/seeded.ts";

const primitives = await loadPrimitives();
const id = conversationId(1);
const noData = new Uint8Array(0);

function createWorld() {
  return createMlsWorld(primitives, { suite: suiteNames.aes128 });
}

/** What going from one to the other writes. */
function written(before: GroupMemory, after: GroupMemory) {
  const rows = changedPieces(before, after);
  const bytes = rows.reduce((sum, { plain }) => sum + (plain?.length ?? 0), 0);
  return { bytes, names: rows.map(({ name }) => name) };
}

/** Members in a group of `size`, of which only the founder and the last are there. */
async function groupOfSize(size: number) {
  const world = createWorld();
  const founder = new MlsDevice(world);
  const others = Array.from({ length: size - 1 }, () => new MlsDevice(world));
  const last = others.at(-1) ?? founder;
  await groupOf(id, founder, others, { joining: [last] });
  return { founder, last };
}

/** Has `device` do something, and tells what that wrote. */
async function writing(device: MlsDevice, act: () => Promise<unknown>) {
  const before = device.memory(id);
  await act();
  return written(before, device.memory(id));
}

describe("what is written, by the size of the group", () => {
  const sizes = [2, 50, 500, 1000];
  const groups = new Map<number, Awaited<ReturnType<typeof groupOfSize>>>();
  beforeAll(async () => {
    for (const size of sizes) groups.set(size, await groupOfSize(size));
  }, 120_000);

  function groupAt(size: number) {
    const group = groups.get(size);
    if (group === undefined) throw new Error("no such group");
    return group;
  }

  test("a message costs the same bytes in every group, and only its sender's ratchets", async () => {
    const costs = new Set<number>();
    for (const size of sizes) {
      const { founder, last } = groupAt(size);
      // Once, an epoch's first message of a sender also writes how far the secret tree is expanded.
      let bytes = await last.seal(id, "first");
      const first = await writing(founder, () => founder.read(id, bytes));
      expect(first.bytes).toBeLessThan(160 * Math.ceil(Math.log2(size)) + 200);
      for (let at = 0; at < 3; at++) {
        const sealed = await writing(last, async () => (bytes = await last.seal(id, "again")));
        const opened = await writing(founder, () => founder.read(id, bytes));
        expect([sealed.names, opened.names]).toEqual(
          [1, 2].map(() => [`secrets/${String(2 * (size - 1))}`]),
        );
        costs.add(sealed.bytes).add(opened.bytes);
      }
    }
    expect(costs.size).toBe(1);
    expect([...costs][0]).toBeLessThan(120);
  });

  test("a commit costs the logarithm of it", async () => {
    const bytes: number[] = [];
    for (const size of sizes) {
      const { founder, last } = groupAt(size);
      // The first one fills the founder's path; whoever joined can't follow it without having its place in it written anew.
      await orderCommit(id, founder, {}, { others: [last] });
      const before = last.memory(id);
      const prepared = await founder.prepare(id);
      founder.settle(id, true);
      await last.open(id, prepared.bytes);
      const cost = written(before, last.memory(id));
      const levels = Math.ceil(Math.log2(size));
      const treeRows = cost.names.filter((name) => name.startsWith("tree/"));
      expect(treeRows.length).toBeLessThanOrEqual(Math.floor(levels / 2) + 1);
      bytes.push(cost.bytes);
    }
    // Twice the members five hundred times over: ten levels in place of one, at most six rows of three nodes.
    expect(Math.max(...bytes)).toBeLessThan(4 * Math.min(...bytes));
  });

  test("a commit under way costs no more than that", async () => {
    const { founder } = groupAt(1000);
    const cost = await writing(founder, () => founder.prepare(id));
    expect(cost.names).toContain("pending/epoch");
    expect(cost.bytes).toBeLessThan(8000);
    founder.settle(id, false);
    expect(
      [...(founder.rows.get(id)?.keys() ?? [])].filter((name) => name.includes("pending")),
    ).toEqual([]);
  });

  test("rows that changed are enough: a device that reads them again is the same", async () => {
    const { founder, last } = groupAt(500);
    for (const device of [founder, last]) device.restart();
    expect(founder.summary(id)).toEqual(last.summary(id));
    expect(await last.read(id, await founder.seal(id, "from rows"))).toBe("from rows");
    await orderCommit(id, founder, {}, { others: [last] });
    last.restart();
    expect(await founder.read(id, await last.seal(id, "and back"))).toBe("and back");
  });
});

describe("a device that is killed", () => {
  /** A step is answered by the worker, then its rows are committed, then it is sent; it is killed after any of the three. */
  const moments = ["answered", "committed", "sent"] as const;

  test.each([1, 2, 3, 4])("reuses no nonce and loses no key, seed %i", async (seed) => {
    const random = seededRandom(seed);
    const world = createWorld();
    const [anna, ben] = [new MlsDevice(world), new MlsDevice(world)];
    await groupOf(id, anna, [ben]);
    const sentAt = new Map<string, string>();
    for (let step = 0; step < 25; step++) {
      const sender = random.pick([anna, ben]);
      const receiver = sender === anna ? ben : anna;
      const moment = random.pick(moments);
      if (random.below(4) === 0) await commitAndKill(sender, receiver, moment);
      else await sayAndKill(sender, receiver, moment);
    }
    expect(anna.summary(id)).toEqual(ben.summary(id));

    async function sayAndKill(from: MlsDevice, to: MlsDevice, moment: (typeof moments)[number]) {
      const text = `message ${String(sentAt.size)}`;
      const plain = new TextEncoder().encode(text);
      const sealed = await sealApplication(from.memory(id), plain, noData);
      if (moment === "answered") {
        from.restart();
        return;
      }
      from.keep(id, sealed.memory);
      from.restart();
      if (moment === "committed") return;
      // What has left a device has a generation to itself.
      const place = `${from.deviceId} ${String(sealed.epoch)} ${String(sealed.generation)}`;
      expect(sentAt.has(place)).toBe(false);
      sentAt.set(place, text);
      to.restart();
      expect(await to.read(id, sealed.bytes)).toBe(text);
      to.restart();
      expect(await to.read(id, sealed.bytes)).toBe("refused: message-unopenable");
    }

    async function commitAndKill(from: MlsDevice, to: MlsDevice, moment: (typeof moments)[number]) {
      const prepared = await from.prepare(id);
      from.restart();
      // Nothing left the device: nobody has seen it, so it has lost.
      if (moment !== "sent") {
        from.settle(id, false);
        return;
      }
      expect(await to.open(id, prepared.bytes)).toMatchObject({ kind: "commit" });
      to.restart();
      from.settle(id, true);
      from.restart();
    }
  });
});

describe("from the attacker's seat, the rows", () => {
  test("hold no secret above a leaf that has been read from, in a tree of any depth", async () => {
    const { founder, last } = await groupOfSize(70);
    const read: Uint8Array[] = [];
    for (let at = 0; at < 3; at++) read.push(await last.seal(id, String(at)));
    const stolenBefore = snapshot(founder, id);
    for (const bytes of read) await founder.read(id, bytes);
    const stolenAfter = snapshot(founder, id);

    for (const [stolen, opens] of [
      [stolenBefore, true],
      [stolenAfter, false],
    ] as const) {
      founder.rows.set(id, new Map(stolen));
      founder.restart();
      for (const bytes of read) {
        const text = await founder.read(id, bytes);
        expect(text.startsWith("refused")).toBe(!opens);
      }
    }
  });

  test("of an epoch that is over hold none of its rows", async () => {
    const { founder, last } = await groupOfSize(70);
    await founder.read(id, await last.seal(id, "expands the tree"));
    const secrets = () =>
      [...(founder.rows.get(id)?.keys() ?? [])].filter((name) => name.startsWith("secrets/"));
    expect(secrets().length).toBeGreaterThan(1);
    await orderCommit(id, founder, {}, { others: [last] });
    // The root of the new tree alone.
    expect(secrets()).toEqual(["secrets/127"]);
  });

  function snapshot(device: MlsDevice, conversation: ConversationId): Map<string, Uint8Array> {
    return new Map(
      [...(device.rows.get(conversation) ?? [])].map(([name, plain]) => [name, plain.slice()]),
    );
  }
});
