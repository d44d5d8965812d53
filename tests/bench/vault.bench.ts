import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureCommits } from "./vault/commits.ts";
import { measureEnds } from "./vault/ends.ts";
import { measureScale } from "./vault/scale.ts";

/*
 * The vault: commits, unlocking, compaction, forgetting.
 *
 * SOTTO_BENCH_DIRECTORY chooses the disk (default: the system's temporary directory). SOTTO_BENCH_SIZES: vaults of so many messages.
 */

process.env["TMPDIR"] = process.env["SOTTO_BENCH_DIRECTORY"] ?? tmpdir();
const sizes = (process.env["SOTTO_BENCH_SIZES"] ?? "1000,10000,100000").split(",").map(Number);

const root = mkdtempSync(join(tmpdir(), "sotto-bench-"));
try {
  await measureCommits(root);
  await measureScale(sizes);
  await measureEnds();
} finally {
  rmSync(root, { recursive: true });
}
