import {
  ensureAppError,
  historyAllowed,
  nextPolicy,
  policySuite,
  type AppError,
  type Policy,
  type PolicyChange,
} from "#protocol";
import type { Core } from "../core/core.ts";
import { loadNetworkKey } from "./network-key.ts";
import type { PolicyKeeper } from "./policy-keeper.ts";

/**
 * Makes the network's next policy, which differs in `change` from the one before. When another one came first, it is made again from that.
 *
 * @throws AppError `network-key-missing`, and as `Core.request` and {@link PolicyKeeper.take}
 */
export async function changePolicy(
  core: Core,
  keeper: PolicyKeeper,
  change: PolicyChange,
): Promise<void> {
  await loadNetworkKey(core);
  for (;;) {
    const before = core.policy;
    const value = nextPolicy(before, change, core.time.real());
    if (isSame(before, value)) return;
    const { record } = await core.worker.call("record.sign", { kind: "policy", value });
    try {
      await core.request("policy.set", { policy: record });
      await keeper.take(record);
      return;
    } catch (cause) {
      const error = ensureAppError(cause);
      if (!hasLost(error)) throw error;
      await keeper.refresh();
      // There is no other: the relay takes none.
      if (core.policy.version === before.version) throw error;
    }
  }
}

function isSame(left: Policy, right: Policy): boolean {
  return policySuite(left) === policySuite(right) && historyAllowed(left) === historyAllowed(right);
}

/** Whether the relay has another policy of this version. */
function hasLost({ code, data }: AppError): boolean {
  return code === "record-invalid" && data["reason"] === "version";
}
