import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
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

/** How much of a vault's log is written, bytes. It grows in large steps, by zeros. */
export function writtenLogBytes(person: Person): number {
  return readFileSync(logPath(person)).findLastIndex((byte) => byte !== 0) + 1;
}

/** Flips a bit of a vault's log. @param at - from its start, bytes */
export function damageLog(person: Person, at: number): void {
  flipBit(logPath(person), at);
}

/** Flips a bit of what holds a vault's key slots. */
export function damageKeyring(person: Person): void {
  flipBit(join(vaultDirectory(person), "keyring"), 40);
}

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(path, bytes);
}

function logPath(person: Person): string {
  const directory = vaultDirectory(person);
  const name = readdirSync(directory).find((entry) => entry.startsWith("log."));
  if (name === undefined) throw new Error("the vault has no log");
  return join(directory, name);
}

function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
