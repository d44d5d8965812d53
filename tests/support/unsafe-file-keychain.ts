import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Keychain } from "../../electron/keychain/index.ts";

/** A keychain in clear files, for tests whose processes are killed. */
export function unsafeFileKeychain(directory: string): Keychain {
  mkdirSync(directory, { recursive: true });
  const pathOf = (account: string) => join(directory, encodeURIComponent(account));
  return {
    backend: "files (unsafe)",
    get(account) {
      const path = pathOf(account);
      return Promise.resolve(existsSync(path) ? new Uint8Array(readFileSync(path)) : null);
    },
    set(account, value) {
      // An entry is there or not, whenever its writer is killed.
      const aside = `${pathOf(account)}.new`;
      writeFileSync(aside, value);
      renameSync(aside, pathOf(account));
      return Promise.resolve();
    },
    delete(account) {
      rmSync(pathOf(account), { force: true });
      return Promise.resolve();
    },
  };
}
