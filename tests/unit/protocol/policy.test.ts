import * as v from "valibot";
import { expect, test } from "vitest";
import {
  historyAllowed,
  maxFormerSuites,
  maxTimerSeconds,
  networkIdSchema,
  nextPolicy,
  parse,
  policyChangeSchema,
  policySchema,
  policySuite,
  suiteNames,
  suitesSince,
  type Policy,
} from "#protocol";

const policy = {
  networkId: parse(networkIdSchema, "AAAAAAAAAAAAAAAAAAAAAA"),
  networkName: "Example",
  version: 1,
  issuedAtMs: 1_700_000_000_000,
  maxExpirationSeconds: 2_592_000,
  defaultExpirationSeconds: 604_800,
  membersMayInvite: true,
};

test("a policy is taken as it is", () => {
  expect(parse(policySchema, policy)).toEqual(policy);
  expect(v.is(policySchema, { ...policy, defaultExpirationSeconds: 2_592_000 })).toBe(true);
});

test("a policy names a suite, or leaves it at the default one", () => {
  expect(policySuite(policy)).toBe(suiteNames.default);
  const strict = parse(policySchema, { ...policy, suite: suiteNames.cnsa });
  expect(policySuite(strict)).toBe("MLS_256_MLKEM1024_AES256GCM_SHA512_MLDSA87");
});

test("a policy says which suites those before it named, and until when", () => {
  const { default: first, cnsa, p256 } = suiteNames;
  const second = nextPolicy(policy, { suite: cnsa }, 5);
  const third = nextPolicy(nextPolicy(second, { historyOnLink: false }, 6), { suite: p256 }, 7);
  expect(third).toEqual({
    ...{ ...policy, version: 4, issuedAtMs: 7, suite: p256, historyOnLink: false },
    formerSuites: [
      { suite: first, untilMs: 5 },
      { suite: cnsa, untilMs: 7 },
    ],
  });
  expect(parse(policySchema, third)).toEqual(third);
});

test("it says no more of them than it may", () => {
  const { cnsa, p256 } = suiteNames;
  let last: Policy = policy;
  for (let at = 0; at < 2 * maxFormerSuites; at += 1) {
    last = nextPolicy(last, { suite: at % 2 === 0 ? cnsa : p256 }, at);
  }
  expect(last.formerSuites).toHaveLength(maxFormerSuites);
  expect(last.formerSuites?.at(-1)?.suite).toBe(cnsa);
  expect(parse(policySchema, last)).toEqual(last);
  const { formerSuites = [] } = last;
  expect(v.is(policySchema, { ...last, formerSuites: [...formerSuites, ...formerSuites] })).toBe(
    false,
  );
});

test("conversations go over to the suites that were named after theirs", () => {
  const { default: first, cnsa, p256, aes128, x448 } = suiteNames;
  const last = [cnsa, p256, cnsa, aes128].reduce<Policy>(
    (before, suite) => nextPolicy(before, { suite }, 5),
    policy,
  );
  expect(suitesSince(last, first)).toEqual([cnsa, p256, cnsa, aes128]);
  expect(suitesSince(last, cnsa)).toEqual([p256, cnsa, aes128]);
  expect(suitesSince(last, p256)).toEqual([cnsa, aes128]);
  for (const suite of [aes128, x448]) expect(suitesSince(last, suite)).toEqual([aes128]);
});

test("a conversation may have gone on from the suite that a policy names again", () => {
  const { default: first, p256 } = suiteNames;
  const back = [p256, first].reduce<Policy>(
    (before, suite) => nextPolicy(before, { suite }, 5),
    policy,
  );
  expect(suitesSince(back, first)).toEqual([p256, first]);
});

test("history comes along unless a policy says no", () => {
  expect(historyAllowed(policy)).toBe(true);
  expect(historyAllowed({ ...policy, historyOnLink: false })).toBe(false);
});

test("a change names what may be changed, and nothing else", () => {
  const change = { suite: suiteNames.cnsa, historyOnLink: false };
  expect(parse(policyChangeSchema, change)).toEqual(change);
  expect(parse(policyChangeSchema, {})).toEqual({});
  for (const wrong of [{ version: 2 }, { suite: "none" }, { historyOnLink: undefined }]) {
    expect(v.is(policyChangeSchema, wrong)).toBe(false);
  }
});

test.each([
  ["whose default life is longer than the longest", { defaultExpirationSeconds: 2_592_001 }],
  ["without an end", { maxExpirationSeconds: null }],
  ["with an end that is too near", { defaultExpirationSeconds: 4 }],
  ["with an end that is too far", { maxExpirationSeconds: maxTimerSeconds + 1 }],
  ["with a negative version", { version: -1 }],
  ["with a field of a later version", { classification: "secret" }],
  ["with a suite that Sotto doesn't speak", { suite: "MLS_256_XWING_AES256GCM_SHA512_Ed25519" }],
  ["without a field", { membersMayInvite: undefined }],
  ["with a malformed network id", { networkId: "example" }],
])("a policy %s is refused", (_name, change) => {
  expect(v.is(policySchema, { ...policy, ...change })).toBe(false);
});
