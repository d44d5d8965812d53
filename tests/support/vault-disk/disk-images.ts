import { createHash } from "node:crypto";
import type { SeededRandom } from "../seeded.ts";
import type { DiskImage } from "./operations.ts";
import {
  applyWhole,
  contentOf,
  imageOf,
  resized,
  writeRange,
  type OpenDisk,
  type PendingOperation,
  type UncertainDisk,
} from "./pending-operations.ts";

/** How many images are built at a point where power may fail. */
export interface ImageLimits {
  /** Up to so many combinations all are built. */
  readonly exhaustive: number;
  /** Of more, so many: the plain ones, and others as `random` has it. */
  readonly sampled: number;
  readonly random: SeededRandom;
}

/** What became of one operation; the first of a list of them: nothing; the second: all of it. */
type Outcome = (disk: OpenDisk) => void;

const nothing: Outcome = () => undefined;
const sectorSizes = [512, 4096];
/** Of a write over many sectors so many places where it may be torn are taken. */
const tearsPerSize = 4;

/** The disk images that a power cut at this point can leave. */
export function* imagesOf(disk: UncertainDisk, limits: ImageLimits): Generator<DiskImage> {
  const outcomes = disk.pending.map((item) => outcomesOf(item, disk));
  const combinations = outcomes.reduce((product, { length }) => product * length, 1);
  const chosen =
    combinations <= limits.exhaustive ? allOf(outcomes) : someOf(outcomes, disk, limits);
  for (const combination of chosen) {
    const open: OpenDisk = {
      inodes: new Map(disk.inodes),
      names: new Map(disk.names),
      directories: new Set(disk.directories),
      entries: new Map(disk.entries),
    };
    for (const [index, choice] of combination.entries()) outcomes[index]?.[choice]?.(open);
    yield imageOf(open);
  }
}

function outcomesOf(item: PendingOperation, disk: UncertainDisk): readonly Outcome[] {
  const { operation, overwritten } = item;
  const whole: Outcome = (open) => {
    applyWhole(open, operation, overwritten);
  };
  switch (operation.kind) {
    case "write":
      return [nothing, whole, ...tornOutcomes(item, disk)];
    case "rename": {
      // Each of the two names by itself; the new one is never without a file.
      const both: Outcome = ({ names }) => names.set(operation.to, operation.inode);
      return [nothing, whole, both];
    }
    default:
      return [nothing, whole];
  }
}

/** A write of which some sectors arrived; and a file that has grown, with zeros where the write should be. */
function tornOutcomes(item: PendingOperation, disk: UncertainDisk): readonly Outcome[] {
  const { operation, overwritten } = item;
  if (operation.kind !== "write") return [];
  const { at, bytes, inode } = operation;
  const endBytes = at + bytes.length;
  const part = (from: number, to: number): Outcome => {
    return (open) => {
      writeRange(open, { inode, at: from, bytes: bytes.subarray(from - at, to - at), overwritten });
    };
  };
  const grown: Outcome = (open) => {
    const before = contentOf(open, inode);
    open.inodes.set(inode, resized(before, Math.max(before.length, endBytes)));
  };
  const torn = sectorSizes.flatMap((size) =>
    tearsBetween(at, endBytes, size).flatMap((tear): readonly Outcome[] => [
      part(at, tear),
      // The size arrived with the first part, or the last part without the first.
      (open) => {
        part(at, tear)(open);
        grown(open);
      },
      part(tear, endBytes),
    ]),
  );
  const isGrowth = endBytes > contentOf(disk, inode).length;
  return isGrowth ? [grown, ...torn] : torn;
}

/** Borders of sectors strictly inside a range: the first, the last, and some between. */
function tearsBetween(from: number, to: number, sectorBytes: number): readonly number[] {
  const first = (Math.floor(from / sectorBytes) + 1) * sectorBytes;
  const count = Math.max(0, Math.ceil((to - first) / sectorBytes));
  const places = Array.from({ length: Math.min(count, tearsPerSize) }, (_, index) =>
    Math.round((index * (count - 1)) / Math.max(1, Math.min(count, tearsPerSize) - 1)),
  );
  return places.map((place) => first + place * sectorBytes);
}

type Combination = readonly number[];

function* allOf(outcomes: readonly (readonly Outcome[])[]): Generator<Combination> {
  const combination = outcomes.map(() => 0);
  while (true) {
    yield combination;
    let at = 0;
    while (at < outcomes.length && combination[at] === (outcomes[at]?.length ?? 1) - 1) {
      combination[at++] = 0;
    }
    if (at === outcomes.length) return;
    combination[at] = (combination[at] ?? 0) + 1;
  }
}

function* someOf(
  outcomes: readonly (readonly Outcome[])[],
  { pending }: UncertainDisk,
  { sampled, random }: ImageLimits,
): Generator<Combination> {
  const isName = ({ operation: { kind } }: PendingOperation) =>
    ["link", "unlink", "rename", "make-directory"].includes(kind);
  const plain: Combination[] = [
    outcomes.map(() => 0),
    outcomes.map(() => 1),
    pending.map((item) => (isName(item) ? 1 : 0)),
    pending.map((item) => (isName(item) ? 0 : 1)),
  ];
  const anyOf = (index: number) => random.below(outcomes[index]?.length ?? 1);
  const kinds: readonly (() => Combination)[] = [
    // Up to one of them, which is torn or not, and nothing behind it.
    () => {
      const last = random.below(outcomes.length);
      return outcomes.map((_, index) => (index < last ? 1 : index === last ? anyOf(index) : 0));
    },
    // One is missing, or torn; one alone arrived.
    () => {
      const one = random.below(outcomes.length);
      return outcomes.map((_, index) => (index === one ? anyOf(index) : 1));
    },
    () => {
      const one = random.below(outcomes.length);
      return outcomes.map((_, index) => (index === one ? anyOf(index) : 0));
    },
    () => outcomes.map(() => random.below(2)),
    () => outcomes.map((_, index) => anyOf(index)),
  ];
  yield* plain;
  for (let count = plain.length; count < sampled; count++) yield random.pick(kinds)();
}

const contentHashes = new WeakMap<Uint8Array, string>();

function hashOfContent(bytes: Uint8Array): string {
  let hash = contentHashes.get(bytes);
  if (hash === undefined) {
    hash = createHash("sha1").update(bytes).digest("base64");
    contentHashes.set(bytes, hash);
  }
  return hash;
}

/** The same for images that hold the same. */
export function hashOf({ files, directories, entries }: DiskImage): string {
  const parts = [
    [...files].map(([path, bytes]) => `${path} ${hashOfContent(bytes)}`).sort(),
    [...directories].sort(),
    [...entries].map(([account, value]) => `${account} ${hashOfContent(value)}`).sort(),
  ];
  return createHash("sha1").update(JSON.stringify(parts)).digest("base64");
}
