import type { ConnectionView, SettingsView } from "#protocol";
import type { Core } from "../core/core.ts";
import type { StoredAccount } from "../store/facts.ts";
import type { ClientView } from "../types.ts";

/** What of an open account a window sees beside its conversations. */
export function clientView({
  core: { policy, self, people },
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
    },
    connection,
    settings,
  };
}
