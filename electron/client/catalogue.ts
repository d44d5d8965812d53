import type { VaultCatalogue } from "../vault/index.ts";

/** The vault's SQL: tables, and every statement and query by name. */
export const clientCatalogue: VaultCatalogue = {
  schemaVersion: 0,
  migrations: [],
  statements: {},
  queries: {},
};
