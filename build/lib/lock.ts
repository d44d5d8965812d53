import { readFileSync } from "node:fs";
import { posix } from "node:path";

import { inRepository } from "./paths.ts";

/** What package-lock.json says of an installed package. */
export interface LockedPackage {
  /** The package's own name, where it is installed under another. */
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Packages by their place, such as `node_modules/fastify`; the repository itself under the empty string. */
export type Lock = Readonly<Record<string, LockedPackage>>;

/** Reads package-lock.json. */
export function readLock(): Lock {
  const text = readFileSync(inRepository("package-lock.json"), "utf8");
  return (JSON.parse(text) as { packages: Lock }).packages;
}

/**
 * Packages and all that they depend on.
 * @param names - packages that the repository depends on.
 * @returns places as in the lock file; optional packages of other systems included.
 */
export function closure(lock: Lock, names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = names.map((name) => resolve(lock, "", name));
  while (waiting.length > 0) {
    const path = waiting.pop();
    if (path === undefined || seen.has(path)) continue;
    seen.add(path);
    const { dependencies, optionalDependencies } = lock[path] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      waiting.push(resolve(lock, path, name));
    }
  }
  return seen;
}

/** The name under which the package at a place is imported. */
export function importName(path: string): string {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

/** Finds a package as Node would: inside the one that asks, then further up. Undefined for an optional one that is left out. */
function resolve(lock: Lock, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = parentOf(folder)) {
    const path = posix.join(folder, "node_modules", name);
    if (path in lock) return path;
    if (folder === "") return undefined;
  }
}

function parentOf(path: string): string {
  const cut = path.lastIndexOf("node_modules/");
  return cut <= 0 ? "" : path.slice(0, cut - 1);
}
