import { AppError, parse, relayEvents, type RelayEvent, type RelayEventName } from "#protocol";

/** What a relay says by itself after `hello`, parsed. */
export type RelayEventMessage = {
  readonly [Name in Exclude<RelayEventName, "hello">]: {
    readonly name: Name;
    readonly body: RelayEvent<Name>;
  };
}[Exclude<RelayEventName, "hello">];

/**
 * Parses an event.
 *
 * @throws AppError `frame-malformed`; `frame-out-of-order` for a second `hello`
 */
export function parseRelayEvent(name: string, body: unknown): RelayEventMessage {
  switch (name) {
    case "hello":
      throw new AppError("frame-out-of-order", { data: { event: "hello" } });
    case "group.entry":
      return { name, body: parse(relayEvents[name], body) };
    case "inbox.entry":
      return { name, body: parse(relayEvents[name], body) };
    case "directory.changed":
      return { name, body: parse(relayEvents[name], body) };
    case "policy.changed":
      return { name, body: parse(relayEvents[name], body) };
    case "rendezvous.arrived":
      return { name, body: parse(relayEvents[name], body) };
    case "keyPackages.low":
      return { name, body: parse(relayEvents[name], body) };
    default:
      throw new AppError("frame-malformed", { data: { reason: "unknown event" } });
  }
}
