import { ensureAppError } from "#protocol";
import type { Client } from "../client/index.ts";
import type { Clock } from "../link/index.ts";
import { inTime, type Vault } from "../vault/index.ts";
import type { Engine } from "./engine.ts";
import type { Log } from "./ports.ts";

/** How long what is under way keeps its keys, so that it ends in order, milliseconds. */
const patienceMs = 400;

/**
 * Closes what is open within a second. What is under way has a moment to end in order; then its keys are gone, and it fails. Nothing that it
 * does counts before it is in the vault, and nothing gets there without keys.
 *
 * @param onArrival - as {@link Client.rest}
 * @returns what ends the connection that is left; resolves when nothing of the account is in memory
 */
export async function closeForLock(options: {
  readonly client: Client;
  readonly vault: Vault;
  readonly engine: Pick<Engine, "dropKeys">;
  readonly clock: Clock;
  readonly log: Log;
  readonly onArrival: () => void;
}): Promise<() => void> {
  const { client, vault, engine, clock, log, onArrival } = options;
  const complain = (error: unknown): void => {
    log.error("locking did not end in order", ensureAppError(error));
  };
  let endRest = (): void => undefined;
  const closing = client
    .rest(onArrival)
    .then((end) => {
      endRest = end;
    })
    .finally(() => vault.close())
    .catch(complain);
  await inTime(clock, patienceMs, closing);
  // A disk that hangs keeps the vault from closing, but nothing in memory: first the keys of its next frames, so that nothing that waits is
  // written any more.
  vault.forget();
  await engine.dropKeys();
  await closing;
  return endRest;
}
