import type { VaultCatalogue } from "../vault/index.ts";
import { queries } from "./sql/queries.ts";
import { migrations } from "./sql/schema.ts";
import { statements } from "./sql/statements.ts";

/** The vault's SQL: tables, and every statement and query by name. */
export const clientCatalogue: VaultCatalogue = {
  schemaVersion: migrations.length,
  migrations,
  statements,
  queries,
};
