import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { inRepository } from "./paths.ts";

/**
 * Whether a product is newer than everything it is made of.
 * @param stamp - a file written when the product was finished.
 * @param sources - files and folders, below the repository's root; missing ones count as never changed.
 */
export function isFresh(stamp: string, sources: readonly string[]): boolean {
  if (!existsSync(stamp)) return false;
  const builtAtMs = statSync(stamp).mtimeMs;
  return sources.every((source) => newestMs(inRepository(source)) <= builtAtMs);
}

/** Marks a product as finished now. @param stamp - the file to write. */
export function writeStamp(stamp: string): void {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, "");
}

function newestMs(path: string): number {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  const inside = readdirSync(path).map((name) => newestMs(join(path, name)));
  // The folder's own time counts too: it moves when a file is deleted.
  return Math.max(stats.mtimeMs, ...inside);
}
