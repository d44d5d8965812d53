import * as v from "valibot";
import { conversationIdSchema, networkIdSchema, rendezvousIdSchema } from "../ids.ts";
import { signedRecordSchema } from "../records.ts";
import { countSchema, exactBytesSchema, timestampMsSchema, type Schema } from "../schema.ts";
import { groupEntrySchema, inboxEntrySchema } from "./entries.ts";
import { challengeBytes } from "./methods.ts";

/** Every event that a relay sends by itself, by name. */
export const relayEvents = {
  /** First frame on every connection. `network` is null while the relay is unclaimed. */
  hello: v.strictObject({
    protocolVersions: v.pipe(v.array(countSchema), v.minLength(1), v.maxLength(20)),
    challenge: exactBytesSchema(challengeBytes),
    relayTimeMs: timestampMsSchema,
    /** The relay's issuer key, to be certified by the network key. */
    issuerKey: exactBytesSchema(32),
    network: v.nullable(
      v.strictObject({
        networkId: networkIdSchema,
        networkKey: exactBytesSchema(32),
        issuerCertificate: signedRecordSchema,
        policy: signedRecordSchema,
      }),
    ),
  }),
  /** A new or dropped entry of a log this device reads. */
  "group.entry": v.strictObject({
    conversationId: conversationIdSchema,
    entry: groupEntrySchema,
  }),
  "inbox.entry": inboxEntrySchema,
  "directory.changed": v.strictObject({ version: countSchema }),
  "policy.changed": v.strictObject({ policy: signedRecordSchema }),
  "keyPackages.low": v.strictObject({ keyPackagesLeft: countSchema }),
  /** Something waits at a rendezvous for this device. */
  "rendezvous.arrived": v.strictObject({ rendezvousId: rendezvousIdSchema }),
} as const satisfies Readonly<Record<string, Schema>>;

/** The name of a relay event. */
export type RelayEventName = keyof typeof relayEvents;
/** What an event carries, before parsing. */
export type RelayEventInput<Name extends RelayEventName> = v.InferInput<(typeof relayEvents)[Name]>;
/** What an event carries, parsed. */
export type RelayEvent<Name extends RelayEventName> = v.InferOutput<(typeof relayEvents)[Name]>;
