import { AppError } from "#protocol";
import { verifyPolicy } from "./account/policy-keeper.ts";
import { Core } from "./core/core.ts";
import { RunningClient } from "./running-client.ts";
import { readFact, type StoredAccount } from "./store/facts.ts";
import type { Client, OpenClientOptions } from "./types.ts";

/** Unpredictable bytes from the platform. */
function platformRandom(sizeBytes: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(sizeBytes));
}

/**
 * Opens an account: what has ended is gone before it resolves, then it connects in the background.
 *
 * @throws AppError `not-ready` when the account isn't made yet; `vault-damaged`, `worker-stopped`, …
 */
export async function openClient(options: OpenClientOptions): Promise<Client> {
  const account = readFact(options.vault, "account");
  if (account?.step !== "ready") throw new AppError("not-ready");
  const core = await openCore(options, account);
  return new RunningClient(core, account, options).begin();
}

/** Loads the identity into the worker, and the policy from the vault. */
async function openCore(
  { vault, worker, clock, random = platformRandom }: OpenClientOptions,
  account: StoredAccount,
): Promise<Core> {
  const { networkId, networkKey, userId, deviceId } = account;
  const identity = readFact(vault, "identity");
  const policy = readFact(vault, "policy");
  if (identity === undefined || policy === undefined) throw new AppError("vault-damaged");
  await worker.call("identity.load", { sealedIdentity: identity, networkId });
  return new Core({
    vault,
    worker,
    clock,
    random,
    self: { networkId, userId, deviceId },
    policy: await verifyPolicy(worker, policy, networkKey),
    keptTime: {
      floorMs: readFact(vault, "floorMs") ?? 0,
      certainMs: readFact(vault, "certainMs") ?? null,
    },
  });
}
