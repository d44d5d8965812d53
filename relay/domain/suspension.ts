import { AppError, equalBytes, type ParsedRelayParams } from "#protocol";
import { directoryScope, type DeviceCaller, type Done, type RelayContext } from "./context.ts";
import { checkTime, dismiss, refused } from "./devices.ts";
import { noteChange } from "./directory.ts";
import { isAdministrator, removeInvitesOf } from "./invites.ts";
import { userSlot } from "./layout.ts";
import { loadNetwork } from "./network.ts";
import { openRecord } from "./records.ts";

/** Takes an administrator's order about a person. Who is suspended is cut off, and the invites they made go. */
export async function suspendUser(
  context: RelayContext,
  { suspension: record }: ParsedRelayParams<"user.suspend">,
  caller: DeviceCaller,
): Promise<Done> {
  const { networkId, networkKey } = await loadNetwork(context);
  return context.units.run(directoryScope, async (transaction) => {
    if (!(await isAdministrator(transaction, caller.userId))) throw new AppError("not-allowed");
    const suspension = openRecord("suspension", record, networkKey);
    const { userId, suspended, issuedAtMs } = suspension;
    if (suspension.networkId !== networkId) throw refused("suspension", "network");
    const user = await transaction.load(userSlot(userId));
    if (user === undefined) throw new AppError("not-found", { data: { what: "user" } });
    // A network that can lose its last administrator this way would be without any.
    if (suspended && userId === caller.userId) throw new AppError("not-allowed");
    const known = user.suspension;
    if (known !== null && equalBytes(known.record.payload, record.payload)) return {};
    checkTime(context, "suspension", issuedAtMs);
    if (known !== null && issuedAtMs <= known.issuedAtMs) throw refused("suspension", "older");
    await noteChange(context, transaction, {
      ...user,
      userId,
      suspension: { suspended, issuedAtMs, record },
    });
    if (suspended) {
      await removeInvitesOf(transaction, userId);
      dismiss(context, transaction, user.devices, "account-suspended");
    }
    return {};
  });
}
