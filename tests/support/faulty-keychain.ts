import { AppError, type ErrorCode } from "#protocol";
import { unsafeMemoryKeychain, type Keychain } from "../../electron/keychain/index.ts";

/** One call of the keychain port. */
export interface KeychainCall {
  readonly operation: "get" | "set" | "delete";
  /** The entry's name, from its last slash on: `/0` or `/1` for a vault's. */
  readonly entry: string;
}

/** How a call fails; `done` says that it was carried out all the same, `hang` that it never comes back. */
export interface KeychainFault {
  readonly code: ErrorCode;
  readonly effect?: "none" | "done" | "hang";
}

/** A keychain in memory, with faults; and a record of what was asked of it. */
export interface FaultyKeychain extends Keychain {
  readonly calls: readonly KeychainCall[];
  /** Asked before each call; null: it goes well. */
  decide: (call: KeychainCall) => KeychainFault | null;
}

/** @param entries - where it keeps what it is given */
export function createFaultyKeychain(entries: Map<string, Uint8Array>): FaultyKeychain {
  const memory = unsafeMemoryKeychain(entries);
  const calls: KeychainCall[] = [];

  async function run<Result>(
    operation: KeychainCall["operation"],
    account: string,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const call = { operation, entry: account.slice(account.lastIndexOf("/")) };
    calls.push(call);
    const fault = keychain.decide(call);
    if (fault === null) return work();
    if (fault.effect === "hang") return new Promise<never>(() => undefined);
    if (fault.effect === "done") await work();
    throw new AppError(fault.code);
  }

  const keychain: FaultyKeychain = {
    backend: memory.backend,
    calls,
    decide: () => null,
    get: (account) => run("get", account, () => memory.get(account)),
    set: (account, value) => run("set", account, () => memory.set(account, value)),
    delete: (account) => run("delete", account, () => memory.delete(account)),
  };
  return keychain;
}
