import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unsafeMemoryKeychain } from "../../../electron/keychain/index.ts";
import { frameAt, frameEnd } from "../../../electron/vault/frames.ts";
import { generationHeaderBytes } from "../../../electron/vault/headers.ts";
import { createVault, type Vault, type VaultCatalogue } from "../../../electron/vault/index.ts";
import { systemClock } from "../../support/fake-clock.ts";
import { startThreadWorker } from "./example.ts";

/** A new vault on the disk that is never compacted: it has one log from beginning to end. */
export interface LoggedVault {
  readonly vault: Vault;
  /** Where the log's last frame ends: the file itself grows in larger steps. */
  readonly logBytes: () => number;
  readonly close: () => Promise<void>;
}

/** @param root - a folder that is there; the vault lies in it */
export async function openLoggedVault(
  root: string,
  catalogue: VaultCatalogue,
): Promise<LoggedVault> {
  const directory = join(root, "vault");
  const worker = await startThreadWorker();
  const vault = await createVault({
    directory,
    worker,
    keychain: unsafeMemoryKeychain(),
    passphrase: null,
    catalogue,
    clock: systemClock,
    compaction: { logBytes: Infinity, minimumLogBytes: Infinity, snapshotRatio: Infinity },
  });
  let end = generationHeaderBytes;
  return {
    vault,
    logBytes() {
      const log = readFileSync(join(directory, "log.1"));
      for (let frame = frameAt(log, end); frame !== null; frame = frameAt(log, end)) {
        end = frameEnd(frame);
      }
      return end;
    },
    async close() {
      await vault.close();
      await worker.dispose();
    },
  };
}
