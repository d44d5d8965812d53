/*
 * Asks the keychain of its environment one thing and tells the answer as JSON: `get <account>`, `look-often <account>` (fifty
 * times), `set <account> <hex>` or `delete <account>`. A process of its own, because libsecret connects once per process and a call that hangs never lets go.
 */
import { createKeytarKeychain } from "../../electron/keychain/index.ts";
import { ensureAppError, toHex } from "#protocol";
import { systemClock } from "./fake-clock.ts";

const [command, account = "", hex = ""] = process.argv.slice(2);
const timeoutMs = Number(process.env["KEYCHAIN_TIMEOUT_MS"] ?? 15_000);
const allowWeak = process.env["KEYCHAIN_ALLOW_WEAK"] === "1";
const keychain = createKeytarKeychain({ clock: systemClock, timeoutMs, allowWeak });

async function answer(): Promise<unknown> {
  switch (command) {
    case "get": {
      const value = await keychain.get(account);
      return value === null ? null : toHex(value);
    }
    case "look-often":
      for (let times = 0; times < 50; times++) await keychain.get(account);
      return null;
    case "set":
      await keychain.set(account, Uint8Array.from(Buffer.from(hex, "hex")));
      return "set";
    case "delete":
      await keychain.delete(account);
      return "deleted";
    default:
      throw new Error(`unknown command ${String(command)}`);
  }
}

const outcome = await answer().then(
  (value) => ({ value }),
  (error: unknown) => ({ code: ensureAppError(error).code }),
);
process.stdout.write(
  JSON.stringify({ ...outcome, isHanging: keychain.isHanging, weak: keychain.weak }),
  () => {
    process.kill(process.pid, "SIGKILL");
  },
);
