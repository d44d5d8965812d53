import { AppError, encodeFrame, equalBytes, type ParsedRelayParams } from "#protocol";
import {
  directoryScope,
  directoryTopic,
  type DeviceCaller,
  type Done,
  type RelayContext,
} from "./context.ts";
import { refused } from "./devices.ts";
import { isAdministrator } from "./invites.ts";
import { networkSlot } from "./layout.ts";
import { checkPolicy, policyOf } from "./network.ts";

/** Takes an administrator's next policy, and tells everybody. Of two that were made from the same one, the first is it. */
export function setPolicy(
  context: RelayContext,
  { policy: record }: ParsedRelayParams<"policy.set">,
  caller: DeviceCaller,
): Promise<Done> {
  return context.units.run(directoryScope, async (transaction) => {
    if (!(await isAdministrator(transaction, caller.userId))) throw new AppError("not-allowed");
    const network = await transaction.load(networkSlot);
    if (network === undefined) throw new AppError("sign-in-refused");
    const { version } = checkPolicy(record, network.networkKey);
    if (equalBytes(network.policy.payload, record.payload)) return {};
    if (version !== policyOf(network).version + 1) throw refused("policy", "version");
    transaction.store(networkSlot, { ...network, policy: record });
    const frame = encodeFrame({ kind: "event", name: "policy.changed", body: { policy: record } });
    transaction.afterCommit(() => {
      context.storage.announce(directoryTopic, { frame, join: null, leave: [] });
    });
    return {};
  });
}
