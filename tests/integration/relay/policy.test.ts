import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decodeRecord, type Policy, type SignedRecord } from "#protocol";
import { codeOf, eventually, RelayFixture, type SignedIn } from "../../support/relay-fixture.ts";
import { testBytes, TestNetwork } from "../../support/relay-identity.ts";

let fixture: RelayFixture;
let admin: SignedIn;
let bo: SignedIn;

beforeEach(async () => {
  ({ fixture, admin } = await RelayFixture.claimed());
  bo = await fixture.invite(admin, "Bo");
});
afterEach(() => fixture.dispose());

const set = (by: SignedIn, policy: SignedRecord) => by.client.request("policy.set", { policy });
const next = (changes: Partial<Policy> = {}) =>
  fixture.network.policy({ version: 2, historyOnLink: false, ...changes });

async function stored(): Promise<SignedRecord> {
  return (await bo.client.request("policy.get", {})).policy;
}

describe("an administrator's next policy", () => {
  test("is told to everybody who is signed in, and to who signs in later", async () => {
    const laptop = bo.device.further();
    await bo.client.request("device.add", { device: laptop.record(fixture.network.networkId) });
    const other = await fixture.connect();
    await other.signIn(laptop, fixture.network.networkId);
    const visitor = await fixture.connect();
    const policy = next();
    await set(admin, policy);
    for (const client of [admin.client, bo.client, other]) {
      expect(await client.nextEvent("policy.changed")).toEqual({ policy });
    }
    expect(visitor.events.map(({ name }) => name)).not.toContain("policy.changed");
    // This one's `hello` is older.
    const late = await visitor.signIn(laptop, fixture.network.networkId);
    expect(late.policyVersion).toBe(2);
    expect((await fixture.connect()).hello.network?.policy).toEqual(policy);
  });

  test("outlives the relay", async () => {
    const policy = next();
    await set(admin, policy);
    await fixture.stopRelay();
    await fixture.startRelay();
    expect((await fixture.connect()).hello.network?.policy).toEqual(policy);
  });

  test("holds at once for what the relay itself decides by it", async () => {
    await set(admin, next({ membersMayInvite: false }));
    const expiresAtMs = fixture.clock.nowMs() + 3_600_000;
    const invite = bo.client.request("invite.create", { expiresAtMs, uses: 1 });
    expect(await codeOf(invite)).toBe("not-allowed");
  });

  test("may come again, and is told once", async () => {
    const policy = next();
    await set(admin, policy);
    await set(admin, policy);
    await set(admin, next({ version: 3 }));
    const versions = () =>
      bo.client.events
        .filter(({ name }) => name === "policy.changed")
        .map(({ body }) =>
          decodeRecord("policy", (body as { policy: SignedRecord }).policy.payload),
        )
        .map(({ version }) => version);
    await eventually(() => versions().includes(3));
    expect(versions()).toEqual([2, 3]);
  });

  test("is the first of two that were made at once", async () => {
    const [first, second] = [next(), next({ historyOnLink: true })];
    const codes = await Promise.all([codeOf(set(admin, first)), codeOf(set(admin, second))]);
    expect(codes).toEqual(["no failure", "record-invalid"]);
    expect(await stored()).toEqual(first);
  });
});

describe("a policy is refused", () => {
  test.each<[string, string, () => Promise<unknown>]>([
    ["from a member", "not-allowed", () => set(bo, next())],
    [
      "that the network key didn't sign",
      "signature-invalid",
      () => set(admin, { ...next(), signature: testBytes(64) }),
    ],
    ["of another network", "signature-invalid", () => set(admin, new TestNetwork().policy())],
    [
      "that names another network",
      "record-invalid",
      () => set(admin, next({ networkId: new TestNetwork().networkId })),
    ],
    ["of an older version", "record-invalid", () => set(admin, next({ version: 0 }))],
    ["of the version that is there", "record-invalid", () => set(admin, next({ version: 1 }))],
    ["that leaves a version out", "record-invalid", () => set(admin, next({ version: 3 }))],
    [
      "that is another record",
      "signature-invalid",
      () => set(admin, fixture.network.suspension(bo.device.userId)),
    ],
  ])("%s", async (_, code, attempt) => {
    const before = await stored();
    expect(await codeOf(attempt())).toBe(code);
    expect(await stored()).toEqual(before);
    expect(bo.client.events.map(({ name }) => name)).not.toContain("policy.changed");
  });
});
