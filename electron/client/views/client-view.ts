import { historyAllowed, policySuite, type ConnectionView, type SettingsView } from "#protocol";
import type { Core } from "../core/core.ts";
import { readFact, type StoredAccount } from "../store/facts.ts";
import type { ClientView } from "../types.ts";

/** What of an open account a window sees beside its conversations. */
export function clientView({
  core: { policy, self, people, vault },
  account: { networkId, hosted, displayName },
  relayUrl,
  connection,
  settings,
}: {
  readonly core: Core;
  readonly account: StoredAccount;
  readonly relayUrl: string;
  readonly connection: ConnectionView;
  readonly settings: SettingsView;
}): Omit<ClientView, "history"> {
  const user = people.get(self.userId)?.user;
  const role = user?.role ?? "member";
  return {
    me: {
      userId: self.userId,
      deviceId: self.deviceId,
      displayName: user?.displayName ?? displayName,
      role,
    },
    network: {
      networkId,
      name: policy.networkName,
      relayUrl,
      hosted,
      maxExpirationSeconds: policy.maxExpirationSeconds,
      defaultExpirationSeconds: policy.defaultExpirationSeconds,
      mayInvite: role === "administrator" || policy.membersMayInvite,
      historyOnLink: historyAllowed(policy),
      suite: policySuite(policy),
      hasNetworkKey: readFact(vault, "networkKey") !== undefined,
    },
    connection,
    settings,
  };
}
