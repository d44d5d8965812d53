import { basename, join } from "node:path";
import type { CryptoWorker } from "#protocol";
import { createFaultyFiles, type FileCall, type FileFault } from "../support/faulty-files.ts";
import { seededRandom } from "../support/seeded.ts";
import { hashOf, imagesOf } from "../support/vault-disk/disk-images.ts";
import { checkImage, vaultDirectory } from "../support/vault-disk/image-check.ts";
import { emptyDisk } from "../support/vault-disk/operations.ts";
import { trackDisk } from "../support/vault-disk/pending-operations.ts";
import { createRecordingDisk } from "../support/vault-disk/recording-disk.ts";
import { expectMark, nothingExpected, type VaultMark } from "../support/vault-disk/vault-ledger.ts";
import { createLife, type LifeStep } from "../support/vault-disk/vault-life.ts";

/** How a call of the file-system port goes wrong. */
export interface FaultKind {
  readonly title: string;
  readonly fault: FileFault;
  /** Which calls can fail so. */
  readonly fails: (call: FileCall) => boolean;
  /** Whether all calls from then on fail so that can. */
  readonly lasts: boolean;
}

const changing = new Set(["makeDirectory", "open", "rename", "remove", "write", "truncate"]);
const isAny = (): boolean => true;
const isChange = ({ operation }: FileCall): boolean => changing.has(operation);
const isOf =
  (...operations: readonly FileCall["operation"][]) =>
  ({ operation }: FileCall): boolean =>
    operations.includes(operation);

export const faultKinds: readonly FaultKind[] = [
  { title: "EIO", fault: { code: "EIO", effect: "none" }, fails: isAny, lasts: false },
  { title: "EIO, done", fault: { code: "EIO", effect: "done" }, fails: isAny, lasts: false },
  { title: "ENOSPC", fault: { code: "ENOSPC", effect: "none" }, fails: isChange, lasts: false },
  { title: "full disk", fault: { code: "ENOSPC", effect: "half" }, fails: isChange, lasts: true },
  {
    title: "short write",
    fault: { code: "EIO", effect: "half" },
    fails: isOf("write"),
    lasts: false,
  },
  { title: "EPERM", fault: { code: "EPERM", effect: "none" }, fails: isOf("rename"), lasts: false },
  {
    title: "fsync EIO",
    fault: { code: "EIO", effect: "none" },
    fails: isOf("sync", "syncDirectory"),
    lasts: false,
  },
  { title: "dead disk", fault: { code: "EIO", effect: "none" }, fails: isChange, lasts: true },
];

/** A little of everything, some of it twice: after a fault, and after a start that followed it. */
const script: readonly LifeStep[] = [
  ...["commit", "message", "batch", "destroy", "compact", "commit"],
  ...["set passphrase", "drop bucket", "reopen", "commit", "message", "destroy"],
  ...["compact", "remove slot", "set recovery code", "reopen", "commit"],
] as const;

/** What came of faults at call sites. */
export interface FaultResult {
  /** Calls of the port in the script. */
  readonly calls: number;
  /** Runs, each with a fault at one call. */
  readonly runs: number;
  /** Different disks that were opened afterwards, with power cut or not. */
  readonly images: number;
}

/**
 * Runs a script once for each call of the port and each kind of fault that the call can have. After each the disk is opened as it is, and as a
 * power cut might leave it: what was acknowledged is there.
 *
 * @param isChosen - which runs to make
 */
export async function failEverywhere(
  worker: CryptoWorker,
  isChosen: (call: number, kind: number) => boolean = () => true,
): Promise<FaultResult> {
  const { calls } = await runScript(worker, () => null);
  let runs = 0;
  const images = new Set<string>();
  for (let at = 1; at <= calls.length; at++) {
    const call = calls[at - 1];
    for (const [index, kind] of faultKinds.entries()) {
      if (call === undefined || !kind.fails(call) || !isChosen(at, index)) continue;
      runs += 1;
      const what = `${kind.title} at call ${at}, ${call.operation} ${call.name}`;
      try {
        const found = await runScript(worker, (now, count) =>
          (kind.lasts ? count >= at : count === at) && kind.fails(now) ? kind.fault : null,
        );
        for (const image of found.images) images.add(image);
      } catch (cause) {
        throw new Error(`${what}: ${String(cause)}`, { cause });
      }
    }
  }
  return { calls: calls.length, runs, images: images.size };
}

type Decide = (call: FileCall, count: number) => FileFault | null;

async function runScript(worker: CryptoWorker, decide: Decide) {
  const disk = createRecordingDisk<VaultMark>(emptyDisk(parentOfVault));
  const files = createFaultyFiles(disk.files, (name) => {
    disk.failSync(join(vaultDirectory, basename(name)));
  });
  files.decide = decide;
  const before = nothingExpected();
  const random = seededRandom(7);
  const life = createLife({ disk, files, worker, random, before });
  const unlessFault = async (run: () => Promise<void>) => {
    // What the vault says of itself may fail; what the ledger says of the vault may not.
    await run().catch((error: unknown) => {
      if (error instanceof Error && error.message.startsWith("acknowledged")) throw error;
    });
  };
  await unlessFault(() => life.begin("create"));
  for (const step of script) await unlessFault(() => life.run(step));
  await unlessFault(() => life.end());
  const calls = [...files.calls];
  // The disk is well again when the next process starts.
  const expectation = nothingExpected();
  const tracker = trackDisk(disk.history);
  for (const event of disk.history.events) {
    if (event.kind === "mark") expectMark(expectation, event.mark);
    tracker.take(event);
  }
  const seen = new Set<string>();
  const limits = { exhaustive: 8, sampled: 8, random };
  for (const image of [disk.image(), ...imagesOf(tracker.disk, limits)]) {
    const hash = hashOf(image);
    if (seen.has(hash)) continue;
    seen.add(hash);
    await checkImage(image, expectation, { worker, isThorough: seen.size === 1 });
  }
  return { calls, images: seen };
}

const parentOfVault = vaultDirectory.slice(0, vaultDirectory.lastIndexOf("/"));
