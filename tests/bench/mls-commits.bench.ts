import { encodeKeyPackage, decodeWelcome } from "../../crypto/mls/codec.ts";
import { createTrustGate } from "../../crypto/mls/client-config.ts";
import { joinByWelcome } from "../../crypto/mls/group-begin.ts";
import { prepareCommit, settleCommit, type WantedChanges } from "../../crypto/mls/group-commit.ts";
import { openEntry } from "../../crypto/mls/group-messages.ts";
import { createKeyPackage } from "../../crypto/mls/key-packages.ts";
import type { GroupMemory } from "../../crypto/mls/memory.ts";
import { changedPieces, readPieces } from "../../crypto/mls/pieces.ts";
import { suiteNames, type SuiteName } from "../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import { conversationId, createMlsWorld, MlsDevice } from "../support/mls-device.ts";
import { filledGroup } from "./filled-group.ts";

/*
 * Commits by the size of the group: means of the thread's processor time, which a busy machine doesn't stretch, in a tree without blank
 * nodes, and what they write. With the growth per doubling
 * of the members: 1.0 would be no growth, 2.0 is linear.
 */

const sizes: Readonly<Record<string, readonly number[]>> = {
  [suiteNames.aes128]: [10, 100, 500, 1000],
  [suiteNames.default]: [10, 100, 500],
};
const id = conversationId(1);
const primitives = await loadPrimitives();

type Figures = Map<string, number[]>;

function note(figures: Figures, what: string, value: number): void {
  figures.set(what, [...(figures.get(what) ?? []), value]);
}

/** Processor time is counted in ticks: only the mean of several says something of what is short. The first two rounds warm up. */
function figureOf(what: string, values: readonly number[]): number {
  if (what.endsWith("ms")) {
    const warm = values.slice(2);
    return warm.reduce((sum, value) => sum + value, 0) / warm.length;
  }
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? NaN;
}

async function timed<Result>(
  figures: Figures,
  what: string,
  run: () => Promise<Result> | Result,
): Promise<Result> {
  const begin = process.threadCpuUsage();
  const result = await run();
  const { user, system } = process.threadCpuUsage(begin);
  note(figures, `${what}, ms`, (user + system) / 1000);
  return result;
}

function noteBytes(figures: Figures, what: string, step: readonly GroupMemory[]): void {
  const [before, after] = step;
  let bytes = 0;
  for (const { plain } of changedPieces(before ?? null, after ?? null)) bytes += plain?.length ?? 0;
  note(figures, `${what}, bytes written`, bytes);
}

async function measure(suite: SuiteName, members: number): Promise<Figures> {
  const figures: Figures = new Map();
  const world = createMlsWorld(primitives, { suite });
  const { impl, nowMs } = world;
  let { founder, last } = await filledGroup(world, id, members);

  const commit = async (what: string, wanted: Partial<WantedChanges>) => {
    const prepared = await timed(figures, `${what}: make`, () =>
      prepareCommit(founder, { ...world.nothing, ...wanted }, nowMs),
    );
    const settled = settleCommit(prepared.memory, true).memory;
    if (settled === null) throw new Error("nothing was under way");
    const [before, waiting] = [founder, prepared.memory];
    noteBytes(figures, `${what}: make`, [before, waiting]);
    const opened = await timed(figures, `${what}: process`, () =>
      openEntry(last, id, prepared.bytes),
    );
    if (opened.kind !== "commit") throw new Error(opened.kind);
    noteBytes(figures, `${what}: process`, [last, opened.memory]);
    founder = settled;
    last = opened.memory;
    return prepared;
  };

  for (let round = 0; round < (members > 100 ? 12 : 30); round++) {
    await commit("empty commit", {});
    const newcomer = new MlsDevice(world);
    const own = await createKeyPackage(impl, newcomer.own, { nowMs, lastResort: false });
    const { welcome } = await commit("add 1", {
      addKeyPackages: [encodeKeyPackage(own.keyPackage)],
    });
    const gate = createTrustGate(world.trust);
    const context = { impl, gate, device: newcomer.own, nowMs };
    const joined = await timed(figures, "join", () =>
      joinByWelcome(context, decodeWelcome(welcome ?? new Uint8Array(0)), own, id),
    );
    if (joined.kind !== "joined") throw new Error(joined.kind);
    await commit("remove 1", { removeDevices: [newcomer.deviceId] });

    const rows = await timed(figures, "whole state: encode", () => changedPieces(null, last));
    const plains = new Map(
      rows.map(({ name, plain }) => [name, plain ?? new Uint8Array(0)] as const),
    );
    const bytes = [...plains.values()].reduce((sum, { length }) => sum + length, 0);
    note(figures, "whole state, bytes", bytes);
    await timed(figures, "whole state: load", () =>
      readPieces(plains, () => last.state.signaturePrivateKey, last.gate.clientConfig),
    );
  }
  return figures;
}

for (const [suite, memberCounts] of Object.entries(sizes)) {
  const measured = new Map<number, Figures>();
  for (const members of memberCounts) {
    measured.set(members, await measure(suite as SuiteName, members));
  }
  console.log(`\n${suite}`);
  console.log(
    [
      "members".padEnd(36),
      ...memberCounts.map((members) => String(members).padStart(9)),
      "per doubling, each step",
    ].join(" "),
  );
  for (const what of measured.values().next().value?.keys() ?? []) {
    const figures = memberCounts.map((members) =>
      figureOf(what, measured.get(members)?.get(what) ?? []),
    );
    const growth = figures.slice(1).map((value, at) => {
      const doublings = Math.log2((memberCounts[at + 1] ?? 1) / (memberCounts[at] ?? 1));
      return (value / (figures[at] ?? NaN)) ** (1 / doublings);
    });
    const digits = what.endsWith("ms") ? 2 : 0;
    console.log(
      [
        what.padEnd(36),
        ...figures.map((value) => value.toFixed(digits).padStart(9)),
        growth.map((ratio) => ratio.toFixed(2).padStart(6)).join(""),
      ].join(" "),
    );
  }
}
