import { AppError } from "#protocol";
import type { Core } from "../core/core.ts";
import { readFact } from "../store/facts.ts";

/** Whether this person is an administrator of the network. */
export function isAdministrator({ people, self }: Core): boolean {
  return people.get(self.userId)?.user.role === "administrator";
}

/** Lets the worker sign with the network key. @throws AppError `network-key-missing`: it is on the computer that founded the network */
export async function loadNetworkKey({ vault, worker }: Core): Promise<void> {
  const sealedNetworkKey = readFact(vault, "networkKey");
  if (sealedNetworkKey === undefined) throw new AppError("network-key-missing");
  await worker.call("network.load", { sealedNetworkKey });
}
