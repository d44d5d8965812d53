import type { SqlValue, Statement } from "../../vault/index.ts";
import type { StatementName } from "../sql/statements.ts";

/** A write of the catalogue. */
export function statement(name: StatementName, ...params: readonly SqlValue[]): Statement {
  return { name, params };
}
