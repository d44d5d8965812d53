import * as v from "valibot";
import { networkIdSchema, type NetworkId } from "./ids.ts";
import { countSchema, exactBytesSchema, nameSchema, timestampMsSchema } from "./schema.ts";
import { suiteNames, supportedSuites, type SuiteName } from "./suites.ts";
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
  /** The suite of new conversations; left out: the default one. */
  readonly suite?: SuiteName;
  /** What earlier ones named, oldest first: who was away while it changed follows the others through each; left out: nothing. */
  readonly formerSuites?: readonly FormerSuite[];
  /** Whether messages may come over to a computer that is added to an account; left out: they may. */
  readonly historyOnLink?: boolean;
  /** What protects the vaults of members' computers; left out: {@link defaultVaultPolicy}. */
  readonly vault?: VaultPolicy;
}

/** A suite that a policy named before. */
export interface FormerSuite {
  readonly suite: SuiteName;
  /** When a policy named another one, milliseconds. */
  readonly untilMs: number;
}

/** How many suites a policy says that the ones before it named. */
export const maxFormerSuites = 8;

/** The suite of new conversations in a network. */
export function policySuite({ suite = suiteNames.default }: Policy): SuiteName {
  return suite;
}

/**
 * The suites to which conversations may have gone over from another one, as far as the policy says.
 *
 * @param from - the suite in which they were
 */
export function suitesSince(policy: Policy, from: string): readonly string[] {
  const named: readonly string[] = (policy.formerSuites ?? []).map(({ suite }) => suite);
  const begun = named.indexOf(from);
  return [...(begun < 0 ? [] : named.slice(begun + 1)), policySuite(policy)];
}

/** Whether messages may come over to a computer that is added to an account. */
export function historyAllowed({ historyOnLink = true }: Policy): boolean {
  return historyOnLink;
}

/** What the administrator has decided about vaults. */
export interface VaultPolicy {
  /** Whether everybody must have an app lock. */
  readonly lockRequired: boolean;
  /** Longest time without a touch before the app locks, minutes; null: the person decides. */
  readonly maxIdleMinutes: number | null;
  /** After so many wrong attempts in a row the vault's slots are destroyed; null: never. */
  readonly maxAttempts: number | null;
  readonly recoveryCodeAllowed: boolean;
  /** X-Wing public key (1216 bytes) to which vault keys are sealed for the organisation; null: none. */
  readonly organisationKey: Uint8Array | null;
}

export const defaultVaultPolicy: VaultPolicy = {
  lockRequired: false,
  maxIdleMinutes: null,
  maxAttempts: null,
  recoveryCodeAllowed: true,
  organisationKey: null,
};

const vaultPolicySchema: v.GenericSchema<unknown, VaultPolicy> = v.strictObject({
  lockRequired: v.boolean(),
  maxIdleMinutes: v.nullable(v.pipe(countSchema, v.minValue(1), v.maxValue(24 * 60))),
  maxAttempts: v.nullable(v.pipe(countSchema, v.minValue(5), v.maxValue(100))),
  recoveryCodeAllowed: v.boolean(),
  organisationKey: v.nullable(exactBytesSchema(1216)),
});

const formerSuitesSchema: v.GenericSchema<unknown, readonly FormerSuite[]> = v.pipe(
  v.array(v.strictObject({ suite: v.picklist(supportedSuites), untilMs: timestampMsSchema })),
  v.maxLength(maxFormerSuites),
);

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
    suite: v.exactOptional(v.picklist(supportedSuites)),
    formerSuites: v.exactOptional(formerSuitesSchema),
    vault: v.exactOptional(vaultPolicySchema),
    historyOnLink: v.exactOptional(v.boolean()),
  }),
  v.check(
    (policy) => policy.defaultExpirationSeconds <= policy.maxExpirationSeconds,
    "the default life is longer than the longest",
  ),
);

export const policyChangeSchema = v.strictObject({
  suite: v.exactOptional(v.picklist(supportedSuites)),
  historyOnLink: v.exactOptional(v.boolean()),
});
/** What an administrator changes of a policy; what isn't named stays as it is. */
export type PolicyChange = v.InferOutput<typeof policyChangeSchema>;

/** The policy that follows one, signed by nobody yet. */
export function nextPolicy(before: Policy, change: PolicyChange, issuedAtMs: number): Policy {
  const next: Policy = { ...before, ...change, version: before.version + 1, issuedAtMs };
  if (policySuite(next) === policySuite(before)) return next;
  const former = { suite: policySuite(before), untilMs: issuedAtMs };
  return {
    ...next,
    formerSuites: [...(before.formerSuites ?? []), former].slice(-maxFormerSuites),
  };
}
