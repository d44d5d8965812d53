import { externalPackages } from "../bundle/programs.ts";
import { closure, importName, readLock } from "../lib/lock.ts";

/**
 * Packages that electron-builder would pack because they are dependencies, though the bundles hold what is used of them: all but those
 * that stay outside the bundles, with everything these depend on. By name, since electron-builder gives packages places of its own.
 */
export function needlessModules(): readonly string[] {
  const lock = readLock();
  const needed = new Set([...closure(lock, externalPackages)].map(importName));
  const installed = closure(lock, Object.keys(lock[""]?.dependencies ?? {}));
  return [...new Set([...installed].map(importName))].filter((name) => !needed.has(name));
}
