import type { LockedView } from "#protocol";
import type { UnlockWay } from "../../state/unlock.svelte.ts";

type Reason = LockedView["reason"];
type LockKey = `lock.start.${UnlockWay}` | `lock.reason.${Exclude<Reason, "start">}`;

/** Why it is locked; at the start, when nobody has locked it, what is asked for. */
export function lockReason(reason: Reason, way: UnlockWay): LockKey {
  return reason === "start" ? `lock.start.${way}` : `lock.reason.${reason}`;
}
