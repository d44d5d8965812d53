import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Person } from "./person.ts";

/** Where a person's Sotto keeps its vault. */
export function vaultDirectory({ options }: Person): string {
  return join(options.dataDirectory, "profiles", options.profile, "vault");
}

/** The files of a vault and what is in them, as digests. The lock is none of them: it says who is at work, and holds nothing. */
export function vaultDigests(person: Person): Readonly<Record<string, string>> {
  const directory = vaultDirectory(person);
  const names = readdirSync(directory).filter((name) => !name.startsWith("lock"));
  return Object.fromEntries(
    names.toSorted().map((name) => [name, digestOf(join(directory, name))]),
  );
}

function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
