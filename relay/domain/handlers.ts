import type { ParsedRelayParams, relayMethods, RelayMethodName, RelayResult } from "#protocol";
import { redeemInvite } from "./accounts.ts";
import { addDevice, revokeDevice } from "./devices.ts";
import type { AnyCaller, DeviceCaller, RelayContext, VisitorCaller } from "./context.ts";
import { listDirectory } from "./directory.ts";
import { appendMessage } from "./groups/append.ts";
import { commitToGroup, createGroup } from "./groups/commit.ts";
import { groupInfo, listGroups, readGroup } from "./groups/read.ts";
import { rejectCommit } from "./groups/reopen.ts";
import { acknowledge, dropOwn } from "./groups/retention.ts";
import { acknowledgeInbox, readInbox } from "./inbox.ts";
import { createInvite, listInvites, revokeInvite } from "./invites.ts";
import { claimKeyPackages, publishKeyPackages } from "./key-packages.ts";
import { claimNetwork, loadNetwork } from "./network.ts";
import { setPolicy } from "./policy.ts";
import {
  closeRendezvous,
  openRendezvous,
  receiveFromRendezvous,
  sendToRendezvous,
} from "./rendezvous.ts";
import { signIn } from "./session.ts";
import { suspendUser } from "./suspension.ts";

/** Who calls a method: its access decides. */
export type CallerOf<Name extends RelayMethodName> = {
  readonly device: DeviceCaller;
  readonly open: VisitorCaller;
  readonly any: AnyCaller;
}[(typeof relayMethods)[Name]["access"]];

/** What does the work of every method of the contract. Params are parsed, access was checked. */
export type RelayHandlers = {
  readonly [Name in RelayMethodName]: (
    params: ParsedRelayParams<Name>,
    caller: CallerOf<Name>,
  ) => Promise<RelayResult<Name>>;
};

/** The one table of requests. */
export function createHandlers(context: RelayContext): RelayHandlers {
  return {
    "network.claim": (params) => claimNetwork(context, params),
    "invite.redeem": (params) => redeemInvite(context, params),
    "session.signIn": (params, caller) => signIn(context, params, caller),
    "policy.get": async () => ({ policy: (await loadNetwork(context)).policy }),
    "policy.set": (params, caller) => setPolicy(context, params, caller),
    "invite.create": (params, caller) => createInvite(context, params, caller),
    "invite.list": (_, caller) => listInvites(context, caller),
    "invite.revoke": (params, caller) => revokeInvite(context, params, caller),
    "directory.list": (params) => listDirectory(context, params),
    "device.add": (params, caller) => addDevice(context, params, caller),
    "device.revoke": (params, caller) => revokeDevice(context, params, caller),
    "user.suspend": (params, caller) => suspendUser(context, params, caller),
    "keyPackages.publish": (params, caller) => publishKeyPackages(context, params, caller),
    "keyPackages.claim": (params) => claimKeyPackages(context, params),
    "group.create": (params, caller) => createGroup(context, params, caller),
    "group.commit": (params, caller) => commitToGroup(context, params, caller),
    "group.reject": (params, caller) => rejectCommit(context, params, caller),
    "group.append": (params, caller) => appendMessage(context, params, caller),
    "group.read": (params, caller) => readGroup(context, params, caller),
    "group.acknowledge": (params, caller) => acknowledge(context, params, caller),
    "group.drop": (params, caller) => dropOwn(context, params, caller),
    "group.list": (_, caller) => listGroups(context, caller),
    "group.info": (params, caller) => groupInfo(context, params, caller),
    "inbox.read": (params, caller) => readInbox(context, params, caller),
    "inbox.acknowledge": (params, caller) => acknowledgeInbox(context, params, caller),
    "rendezvous.open": (params, caller) => openRendezvous(context, params, caller),
    "rendezvous.close": (params, caller) => closeRendezvous(context, params, caller),
    "rendezvous.send": (params, caller) => sendToRendezvous(context, params, caller),
    "rendezvous.receive": (params, caller) => receiveFromRendezvous(context, params, caller),
  };
}
