import { readFileSync } from "node:fs";
import { posix } from "node:path";

import { externalPackages } from "../bundle/programs.ts";
import { inRepository } from "../lib/paths.ts";

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

type Lock = Readonly<Record<string, LockedPackage>>;

/**
 * Packages that the installed app needs as packages: those that stay outside the bundles, with everything they depend on.
 * @returns names; optional packages of other systems included.
 */
function packedModules(): ReadonlySet<string> {
  return closure(readLock(), externalPackages);
}

/**
 * Packages that electron-builder would pack because they are dependencies, though the bundles hold what is used of them. By name, since
 * electron-builder gives packages places of its own.
 * @returns names.
 */
export function needlessModules(): readonly string[] {
  const lock = readLock();
  const needed = packedModules();
  const installed = closure(lock, Object.keys(lock[""]?.dependencies ?? {}));
  return [...installed].filter((name) => !needed.has(name));
}

/** Names of the packages and of all that they depend on. */
function closure(lock: Lock, names: readonly string[]): ReadonlySet<string> {
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
  return new Set([...seen].map(nameOf));
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

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

function readLock(): Lock {
  const text = readFileSync(inRepository("package-lock.json"), "utf8");
  return (JSON.parse(text) as { packages: Lock }).packages;
}
