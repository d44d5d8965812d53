import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { relayCloseCodes, relayProtocolVersion } from "#protocol";
import { codeOf, RelayFixture, type SignedIn } from "../../support/relay-fixture.ts";
import { TestDevice, testBytes, TestNetwork } from "../../support/relay-identity.ts";

let fixture: RelayFixture;
let admin: SignedIn;

beforeEach(async () => {
  ({ fixture, admin } = await RelayFixture.claimed());
});
afterEach(() => fixture.dispose());

describe("signing in", () => {
  test("a known device that signs the challenge is let in", async () => {
    await admin.client.close();
    const client = await fixture.connect();
    const session = await client.signIn(admin.device, fixture.network.networkId, 7);
    expect(session).toMatchObject({
      highestVaultSequence: 7,
      directoryVersion: 1,
      policyVersion: 1,
      keyPackagesLeft: 0,
    });
    expect(Math.abs(session.relayTimeMs - Date.now())).toBeLessThan(5000);
  });

  test("the highest vault sequence ever named is told, so that a rolled-back vault shows", async () => {
    await admin.reconnect(12);
    const client = await fixture.connect();
    const session = await client.signIn(admin.device, fixture.network.networkId, 3);
    expect(session.highestVaultSequence).toBe(12);
  });

  test("up to where the inbox was ever acknowledged is told, and never less", async () => {
    for (const sequence of [3, 2]) await admin.client.request("inbox.acknowledge", { sequence });
    const client = await fixture.connect();
    const session = await client.signIn(admin.device, fixture.network.networkId, 3);
    expect(session.acknowledgedInboxSequence).toBe(3);
  });

  test("a device that the directory doesn't have is refused", async () => {
    const client = await fixture.connect();
    const stranger = new TestDevice("Stranger");
    expect(await codeOf(client.signIn(stranger, fixture.network.networkId))).toBe(
      "sign-in-refused",
    );
  });

  test("a relay without a network refuses everybody", async () => {
    const empty = await RelayFixture.start();
    const client = await empty.connect();
    expect(await codeOf(client.signIn(admin.device, fixture.network.networkId))).toBe(
      "sign-in-refused",
    );
    await empty.dispose();
  });

  test("wrong signatures are refused: another key, network, challenge or vault sequence", async () => {
    const client = await fixture.connect();
    const { networkId } = fixture.network;
    const { device } = admin;
    const { challenge } = client.hello;
    const other = new TestDevice("Other");
    const signatures = [
      testBytes(64),
      device.signChallenge(new TestNetwork().networkId, challenge, 1),
      device.signChallenge(networkId, testBytes(32), 1),
      device.signChallenge(networkId, challenge, 2),
      // Over the right bytes, for another purpose.
      device.signature.signMessage("DeviceRecord", challenge),
      other.signChallenge(networkId, challenge, 1),
      // The account key certifies devices; it is none.
      device.account.signMessage("SignIn", challenge),
    ];
    for (const signature of signatures) {
      const params = {
        protocolVersion: relayProtocolVersion,
        deviceId: device.deviceId,
        signature,
        vaultSequence: 1,
      };
      expect(await codeOf(client.request("session.signIn", params))).toBe("signature-invalid");
    }
    expect(await codeOf(client.request("policy.get", {}))).toBe("frame-out-of-order");
    expect((await client.signIn(device, networkId)).highestVaultSequence).toBe(1);
  });

  test("a signature of one connection doesn't open another", async () => {
    const first = await fixture.connect();
    const second = await fixture.connect();
    const { networkId } = fixture.network;
    const params = {
      protocolVersion: relayProtocolVersion,
      deviceId: admin.deviceId,
      signature: admin.device.signChallenge(networkId, first.hello.challenge, 1),
      vaultSequence: 1,
    };
    expect(await codeOf(second.request("session.signIn", params))).toBe("signature-invalid");
  });

  test("an unknown protocol version is refused as such", async () => {
    const client = await fixture.connect();
    const { networkId } = fixture.network;
    const params = {
      protocolVersion: 2,
      deviceId: admin.deviceId,
      signature: admin.device.signChallenge(networkId, client.hello.challenge, 1),
      vaultSequence: 1,
    };
    expect(await codeOf(client.request("session.signIn", params))).toBe("protocol-version-unknown");
  });

  test("signing in twice, and a visitor's request afterwards, are out of order", async () => {
    const again = admin.client.signIn(admin.device, fixture.network.networkId);
    expect(await codeOf(again)).toBe("frame-out-of-order");
    const redeem = fixture.redeemParams(new TestDevice("Bo"), testBytes(16));
    expect(await codeOf(admin.client.request("invite.redeem", redeem))).toBe("frame-out-of-order");
    const client = await fixture.connect();
    const bothAtOnce = await Promise.all([
      codeOf(client.signIn(admin.device, fixture.network.networkId)),
      codeOf(client.signIn(admin.device, fixture.network.networkId)),
    ]);
    expect(bothAtOnce.toSorted()).toEqual(["frame-out-of-order", "no failure"]);
  });

  test("a device's newer connection replaces its older one", async () => {
    const old = admin.client;
    await admin.reconnect();
    expect(await old.ended).toEqual({ code: relayCloseCodes.replaced, reason: "replaced" });
    expect(await codeOf(admin.client.request("policy.get", {}))).toBe("no failure");
  });

  test("who doesn't sign in is sent away after a minute", async () => {
    const visitor = await fixture.connect();
    fixture.clock.advance(60_000);
    expect(await visitor.ended).toEqual({
      code: relayCloseCodes["sign-in-timeout"],
      reason: "sign-in-timeout",
    });
    expect(await codeOf(admin.client.request("policy.get", {}))).toBe("no failure");
  });
});
