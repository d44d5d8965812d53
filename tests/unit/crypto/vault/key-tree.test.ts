import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concatBytes, toHex, type KeyLeaf } from "#protocol";
import { systemRandom } from "../../../../crypto/primitives/index.ts";
import {
  childSeeds,
  KeyTree,
  seedBytes,
  treeDepth,
  type Puncture,
} from "../../../../crypto/vault/key-tree.ts";
import { seededRandom } from "../../../support/seeded.ts";

const lastIndex = 2 ** 24 - 1;
const rootSeed = Uint8Array.from({ length: seedBytes }, (_, at) => at);

function newTree(): KeyTree {
  return KeyTree.create(() => rootSeed.slice());
}

function placeOf({ hour, leaf }: KeyLeaf): bigint {
  return BigInt(hour) * 2n ** 24n + BigInt(leaf);
}

/** The seeds from the root to a leaf, worked out from the root alone. */
function pathOf(leaf: KeyLeaf): readonly Uint8Array[] {
  const path: Uint8Array[] = [rootSeed];
  for (let level = treeDepth - 1; level >= 0; level--) {
    const [left, right] = childSeeds(path.at(-1) ?? rootSeed);
    path.push((placeOf(leaf) >> BigInt(level)) % 2n === 1n ? right : left);
  }
  return path;
}

/** The seed of a leaf as a tree gives it; null when it was destroyed. */
function leafSeed(tree: KeyTree, leaf: KeyLeaf): string | null {
  const covering = tree.covering(leaf);
  if (covering === undefined) return null;
  let { seed } = covering;
  for (let { depth } = covering; depth < treeDepth; depth++) {
    const isRight = (placeOf(leaf) >> BigInt(treeDepth - 1 - depth)) % 2n === 1n;
    seed = childSeeds(seed)[isRight ? 1 : 0];
  }
  return toHex(seed);
}

function punctured(tree: KeyTree, ...punctures: readonly Partial<Puncture>[]): KeyTree {
  return punctures.reduce(
    (before, puncture) => before.puncture({ leaves: [], hoursBefore: null, ...puncture }).tree,
    tree,
  );
}

function seedsIn(tree: KeyTree): ReadonlySet<string> {
  const encoded = tree.encode();
  const first = encoded.length - tree.nodes * seedBytes;
  return new Set(
    Array.from({ length: tree.nodes }, (_, at) =>
      toHex(encoded.slice(first + at * seedBytes, first + (at + 1) * seedBytes)),
    ),
  );
}

// A few leaves that lie beside each other, and some far away, so that schedules meet.
const hourOf = fc.constantFrom(0, 1, 2, 3, 6, 7, 496_000, lastIndex);
const indexOf = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(lastIndex - 1, lastIndex));
const leafArbitrary = fc.record({ hour: hourOf, leaf: indexOf });
const punctureArbitrary = fc.record({
  leaves: fc.array(leafArbitrary, { maxLength: 6 }),
  hoursBefore: fc.option(fc.oneof(hourOf, fc.constant(2 ** 24)), { freq: 4 }),
});

/** The model: a set of destroyed leaves, and an hour. */
class Destroyed {
  readonly #leaves = new Set<bigint>();
  #hoursBefore = 0;

  add({ leaves, hoursBefore }: Puncture): void {
    for (const leaf of leaves) this.#leaves.add(placeOf(leaf));
    this.#hoursBefore = Math.max(this.#hoursBefore, hoursBefore ?? 0);
  }

  has(leaf: KeyLeaf): boolean {
    return leaf.hour < this.#hoursBefore || this.#leaves.has(placeOf(leaf));
  }

  /** How many seeds it takes to cover what is left. */
  get nodes(): number {
    const before = BigInt(this.#hoursBefore) * 2n ** 24n;
    const destroyed = [...this.#leaves].filter((place) => place >= before);
    const cover = (from: bigint, to: bigint, inside: readonly bigint[]): number => {
      if (from >= before && inside.length === 0) return 1;
      if (to <= before || to - from === 1n) return 0;
      const middle = (from + to) / 2n;
      return (
        cover(
          from,
          middle,
          inside.filter((place) => place < middle),
        ) +
        cover(
          middle,
          to,
          inside.filter((place) => place >= middle),
        )
      );
    };
    return cover(0n, 2n ** 48n, destroyed);
  }
}

const everyLeaf: readonly KeyLeaf[] = [0, 1, 2, 3, 4, 6, 7, 496_000, lastIndex].flatMap((hour) =>
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, lastIndex - 1, lastIndex].map((leaf) => ({ hour, leaf })),
);
const wholeTree = new Map(everyLeaf.map((leaf) => [leaf, toHex(pathOf(leaf).at(-1) ?? rootSeed)]));

describe("the key tree", () => {
  test("gives the known keys", () => {
    // Worked out with Python's hmac.
    expect(childSeeds(rootSeed).map(toHex)).toEqual([
      "d8589b676571e3af348d38e549ba4eef5a08eede993d085c8c0f3846287ef1c6",
      "accb85a897027aa8473ce7eff4ad7650bf1ce7decc33b04c34fd183e2894bbf7",
    ]);
    const tree = newTree();
    expect(
      [
        { hour: 0, leaf: 0 },
        { hour: lastIndex, leaf: lastIndex },
        { hour: 496_000, leaf: 0 },
        { hour: 496_000, leaf: 5 },
      ].map((leaf) => leafSeed(tree, leaf)),
    ).toEqual([
      "eec433bf670603757a7b79a8c4d77805a8f2e2baf10dd52d37157f1d56053310",
      "cff6ecf713cb90d3b0c81df93cdef7059502fbf5d10546a7d2c1d52604b19a81",
      "871aaa3b48776a711eca3f78a3131cb3056d76fb2e7b64ae1b8ad6c129b34f46",
      "5ed82511110e445309e293064389395144d0d5cec2774028c167dfdf637b7c51",
    ]);
  });

  test("loses exactly the keys that a set of destroyed leaves names, in as few seeds as can be", () => {
    fc.assert(
      fc.property(fc.array(punctureArbitrary, { maxLength: 8 }), (punctures) => {
        let tree = newTree();
        const destroyed = new Destroyed();
        for (const puncture of punctures) {
          tree = KeyTree.decode(punctured(tree, puncture).encode());
          destroyed.add(puncture);
        }
        for (const leaf of everyLeaf) {
          const expected = destroyed.has(leaf) ? null : wholeTree.get(leaf);
          if (leafSeed(tree, leaf) !== expected) return false;
        }
        return tree.nodes === destroyed.nodes;
      }),
      { numRuns: 100 },
    );
  });

  test("is the same whatever the order, one by one or at once", () => {
    fc.assert(
      fc.property(
        fc.array(punctureArbitrary, { minLength: 1, maxLength: 6 }),
        fc.integer(),
        (punctures, seed) => {
          const random = seededRandom(seed);
          const shuffled = punctures
            .map((puncture) => ({ puncture, at: random.below(2 ** 30) }))
            .sort((a, b) => a.at - b.at)
            .map(({ puncture }) => puncture);
          const hours = punctures.map(({ hoursBefore }) => hoursBefore ?? 0);
          const atOnce = punctured(newTree(), {
            leaves: punctures.flatMap(({ leaves }) => leaves),
            hoursBefore: Math.max(...hours),
          });
          const encoded = toHex(atOnce.encode());
          return (
            toHex(punctured(newTree(), ...punctures).encode()) === encoded &&
            toHex(punctured(newTree(), ...shuffled).encode()) === encoded
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test("holds no seed from which a destroyed key follows", () => {
    fc.assert(
      fc.property(punctureArbitrary, punctureArbitrary, (first, second) => {
        const kept = seedsIn(punctured(newTree(), first, second));
        for (const { leaves } of [first, second]) {
          for (const leaf of leaves) {
            if (pathOf(leaf).some((seed) => kept.has(toHex(seed)))) return false;
          }
        }
        return true;
      }),
      { numRuns: 100 },
    );
  });

  test("tells which seeds a puncture used up and made, and wipes those it made in passing", () => {
    fc.assert(
      fc.property(punctureArbitrary, punctureArbitrary, (first, second) => {
        const before = punctured(newTree(), first);
        const had = seedsIn(before);
        const { tree, gone, made } = before.puncture(second);
        const has = seedsIn(tree);
        const lost = [...had].filter((seed) => !has.has(seed));
        const won = [...has].filter((seed) => !had.has(seed));
        return (
          gone.map(toHex).sort().join() === lost.sort().join() &&
          made.map(toHex).sort().join() === won.sort().join()
        );
      }),
      { numRuns: 100 },
    );
  });

  test("merges what is punctured leaf by leaf, and drops what lies before an hour", () => {
    const leaves = Array.from({ length: 1024 }, (_, leaf) => ({ hour: 5, leaf }));
    const one = punctured(newTree(), { leaves: leaves.slice(0, 1) });
    const all = leaves.reduce((tree, leaf) => punctured(tree, { leaves: [leaf] }), newTree());
    expect(one.nodes).toBe(48);
    expect(all.nodes).toBe(38);
    expect(all.droppedBefore).toBe(0);
    const dropped = punctured(all, { hoursBefore: 6 });
    expect(dropped.droppedBefore).toBe(6);
    expect(dropped.nodes).toBe(22);
    expect(toHex(dropped.encode())).toBe(toHex(punctured(newTree(), { hoursBefore: 6 }).encode()));
  });

  test("stays as it is when there is no hour before the one that is named", () => {
    const { tree, gone, made } = newTree().puncture({ leaves: [], hoursBefore: 0 });
    expect([tree.nodes, gone.length, made.length]).toEqual([1, 0, 0]);
    const leaf = { hour: 3, leaf: 1 };
    const both = punctured(newTree(), { leaves: [leaf], hoursBefore: 0 }).encode();
    expect(toHex(both)).toBe(toHex(punctured(newTree(), { leaves: [leaf] }).encode()));
    expect(KeyTree.decode(both).nodes).toBe(treeDepth);
  });

  test("can be emptied, and then holds nothing", () => {
    const empty = punctured(newTree(), { hoursBefore: 2 ** 24 });
    expect(empty.nodes).toBe(0);
    expect(empty.droppedBefore).toBe(2 ** 24);
    expect(empty.encode()).toEqual(Uint8Array.of(0));
    expect(KeyTree.decode(empty.encode()).covering({ hour: 9, leaf: 9 })).toBeUndefined();
  });

  test("refuses to destroy what isn't a leaf, and has no key for it", () => {
    for (const leaf of [
      { hour: -1, leaf: 0 },
      { hour: 2 ** 24, leaf: 0 },
      { hour: 0, leaf: 2 ** 24 },
      { hour: 0, leaf: 0.5 },
      { hour: Number.NaN, leaf: 0 },
    ]) {
      expect(newTree().covering(leaf)).toBeUndefined();
      expect(() => punctured(newTree(), { leaves: [leaf] })).toThrow(/argument-invalid/u);
    }
    for (const hoursBefore of [-1, 2 ** 24 + 1, 1.5]) {
      expect(() => punctured(newTree(), { hoursBefore })).toThrow(/argument-invalid/u);
    }
  });

  test("leaves the tree before as it was until its seeds are wiped", () => {
    const before = newTree();
    const leaf = { hour: 3, leaf: 4 };
    const { tree, gone } = before.puncture({ leaves: [leaf], hoursBefore: null });
    expect(leafSeed(before, leaf)).toBe(toHex(pathOf(leaf).at(-1) ?? rootSeed));
    for (const seed of gone) seed.fill(0);
    expect(leafSeed(tree, { hour: 3, leaf: 5 })).toBe(
      toHex(pathOf({ hour: 3, leaf: 5 }).at(-1) ?? rootSeed),
    );
    expect(toHex(before.encode())).toBe(`40${"00".repeat(seedBytes)}`);
  });

  test("is all zeros once wiped", () => {
    const tree = punctured(newTree(), { leaves: [{ hour: 1, leaf: 1 }] });
    tree.wipe();
    expect([...seedsIn(tree)]).toEqual(["00".repeat(seedBytes)]);
  });
});

describe("an encoded key tree", () => {
  const seeds = (count: number): Uint8Array => new Uint8Array(count * seedBytes).fill(7);

  test("comes back as it was", () => {
    const tree = punctured(newTree(), { leaves: [{ hour: 496_000, leaf: 3 }] });
    expect(KeyTree.decode(tree.encode()).encode()).toEqual(tree.encode());
  });

  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["a code that means nothing", concatBytes(Uint8Array.of(0b11_000000), seeds(0))],
    ["a branch without children", Uint8Array.of(0b10_000000)],
    ["a branch of two whole children", concatBytes(Uint8Array.of(0b10_01_01_00), seeds(2))],
    ["a branch of two empty children", Uint8Array.of(0b10_00_00_00)],
    ["filling that isn't zero", concatBytes(Uint8Array.of(0b01_000001), seeds(1))],
    ["a byte more of filling", concatBytes(Uint8Array.of(0b01_000000, 0), seeds(1))],
    ["too few seeds", concatBytes(Uint8Array.of(0b10_01_00_00), seeds(0))],
    ["too many seeds", concatBytes(Uint8Array.of(0b10_01_00_00), seeds(2))],
    ["half a seed", concatBytes(Uint8Array.of(0b01_000000), seeds(1).slice(16))],
    ["branches below the leaves", new Uint8Array(20).fill(0b10_10_10_10)],
  ])("is refused: %s", (_, bytes) => {
    expect(() => KeyTree.decode(bytes)).toThrow(
      expect.objectContaining({ code: "vault-damaged" }) as Error,
    );
  });

  test("is either refused or the one encoding of a tree, whatever was changed in it", () => {
    const punctures = {
      leaves: [
        { hour: 496_000, leaf: 3 },
        { hour: 2, leaf: 1 },
      ],
      hoursBefore: 1,
    };
    const whole = punctured(newTree(), punctures);
    const encoded = whole.encode();
    const shapeBytes = encoded.length - whole.nodes * seedBytes;
    const isHonest = (bytes: Uint8Array): boolean => {
      let tree: KeyTree;
      try {
        tree = KeyTree.decode(bytes);
      } catch {
        return true;
      }
      return toHex(tree.encode()) === toHex(bytes);
    };
    for (let size = 0; size < encoded.length; size++) {
      expect(() => KeyTree.decode(encoded.slice(0, size))).toThrow();
    }
    expect(() => KeyTree.decode(concatBytes(encoded, Uint8Array.of(0)))).toThrow();
    for (let bit = 0; bit < (shapeBytes + seedBytes) * 8; bit++) {
      const flipped = encoded.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (!isHonest(flipped)) expect.fail(`bit ${String(bit)}`);
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), isHonest), { numRuns: 2000 });
  });
});

describe("a key tree's size", () => {
  test("stays in bounds after 10,000 punctures, scattered and dense", () => {
    const random = seededRandom(3);
    const firstHour = 496_000;
    const sizeOf = (leaves: readonly KeyLeaf[]) => {
      const tree = punctured(KeyTree.create(systemRandom), { hoursBefore: firstHour, leaves });
      return { nodes: tree.nodes, kiB: Math.round(tree.encode().length / 1024) };
    };
    const dense = Array.from({ length: 10_000 }, (_, leaf) => ({ hour: firstHour, leaf }));
    const scattered = Array.from({ length: 10_000 }, () => ({
      hour: firstHour,
      leaf: random.below(100_000),
    }));
    const overMonth = Array.from({ length: 10_000 }, () => ({
      hour: firstHour + random.below(720),
      leaf: random.below(100),
    }));
    const sizes = {
      dense: sizeOf(dense),
      scattered: sizeOf(scattered),
      overMonth: sizeOf(overMonth),
    };
    expect(sizes.dense.nodes).toBeLessThan(60);
    expect(sizes.scattered.nodes).toBeLessThan(40_000);
    expect(sizes.overMonth.nodes).toBeLessThan(60_000);
    expect(sizes).toMatchInlineSnapshot(`
      {
        "dense": {
          "kiB": 1,
          "nodes": 33,
        },
        "overMonth": {
          "kiB": 1112,
          "nodes": 34894,
        },
        "scattered": {
          "kiB": 828,
          "nodes": 25955,
        },
      }
    `);
  });
});
