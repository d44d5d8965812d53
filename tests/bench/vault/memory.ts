import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Hermit } from "./history.ts";
import { round } from "./measure.ts";

/** What a process with an open vault holds, bytes. */
export interface Memory {
  readonly messages: number;
  /** Of the whole process, its worker included. */
  readonly rss: number;
  readonly heapUsed: number;
  /** Arrays outside the heap: the database's file, and WebAssembly's memory. */
  readonly external: number;
}

const program = fileURLToPath(new URL("memory-child.ts", import.meta.url));
const passphrase = "the bench opens its own copies";

/** Gives a vault the slot by which other processes open copies of it. */
export async function prepareMemory({ person }: Hermit): Promise<void> {
  await person.vault.setSlot({ kind: "passphrase", passphrase });
}

/**
 * Opens a copy of the vault in a process of its own: what this one has held before doesn't count.
 *
 * @param hermit - whose vault has been compacted
 */
export function measureMemory({ person }: Hermit, messages: number): Memory {
  const root = mkdtempSync(join(tmpdir(), "sotto-bench-memory-"));
  try {
    const copy = join(root, "vault");
    cpSync(person.directory, copy, { recursive: true, filter: (path) => !path.endsWith("lock") });
    const printed = execFileSync(process.execPath, ["--expose-gc", program, copy, passphrase]);
    // It printed what this file reads.
    const { rss, heapUsed, external } = JSON.parse(printed.toString()) as Omit<Memory, "messages">;
    return { messages, rss, heapUsed, external };
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** What a message more costs: the difference between two sizes, so that what a process needs anyway is in neither. */
export function tellMemory(sizes: readonly Memory[]): void {
  const megabytes = (bytes: number) => round(bytes / 1e6, 1);
  const held = ({ heapUsed, external }: Memory) => heapUsed + external;
  const row = (at: Memory, before: Memory | undefined) => ({
    "resident MB": megabytes(at.rss),
    "heap MB": megabytes(at.heapUsed),
    "outside the heap MB": megabytes(at.external),
    ...(before !== undefined && {
      "bytes per further message": round(
        (held(at) - held(before)) / (at.messages - before.messages),
      ),
      "resident bytes per further message": round(
        (at.rss - before.rss) / (at.messages - before.messages),
      ),
    }),
  });
  console.log("Memory of a process with the vault open and the search index full.");
  console.table(
    Object.fromEntries(
      sizes.map((at, index) => [`${String(at.messages)} messages`, row(at, sizes[index - 1])]),
    ),
  );
}
