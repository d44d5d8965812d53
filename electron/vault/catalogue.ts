import { AppError } from "#protocol";
import { isStorable } from "./batch.ts";
import type { BoundSql } from "./database.ts";
import type { SqlValue, VaultCatalogue } from "./types.ts";

/** A text of the catalogue, ready to be used. */
export interface CatalogueEntry {
  readonly sql: string;
  /** How many parameters it takes. */
  readonly parameters: number;
}

/** The catalogue after its check. */
export interface CheckedCatalogue {
  readonly schemaVersion: number;
  readonly migrations: readonly string[];
  readonly statements: ReadonlyMap<string, CatalogueEntry>;
  readonly queries: ReadonlyMap<string, CatalogueEntry>;
}

/*
 * What would give another result when the log is replayed, or would end a transaction from inside. Not a parser: it is there to stop the
 * honest mistake, at start and in every test.
 */
const forbidden =
  /\b(random|randomblob|total_changes)\s*\(|\bcurrent_(time|date|timestamp)\b|'now'|\b(date|time|datetime|julianday|unixepoch)\s*\(\s*\)|\brollback\b|\b(begin|commit|savepoint|release|attach|detach|vacuum|pragma)\b/iu;
const reading = /^\s*(select|with|values)\b/iu;
const writing = /\b(insert|update|delete|replace|create|drop|alter)\b/iu;

/** @throws AppError `internal` naming the entry: the catalogue is part of the program */
export function checkCatalogue(catalogue: VaultCatalogue): CheckedCatalogue {
  const { schemaVersion, migrations } = catalogue;
  if (schemaVersion !== migrations.length) throw unusable("schemaVersion");
  return {
    schemaVersion,
    migrations,
    statements: entriesOf(catalogue.statements, (sql) => !forbidden.test(sql)),
    queries: entriesOf(catalogue.queries, (sql) => reading.test(sql) && !writing.test(sql)),
  };
}

/**
 * An entry with copies of its parameters: the caller may change or wipe its own at once.
 *
 * @throws AppError `argument-invalid` for an unknown name, another number of parameters, or one that can't be stored
 */
export function bindEntry(
  entries: ReadonlyMap<string, CatalogueEntry>,
  name: string,
  params: readonly SqlValue[],
): BoundSql {
  const entry = entries.get(name);
  if (entry?.parameters !== params.length || !params.every(isStorable)) {
    throw new AppError("argument-invalid", { data: { name, parameters: params.length } });
  }
  return {
    sql: entry.sql,
    params: params.map((value) => (value instanceof Uint8Array ? new Uint8Array(value) : value)),
  };
}

function entriesOf(
  texts: Readonly<Record<string, string>>,
  isUsable: (sql: string) => boolean,
): ReadonlyMap<string, CatalogueEntry> {
  return new Map(
    Object.entries(texts).map(([name, sql]) => {
      if (!isUsable(withoutComments(sql))) throw unusable(name);
      return [name, { sql, parameters: countParameters(sql) }];
    }),
  );
}

function withoutComments(sql: string): string {
  return sql.replaceAll(/--.*$/gmu, "").replaceAll(/\/\*[\s\S]*?\*\//gu, "");
}

/** The highest n of its parameters ?n. */
function countParameters(sql: string): number {
  return Math.max(0, ...Array.from(sql.matchAll(/\?(\d+)/gu), ([, digits]) => Number(digits)));
}

function unusable(name: string): AppError {
  return new AppError("internal", { data: { reason: "catalogue", name } });
}
