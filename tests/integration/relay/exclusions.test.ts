import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decodeRecord, maxActiveDevices, relayCloseCodes, type SignedRecord } from "#protocol";
import { codeOf, RelayFixture, type SignedIn } from "../../support/relay-fixture.ts";
import { TestDevice, testBytes, TestKey } from "../../support/relay-identity.ts";

let fixture: RelayFixture;
let admin: SignedIn;
let bo: SignedIn;

beforeEach(async () => {
  ({ fixture, admin } = await RelayFixture.claimed());
  bo = await fixture.invite(admin, "Bo");
});
afterEach(() => fixture.dispose());

const networkId = () => fixture.network.networkId;
const add = (by: SignedIn, device: SignedRecord) => by.client.request("device.add", { device });
const revoke = (by: SignedIn, revocation: SignedRecord) =>
  by.client.request("device.revoke", { revocation });
const suspend = (by: SignedIn, suspension: SignedRecord) =>
  by.client.request("user.suspend", { suspension });

/** Bo's row, as the administrator reads it. */
async function row(of: TestDevice = bo.device) {
  const { entries } = await admin.client.request("directory.list", { afterVersion: 0 });
  const found = entries.find(({ user }) => decodeRecord("user", user.payload).userId === of.userId);
  if (found === undefined) throw new Error("not in the directory");
  return found;
}

async function addFurther(): Promise<TestDevice> {
  const laptop = bo.device.further();
  await add(bo, laptop.record(networkId()));
  return laptop;
}

async function signIn(device: TestDevice) {
  const client = await fixture.connect();
  await client.signIn(device, networkId());
  return client;
}

describe("adding a device to an account", () => {
  test("puts it into the directory, tells everybody, and lets it sign in", async () => {
    const laptop = await addFurther();
    expect(await admin.client.nextEvent("directory.changed")).toMatchObject({ version: 2 });
    expect(await admin.client.nextEvent("directory.changed")).toMatchObject({ version: 3 });
    expect((await row()).devices).toHaveLength(2);
    await signIn(laptop);
  });

  test("gives one that is there another name", async () => {
    const laptop = await addFurther();
    await add(bo, laptop.record(networkId(), { deviceName: "Another name" }));
    const { devices } = await row();
    expect(devices.map(({ payload }) => decodeRecord("device", payload).deviceName)).toEqual([
      "Test device",
      "Another name",
    ]);
  });

  test("takes only a record that its own account signed for this network", async () => {
    const laptop = bo.device.further();
    const forged = new TestDevice("Bo", { account: new TestKey(), userId: bo.device.userId });
    expect(await codeOf(add(bo, forged.record(networkId())))).toBe("signature-invalid");
    expect(await codeOf(add(admin, laptop.record(networkId())))).toBe("signature-invalid");
    const { account } = admin.device;
    const asAdmin = new TestDevice("Bo", { account, userId: bo.device.userId });
    expect(await codeOf(add(admin, asAdmin.record(networkId())))).toBe("record-invalid");
    expect((await row()).devices).toHaveLength(1);
  });

  test("takes neither an id nor a key that is somebody's", async () => {
    const laptop = bo.device.further();
    const taken = [
      laptop.record(networkId(), { deviceId: admin.deviceId }),
      laptop.record(networkId(), { deviceId: bo.deviceId }),
      laptop.record(networkId(), { signatureKey: admin.device.signature.publicKey }),
    ];
    for (const record of taken) expect(await codeOf(add(bo, record))).toBe("record-invalid");
  });

  test("stops at ten at a time", async () => {
    for (let count = 1; count < maxActiveDevices; count += 1) await addFurther();
    expect(await codeOf(addFurther())).toBe("too-many-devices");
    const { devices } = await row();
    expect(devices).toHaveLength(maxActiveDevices);
    const last = decodeRecord("device", devices.at(-1)!.payload);
    await revoke(bo, bo.device.revocation(networkId(), { deviceId: last.deviceId }));
    await addFurther();
  });
});

describe("revoking a device", () => {
  test("ends its connection and refuses its sign-in; its record stays for those who still meet its leaf", async () => {
    const laptop = await addFurther();
    const client = await signIn(laptop);
    await revoke(bo, laptop.revocation(networkId()));
    expect(await client.ended).toEqual({
      code: relayCloseCodes["device-revoked"],
      reason: "device-revoked",
    });
    expect(await codeOf(signIn(laptop))).toBe("device-revoked");
    const { devices, revocations } = await row();
    expect([devices.length, revocations.length]).toEqual([2, 1]);
    expect(decodeRecord("revocation", revocations[0]!.payload).deviceId).toBe(laptop.deviceId);
    expect(await codeOf(bo.client.request("policy.get", {}))).toBe("no failure");
  });

  test("can be asked for by the device itself, which gets its answer first", async () => {
    expect(await codeOf(revoke(bo, bo.device.revocation(networkId())))).toBe("no failure");
    expect((await bo.client.ended).reason).toBe("device-revoked");
    expect(await codeOf(bo.reconnect())).toBe("device-revoked");
  });

  test("is for ever: the device isn't added again, and repeating it is harmless", async () => {
    const laptop = await addFurther();
    await revoke(bo, laptop.revocation(networkId()));
    const before = await row();
    await revoke(bo, laptop.revocation(networkId(), { revokedAtMs: Date.now() + 5 }));
    expect(await row()).toEqual(before);
    expect(await codeOf(add(bo, laptop.record(networkId())))).toBe("device-revoked");
  });

  test("takes only what its own account signed now about a device of its own", async () => {
    const laptop = await addFurther();
    const forged = new TestKey().signRecord("revocation", {
      ...decodeRecord("revocation", laptop.revocation(networkId()).payload),
    });
    expect(await codeOf(revoke(bo, forged))).toBe("signature-invalid");
    expect(await codeOf(revoke(admin, laptop.revocation(networkId())))).toBe("signature-invalid");
    const others = bo.device.revocation(networkId(), { deviceId: admin.deviceId });
    expect(await codeOf(revoke(bo, others))).toBe("not-found");
    const early = laptop.revocation(networkId(), { revokedAtMs: Date.now() - 11 * 60_000 });
    expect(await codeOf(revoke(bo, early))).toBe("record-invalid");
    await signIn(laptop);
  });

  test("leaves it without key packages, and no commit adds it", async () => {
    const laptop = await addFurther();
    const client = await signIn(laptop);
    await client.request("keyPackages.publish", {
      keyPackages: [testBytes(100)],
      lastResort: testBytes(90),
    });
    await revoke(bo, laptop.revocation(networkId()));
    const { keyPackages } = await admin.client.request("keyPackages.claim", {
      devices: [laptop.deviceId],
    });
    expect(keyPackages).toEqual([null]);
    const conversationId = await admin.createGroup();
    const adding = admin.commit(conversationId, 0, { add: [laptop.deviceId] });
    expect(await codeOf(adding)).toBe("argument-invalid");
  });
});

describe("suspending a person", () => {
  test("ends all their connections, refuses every sign-in, and withdraws the invites they made", async () => {
    const laptop = await addFurther();
    const client = await signIn(laptop);
    const { token } = await bo.client.request("invite.create", {
      expiresAtMs: Date.now() + 3_600_000,
      uses: 5,
    });
    await suspend(admin, fixture.network.suspension(bo.device.userId));
    expect((await client.ended).reason).toBe("account-suspended");
    expect((await bo.client.ended).code).toBe(relayCloseCodes["account-suspended"]);
    expect(await codeOf(signIn(laptop))).toBe("account-suspended");
    expect(await codeOf(bo.reconnect())).toBe("account-suspended");
    expect(await codeOf(fixture.join("Bo again", token))).toBe("invite-unknown");
    expect((await row()).suspension).not.toBeNull();
    const conversationId = await admin.createGroup();
    const adding = admin.commit(conversationId, 0, { add: [bo.deviceId] });
    expect(await codeOf(adding)).toBe("argument-invalid");
  });

  test("is lifted by a later order, and not brought back by an older one", async () => {
    const { network } = fixture;
    const { userId } = bo.device;
    const nowMs = Date.now();
    const first = network.suspension(userId, { issuedAtMs: nowMs });
    await suspend(admin, first);
    await suspend(admin, first);
    const lift = network.suspension(userId, { suspended: false, issuedAtMs: nowMs + 1 });
    await suspend(admin, lift);
    await bo.reconnect();
    const again = network.suspension(userId, { issuedAtMs: nowMs + 1 });
    expect(await codeOf(suspend(admin, first))).toBe("record-invalid");
    expect(await codeOf(suspend(admin, again))).toBe("record-invalid");
    expect(await codeOf(bo.client.request("policy.get", {}))).toBe("no failure");
  });

  test("takes an administrator, the network's key, this network, somebody who is there, and not themselves", async () => {
    const { network } = fixture;
    const { userId } = bo.device;
    const order = network.suspension(userId);
    expect(await codeOf(suspend(bo, order))).toBe("not-allowed");
    const value = decodeRecord("suspension", order.payload);
    const forged = admin.device.account.signRecord("suspension", value);
    expect(await codeOf(suspend(admin, forged))).toBe("signature-invalid");
    const elsewhere = network.suspension(userId, { networkId: value.userId as never });
    expect(await codeOf(suspend(admin, elsewhere))).toBe("record-invalid");
    const nobody = network.suspension(new TestDevice("Nobody").userId);
    expect(await codeOf(suspend(admin, nobody))).toBe("not-found");
    expect(await codeOf(suspend(admin, network.suspension(admin.device.userId)))).toBe(
      "not-allowed",
    );
    const early = network.suspension(userId, { issuedAtMs: Date.now() - 11 * 60_000 });
    expect(await codeOf(suspend(admin, early))).toBe("record-invalid");
    expect((await row()).suspension).toBeNull();
  });
});
