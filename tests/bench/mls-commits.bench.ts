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
import { median } from "./vault/measure.ts";
import { createRowSealer, openVaultLog } from "./vault-log.ts";

/*
 * Commits by the size of the group, in a tree without blank nodes: medians, and beside them means of the thread's processor time, which
 * a busy machine doesn't stretch; and what they write: rows in clear, and by how much a vault's log on the disk grows when they are
 * sealed and committed there alone. With the growth per doubling of the members: 1.0 would be no growth, 2.0 is linear.
 */

const sizes: Readonly<Record<string, readonly number[]>> = {
  [suiteNames.aes128]: [10, 100, 500, 1000],
  [suiteNames.default]: [10, 100, 500, 1000],
};
const id = conversationId(1);
const primitives = await loadPrimitives();
const sealRows = createRowSealer(primitives);
const log = await openVaultLog();
const processorTime = " (processor, mean)";
/** The first rounds of what takes time warm up. */
const warmUps = 2;

type Figures = Map<string, number[]>;

function note(figures: Figures, what: string, value: number): void {
  figures.set(what, [...(figures.get(what) ?? []), value]);
}

/** Processor time is counted in ticks: only the mean of several says something of what is short. */
function figureOf(what: string, values: readonly number[]): number {
  if (!what.endsWith("ms")) return median(values);
  const warm = values.slice(warmUps);
  if (!what.includes(processorTime)) return median(warm);
  return warm.reduce((sum, value) => sum + value, 0) / warm.length;
}

async function timed<Result>(
  figures: Figures,
  what: string,
  run: () => Promise<Result> | Result,
): Promise<Result> {
  const begin = process.threadCpuUsage();
  const beginMs = performance.now();
  const result = await run();
  const endMs = performance.now();
  const { user, system } = process.threadCpuUsage(begin);
  note(figures, `${what}, ms`, endMs - beginMs);
  note(figures, `${what}${processorTime}, ms`, (user + system) / 1000);
  return result;
}

async function noteBytes(
  figures: Figures,
  what: string,
  [before, after]: readonly [GroupMemory, GroupMemory],
): Promise<void> {
  let bytes = 0;
  for (const { plain } of changedPieces(before, after)) bytes += plain?.length ?? 0;
  note(figures, `${what}, bytes of rows`, bytes);
  const pieces = sealRows(id, before, after);
  const grown = await log.write({ conversationId: id, pieces });
  note(figures, `${what}, bytes of the vault's log`, grown);
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
    await noteBytes(figures, `${what}: make`, [founder, prepared.memory]);
    await noteBytes(figures, `${what}: accepted`, [prepared.memory, settled]);
    const opened = await timed(figures, `${what}: process`, () =>
      openEntry(last, id, prepared.bytes),
    );
    if (opened.kind !== "commit") throw new Error(opened.kind);
    await noteBytes(figures, `${what}: process`, [last, opened.memory]);
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
      "members".padEnd(50),
      ...memberCounts.map((members) => String(members).padStart(9)),
      "per doubling, each step",
    ].join(" "),
  );
  for (const what of measured.get(10)?.keys() ?? []) {
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
        what.padEnd(50),
        ...figures.map((value) => value.toFixed(digits).padStart(9)),
        growth.map((ratio) => ratio.toFixed(2).padStart(6)).join(""),
      ].join(" "),
    );
  }
}
await log.close();
