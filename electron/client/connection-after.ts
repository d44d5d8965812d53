import type { ConnectionView } from "#protocol";

/**
 * How the connection stands after a change. A suspension stands until the relay lets this person in again, or says something else: neither
 * the next try nor a network that fails takes it back.
 */
export function connectionAfter(before: ConnectionView, next: ConnectionView): ConnectionView {
  const suspended = before.kind === "offline" && before.code === "account-suspended";
  const saysNothing =
    next.kind === "connecting" || (next.kind === "offline" && next.code === "relay-unreachable");
  return suspended && saysNothing ? before : next;
}
