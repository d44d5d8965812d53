import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { closure, importName, type Lock, readLock } from "./lock.ts";
import { inRepository } from "./paths.ts";

/** A package that a user of Sotto runs, as "About" lists it. */
export interface Licence {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
}

/** Packages whose manifest names no licence though their LICENSE file has one. */
const unnamed: Readonly<Record<string, string>> = { "svelte-toolbelt": "MIT" };

/** Development packages whose code ends in the page's bundle. */
const bundled: readonly string[] = ["@lucide/svelte", "bits-ui", "markdown-it", "svelte", "virtua"];

/** The program around it all. Its own dependencies only fetch it. */
const electron = "node_modules/electron";

/** Where everything lies that runs on a user's machine: dependencies with all that they need, and what the page bundles. */
function shippedPaths(lock: Lock): readonly string[] {
  const names = [...Object.keys(lock[""]?.dependencies ?? {}), ...bundled];
  return [...closure(lock, names), electron];
}

/**
 * Everything that runs on a user's machine, out of the lock file.
 * @returns by name, each version once.
 * @throws Error for a package that names no licence.
 */
export function licences(lock: Lock): readonly Licence[] {
  const found = new Map<string, Licence>();
  for (const path of shippedPaths(lock)) {
    const name = lock[path]?.name ?? importName(path);
    const version = lock[path]?.version ?? "";
    const license = lock[path]?.license ?? unnamed[name];
    if (license === undefined) throw new Error(`${name} names no licence`);
    found.set(`${name}@${version}`, { name, version, license });
  }
  return [...found.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The licences' texts, which most of them ask to be passed on; equal ones once. Packages of other systems are not here. */
function licenceTexts(lock: Lock): string {
  const owners = new Map<string, string[]>();
  for (const path of shippedPaths(lock)) {
    const text = licenceText(inRepository(path));
    if (text === undefined) continue;
    const title = `${lock[path]?.name ?? importName(path)} ${lock[path]?.version ?? ""}`;
    owners.set(text, [...(owners.get(text) ?? []), title]);
  }
  const parts = [...owners].map(([text, titles]) => `## ${titles.join(", ")}\n\n${text}\n`);
  return ["# Licences of what Sotto is made of\n", ...parts].join("\n");
}

function licenceText(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.|$)/iu.test(name));
  return file === undefined ? undefined : readFileSync(join(folder, file), "utf8").trim();
}

/** Writes dist/licences.json, which the running app reads, and dist/licences.md with the texts. */
export function writeLicences(): void {
  const lock = readLock();
  mkdirSync(inRepository("dist"), { recursive: true });
  writeFileSync(inRepository("dist/licences.json"), JSON.stringify(licences(lock)));
  writeFileSync(inRepository("dist/licences.md"), licenceTexts(lock));
}
