import { afterEach, describe, expect, test } from "vitest";
import { decodeRecord, idFromBytes, type DeviceId, type InviteId, type UserId } from "#protocol";
import { codeOf, RelayFixture, type SignedIn } from "../../support/relay-fixture.ts";
import { TestDevice, testBytes, TestKey, TestNetwork } from "../../support/relay-identity.ts";

let fixture: RelayFixture;
let admin: SignedIn;

const startClaimed = async (...options: Parameters<typeof RelayFixture.claimed>): Promise<void> => {
  ({ fixture, admin } = await RelayFixture.claimed(...options));
};

afterEach(() => fixture.dispose());

describe("claiming a relay", () => {
  test("an unclaimed relay says so, gives its issuer key and keeps both over a restart", async () => {
    fixture = await RelayFixture.start();
    const { hello } = await fixture.connect();
    expect(hello.network).toBeNull();
    expect(hello.protocolVersions).toEqual([1]);
    const code = await fixture.relay.claimCode();
    expect(code).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$/u);
    const { port } = fixture.relay;
    await fixture.stopRelay();
    await fixture.startRelay();
    expect(await fixture.relay.claimCode()).toBe(code);
    expect(fixture.relay.port).toBe(port);
    const again = (await fixture.connect()).hello;
    expect(again.issuerKey).toEqual(hello.issuerKey);
    expect(again.challenge).not.toEqual(hello.challenge);
  });

  test("the code as a person types it claims it; the hello then shows the network", async () => {
    fixture = await RelayFixture.start();
    const client = await fixture.connect();
    const code = (await fixture.relay.claimCode())!;
    const typed = ` ${code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l")} `;
    const { administratorToken } = await fixture.claim(client, {}, { claimCode: typed });
    expect(administratorToken).toHaveLength(16);
    const { network } = (await fixture.connect()).hello;
    expect(network?.networkId).toBe(fixture.network.networkId);
    expect(network?.networkKey).toEqual(fixture.network.key.publicKey);
  });

  test("a wrong code is refused and changes nothing", async () => {
    fixture = await RelayFixture.start();
    const client = await fixture.connect();
    const wrong = fixture.claim(client, {}, { claimCode: "AAAAA-AAAAA-AAAAA-AAAAA" });
    expect(await codeOf(wrong)).toBe("claim-refused");
    expect((await fixture.connect()).hello.network).toBeNull();
  });

  test("records that the network key didn't sign, or that say something else, are refused", async () => {
    fixture = await RelayFixture.start();
    const { network } = fixture;
    const other = new TestNetwork();
    const client = await fixture.connect();
    const { issuerKey } = client.hello;
    const forged = { ...network.policy(), signature: testBytes(64) };
    const inMs = (ms: number): number => fixture.clock.nowMs() + ms;
    const attempts = {
      "signature-invalid": [
        { policy: forged },
        { issuerCertificate: { ...network.certificate(issuerKey), signature: testBytes(64) } },
        { policy: other.policy() },
        { issuerCertificate: other.certificate(issuerKey) },
        // A signature made for another kind of record.
        { policy: network.certificate(issuerKey) },
        { networkKey: testBytes(32) },
      ],
      "record-invalid": [
        { issuerCertificate: network.certificate(testBytes(32)) },
        { issuerCertificate: network.certificate(issuerKey, { networkId: other.networkId }) },
        { issuerCertificate: network.certificate(issuerKey, { notAfterMs: inMs(-1) }) },
        { issuerCertificate: network.certificate(issuerKey, { notBeforeMs: inMs(3_600_000) }) },
        { policy: network.policy({ networkId: other.networkId }) },
      ],
    };
    for (const [code, changes] of Object.entries(attempts)) {
      for (const change of changes) {
        expect(await codeOf(fixture.claim(client, {}, change))).toBe(code);
      }
    }
    expect((await fixture.connect()).hello.network).toBeNull();
  });

  test("a client that stopped halfway claims again with the same key and gets another token; the first one is void", async () => {
    fixture = await RelayFixture.start();
    const first = await fixture.claim(await fixture.connect());
    await fixture.stopRelay();
    await fixture.startRelay();
    expect(await fixture.relay.claimCode()).not.toBeNull();
    const client = await fixture.connect();
    const second = await fixture.claim(client, { version: 2 });
    expect(second.administratorToken).not.toEqual(first.administratorToken);
    const late = new TestDevice("Late");
    const redeem = fixture.redeemParams(late, first.administratorToken);
    expect(await codeOf(client.request("invite.redeem", redeem))).toBe("invite-unknown");
    expect(await codeOf(fixture.claim(client, { version: 1 }))).toBe("record-invalid");

    const device = new TestDevice("Ada");
    const params = fixture.redeemParams(device, second.administratorToken);
    const { user } = await client.request("invite.redeem", params);
    expect(decodeRecord("user", user.payload)).toMatchObject({
      displayName: "Ada",
      role: "administrator",
    });
    expect(await fixture.relay.claimCode()).toBeNull();
    expect(await codeOf(fixture.claim(client, { version: 3 }))).toBe("network-claimed");
  });

  test("the claim code is asked for again, and another key doesn't get the network", async () => {
    fixture = await RelayFixture.start();
    const client = await fixture.connect();
    await fixture.claim(client);
    expect(await codeOf(fixture.claim(client, {}, { claimCode: "wrong" }))).toBe("claim-refused");
    const other = new TestNetwork();
    const takeover = {
      networkKey: other.key.publicKey,
      issuerCertificate: other.certificate(client.hello.issuerKey),
      policy: other.policy(),
    };
    expect(await codeOf(fixture.claim(client, {}, takeover))).toBe("network-claimed");
  });
});

describe("invites", () => {
  const create = (inviter: SignedIn, uses = 1, lifeMs = 3_600_000) =>
    inviter.client.request("invite.create", { expiresAtMs: fixture.clock.nowMs() + lifeMs, uses });
  const redeem = async (device: TestDevice, token: Uint8Array) =>
    (await fixture.connect()).request("invite.redeem", fixture.redeemParams(device, token));

  test("a member's invite makes a member; the issuer signs the record", async () => {
    await startClaimed();
    const { token } = await create(admin);
    const device = new TestDevice("  Bo  ");
    const { user } = await redeem(device, token);
    expect(decodeRecord("user", user.payload)).toMatchObject({
      networkId: fixture.network.networkId,
      userId: device.userId,
      displayName: "Bo",
      role: "member",
      accountKey: device.account.publicKey,
    });
  });

  test("redeeming again with the same account and device gives the same answer, and uses nothing up", async () => {
    await startClaimed();
    const { token, invite } = await create(admin, 2);
    const device = new TestDevice("Bo");
    const params = fixture.redeemParams(device, token);
    const client = await fixture.connect();
    const first = await client.request("invite.redeem", params);
    expect(await client.request("invite.redeem", params)).toEqual(first);
    const { invites } = await admin.client.request("invite.list", {});
    expect(invites).toEqual([{ ...invite, usesLeft: 1 }]);
    await redeem(new TestDevice("Cy"), token);
    // Used up and even withdrawn, it still gives the answer that was lost.
    await admin.client.request("invite.revoke", { inviteId: invite.inviteId });
    expect(await client.request("invite.redeem", params)).toEqual(first);
  });

  test("an account that is there can take another invite without using it up", async () => {
    await startClaimed();
    const first = await create(admin);
    const second = await create(admin);
    const device = new TestDevice("Bo");
    const { user } = await redeem(device, first.token);
    expect((await redeem(device, second.token)).user).toEqual(user);
    const { invites } = await admin.client.request("invite.list", {});
    const usesLeft = new Map(invites.map((invite) => [invite.inviteId, invite.usesLeft]));
    expect(usesLeft.get(second.invite.inviteId)).toBe(1);
    expect(await codeOf(redeem(device, testBytes(16)))).toBe("invite-unknown");
  });

  test("unknown, expired, used and withdrawn invites are told apart", async () => {
    await startClaimed();
    expect(await codeOf(redeem(new TestDevice("Bo"), testBytes(16)))).toBe("invite-unknown");

    const used = await create(admin);
    await redeem(new TestDevice("Bo"), used.token);
    expect(await codeOf(redeem(new TestDevice("Cy"), used.token))).toBe("invite-used");

    const withdrawn = await create(admin);
    await admin.client.request("invite.revoke", { inviteId: withdrawn.invite.inviteId });
    expect(await codeOf(redeem(new TestDevice("Cy"), withdrawn.token))).toBe("invite-unknown");
    const again = admin.client.request("invite.revoke", { inviteId: withdrawn.invite.inviteId });
    expect(await codeOf(again)).toBe("invite-unknown");

    const expiring = await create(admin, 5, 60_000);
    fixture.clock.advance(60_000);
    expect(await codeOf(redeem(new TestDevice("Cy"), expiring.token))).toBe("invite-expired");
  });

  test("of many that redeem a single-use invite at once, one gets in", async () => {
    await startClaimed();
    const { token } = await create(admin);
    const codes = await Promise.all(
      Array.from({ length: 20 }, () => codeOf(redeem(new TestDevice("Racer"), token))),
    );
    expect(codes.filter((code) => code === "no failure")).toHaveLength(1);
    expect(codes.filter((code) => code === "invite-used")).toHaveLength(19);
  });

  test("records that don't fit are refused: another's signature, network, user, keys and ids that are taken", async () => {
    await startClaimed();
    const { token } = await create(admin, 10);
    const bo = new TestDevice("Bo");
    const good = fixture.redeemParams(bo, token);
    const { networkId } = fixture.network;
    const client = await fixture.connect();
    const attempt = (changes: object) =>
      codeOf(client.request("invite.redeem", { ...good, ...changes }));
    const stranger = new TestKey();

    expect(await attempt({ accountKey: stranger.publicKey })).toBe("signature-invalid");
    const forged = { ...bo.record(networkId), signature: testBytes(64) };
    expect(await attempt({ device: forged })).toBe("signature-invalid");
    const otherNetwork = bo.record(new TestNetwork().networkId);
    expect(await attempt({ device: otherNetwork })).toBe("record-invalid");
    expect(await attempt({ userId: idFromBytes<UserId>(testBytes(16)) })).toBe("record-invalid");
    for (const taken of [
      { deviceId: admin.device.deviceId },
      { signatureKey: admin.device.signature.publicKey },
    ]) {
      expect(await attempt({ device: bo.record(networkId, taken) })).toBe("record-invalid");
    }
    const impostor = new TestDevice("Impostor");
    const asAdmin = impostor.record(networkId, { userId: admin.device.userId });
    expect(
      await attempt({
        userId: admin.device.userId,
        accountKey: impostor.account.publicKey,
        device: asAdmin,
      }),
    ).toBe("record-invalid");
    // The same account key can't become a second person.
    await client.request("invite.redeem", good);
    const second = { userId: idFromBytes<UserId>(testBytes(16)) };
    const device = bo.record(networkId, {
      ...second,
      deviceId: idFromBytes<DeviceId>(testBytes(16)),
    });
    expect(await attempt({ ...second, device })).toBe("record-invalid");
    const { invites } = await admin.client.request("invite.list", {});
    expect(invites[0]?.usesLeft).toBe(9);
  });

  test("a name that is none is refused as a name", async () => {
    await startClaimed();
    const { token } = await create(admin);
    const client = await fixture.connect();
    for (const displayName of ["", "   ", "x".repeat(81), "a\u0007b", "a\u202eb"]) {
      const params = { ...fixture.redeemParams(new TestDevice("Bo"), token), displayName };
      expect(await codeOf(client.request("invite.redeem", params))).toBe("name-invalid");
    }
  });

  test("members see and withdraw their own invites, an administrator all; the administrator's token is in nobody's list", async () => {
    await startClaimed();
    expect((await admin.client.request("invite.list", {})).invites).toEqual([]);
    const bo = await fixture.invite(admin, "Bo");
    const ofAdmin = await create(admin);
    const ofBo = await create(bo);
    const ids = async (who: SignedIn) =>
      (await who.client.request("invite.list", {})).invites.map(({ inviteId }) => inviteId);
    expect(await ids(bo)).toEqual([ofBo.invite.inviteId]);
    expect((await ids(admin)).toSorted()).toEqual(
      expect.arrayContaining([ofAdmin.invite.inviteId, ofBo.invite.inviteId]),
    );
    const revoke = (who: SignedIn, inviteId: InviteId) =>
      codeOf(who.client.request("invite.revoke", { inviteId }));
    expect(await revoke(bo, ofAdmin.invite.inviteId)).toBe("not-allowed");
    expect(await revoke(admin, ofBo.invite.inviteId)).toBe("no failure");
    expect(await ids(bo)).toEqual([]);
  });

  test("the policy decides whether members invite; administrators always may", async () => {
    await startClaimed({}, { membersMayInvite: false });
    const bo = await fixture.invite(admin, "Bo");
    expect(await codeOf(create(bo))).toBe("not-allowed");
    expect(await codeOf(create(admin))).toBe("no failure");
  });

  test("an end in the past or years ahead is refused", async () => {
    await startClaimed();
    expect(await codeOf(create(admin, 1, 0))).toBe("argument-invalid");
    expect(await codeOf(create(admin, 1, 3 * 366 * 24 * 3_600_000))).toBe("argument-invalid");
  });

  test("neither the data file nor the log of a relay holds a token", async () => {
    await startClaimed();
    const { token } = await create(admin);
    await fixture.stopRelay();
    const { readFileSync } = await import("node:fs");
    const file = readFileSync(`${fixture.directory}/data.mdb`);
    expect(file.includes(Buffer.from(token))).toBe(false);
    await fixture.startRelay();
  });
});

describe("the directory", () => {
  test("lists everybody once, by the version at which they came, in pages", async () => {
    await startClaimed();
    const people = [admin];
    for (const name of ["Bo", "Cy", "Di"]) people.push(await fixture.invite(admin, name));
    const all = await admin.client.request("directory.list", { afterVersion: 0 });
    expect(all.version).toBe(4);
    expect(all.entries.map((entry) => entry.version)).toEqual([1, 2, 3, 4]);
    expect(
      all.entries.map((entry) => decodeRecord("user", entry.user.payload).displayName),
    ).toEqual(["Ada", "Bo", "Cy", "Di"]);
    expect(
      all.entries.map((entry) => decodeRecord("device", entry.devices[0]!.payload).deviceId),
    ).toEqual(people.map(({ deviceId }) => deviceId));
    const later = await admin.client.request("directory.list", { afterVersion: 3 });
    expect(later.entries.map((entry) => entry.version)).toEqual([4]);
    expect(await admin.client.request("directory.list", { afterVersion: 4 })).toEqual({
      entries: [],
      version: 4,
    });
  });

  test("tells everybody who is connected that it changed", async () => {
    await startClaimed();
    const bo = await fixture.invite(admin, "Bo");
    expect(await admin.client.nextEvent("directory.changed")).toEqual({ version: 2 });
    await fixture.invite(admin, "Cy");
    expect(await admin.client.nextEvent("directory.changed")).toEqual({ version: 3 });
    expect(await bo.client.nextEvent("directory.changed")).toEqual({ version: 3 });
  });

  test("gives the policy as it was signed", async () => {
    await startClaimed();
    const { policy } = await admin.client.request("policy.get", {});
    expect(policy).toEqual((await fixture.connect()).hello.network?.policy);
    expect(decodeRecord("policy", policy.payload).networkName).toBe("Test network");
  });
});
