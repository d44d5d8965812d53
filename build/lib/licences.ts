import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { posix } from "node:path";

import { inRepository } from "./paths.ts";

/** A package that a user of Sotto runs, as "About" lists it. */
export interface Licence {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Packages whose manifest names no licence though their LICENSE file has one. */
const unnamed: Readonly<Record<string, string>> = { "svelte-toolbelt": "MIT" };

type Lock = Readonly<Record<string, LockedPackage>>;

/** Development packages whose code ends in the page's bundle, and the program around it all. */
const shipped = ["svelte", "bits-ui", "@lucide/svelte", "markdown-it", "virtua", "electron"];

/**
 * Everything that runs on a user's machine, out of the lock file: dependencies with all that they need, and what the page bundles.
 * @returns by name, each version once.
 */
export function licences(lock: Lock): readonly Licence[] {
  const root = lock[""];
  const names = [...Object.keys(root?.dependencies ?? {}), ...shipped];
  const waiting = names.map((name) => resolve(lock, "", name));
  const seen = new Set<string>();
  const found = new Map<string, Licence>();
  while (waiting.length > 0) {
    const path = waiting.pop();
    if (path === undefined || seen.has(path)) continue;
    seen.add(path);
    const locked = lock[path];
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const version = locked?.version ?? "";
    const license = locked?.license ?? unnamed[name];
    if (license === undefined) throw new Error(`${name} names no licence`);
    found.set(`${name}@${version}`, { name, version, license });
    // Electron's own dependencies only fetch it.
    if (name === "electron") continue;
    for (const needed of Object.keys({
      ...locked?.dependencies,
      ...locked?.optionalDependencies,
    })) {
      waiting.push(resolve(lock, path, needed));
    }
  }
  return [...found.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Finds a package as Node would: inside the one that asks, then further up. Undefined for an optional one that is left out. */
function resolve(lock: Lock, from: string, name: string): string | undefined {
  for (let folder = from; ; ) {
    const path = posix.join(folder, "node_modules", name);
    if (path in lock) return path;
    if (folder === "") return undefined;
    const cut = folder.lastIndexOf("node_modules/");
    folder = cut <= 0 ? "" : folder.slice(0, cut - 1);
  }
}

/** Writes dist/licences.json, which the running app reads. */
export function writeLicences(): void {
  const text = readFileSync(inRepository("package-lock.json"), "utf8");
  const { packages } = JSON.parse(text) as { readonly packages: Lock };
  mkdirSync(inRepository("dist"), { recursive: true });
  writeFileSync(inRepository("dist/licences.json"), JSON.stringify(licences(packages)));
}
