import { AppError } from "#protocol";
import type { Vault } from "../vault/index.ts";
import type { AccountProgress, CreateAccountOptions } from "./types.ts";

/** Makes an account in an empty vault, or goes on with one that stopped halfway. */
export function createAccount(_options: CreateAccountOptions): Promise<void> {
  return Promise.reject(new AppError("internal"));
}

/** What `vault` holds of an account. */
export function accountProgress(_vault: Vault): AccountProgress {
  return { kind: "none" };
}
