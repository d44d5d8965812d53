import type { DeviceId } from "#protocol";
import type { RelayEventMessage } from "../link/index.ts";

/** Tells of each entry that might be for the person. What is in it nobody can tell without keys: receipts count, commits don't. */
export function arrivals(
  self: DeviceId,
  onArrival: () => void,
): (event: RelayEventMessage) => void {
  return (event) => {
    if (event.name === "inbox.entry") onArrival();
    if (event.name !== "group.entry") return;
    const { entry } = event.body;
    // Control messages have no end.
    if (entry.kind !== "application" || entry.sender === self) return;
    if (entry.expiresAtMs !== null) onArrival();
  };
}
