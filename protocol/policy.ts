import * as v from "valibot";
import { networkIdSchema, type NetworkId } from "./ids.ts";
import { countSchema, nameSchema, timestampMsSchema } from "./schema.ts";
import { maxTimerSeconds, minTimerSeconds } from "./timers.ts";

/** What a network's administrator has decided, signed by the network key. Later issues add fields; unknown ones are refused. */
export interface Policy {
  readonly networkId: NetworkId;
  readonly networkName: string;
  /** Grows by one with each change; a client never goes back. */
  readonly version: number;
  readonly issuedAtMs: number;
  /** Longest life of any message, seconds. */
  readonly maxExpirationSeconds: number;
  /** Life of messages in a conversation whose creator chose nothing, seconds. */
  readonly defaultExpirationSeconds: number;
  /** Whether members other than administrators may invite. */
  readonly membersMayInvite: boolean;
}

const timerSchema = v.pipe(countSchema, v.minValue(minTimerSeconds), v.maxValue(maxTimerSeconds));

export const policySchema: v.GenericSchema<unknown, Policy> = v.pipe(
  v.strictObject({
    networkId: networkIdSchema,
    networkName: nameSchema,
    version: countSchema,
    issuedAtMs: timestampMsSchema,
    maxExpirationSeconds: timerSchema,
    defaultExpirationSeconds: timerSchema,
    membersMayInvite: v.boolean(),
  }),
  v.check(
    (policy) => policy.defaultExpirationSeconds <= policy.maxExpirationSeconds,
    "the default life is longer than the longest",
  ),
);
