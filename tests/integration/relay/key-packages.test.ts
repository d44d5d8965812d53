import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  idFromBytes,
  suiteCodes,
  suiteNames,
  toHex,
  type DeviceId,
  type SuiteName,
} from "#protocol";
import { codeOf, RelayFixture, type SignedIn } from "../../support/relay-fixture.ts";
import { testBytes } from "../../support/relay-identity.ts";

let fixture: RelayFixture;
let admin: SignedIn;
let bo: SignedIn;

beforeEach(async () => {
  ({ fixture, admin } = await RelayFixture.claimed());
  bo = await fixture.invite(admin, "Bo");
});
afterEach(() => fixture.dispose());

const makePackages = (count: number): Uint8Array[] =>
  Array.from({ length: count }, () => testBytes(64));
const publish = (keyPackages: Uint8Array[], lastResort: Uint8Array | null = null) =>
  bo.client.request("keyPackages.publish", { keyPackages, lastResort });
const claim = async (devices: DeviceId[] = [bo.deviceId]) =>
  (await admin.client.request("keyPackages.claim", { devices })).keyPackages;

describe("key packages", () => {
  test("one-time packages go out in order, each once, then the last-resort one again and again", async () => {
    const [first, second] = makePackages(2);
    const lastResort = testBytes(64);
    expect(await publish([first!, second!], lastResort)).toEqual({ keyPackagesLeft: 2 });
    expect(await claim()).toEqual([{ bytes: first, lastResort: false }]);
    expect(await claim()).toEqual([{ bytes: second, lastResort: false }]);
    expect(await claim()).toEqual([{ bytes: lastResort, lastResort: true }]);
    expect(await claim()).toEqual([{ bytes: lastResort, lastResort: true }]);
  });

  test("200 claims at once get 200 different packages", async () => {
    const packages = makePackages(200);
    await publish(packages.slice(0, 150));
    await publish(packages.slice(150), testBytes(64));
    const others = await Promise.all(["Cy", "Di", "Ed"].map((name) => fixture.invite(admin, name)));
    const clients = [admin, ...others].map(({ client }) => client);
    const claimed = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        clients[index % clients.length]!.request("keyPackages.claim", { devices: [bo.deviceId] }),
      ),
    );
    const handedOut = claimed.map(({ keyPackages: [one] }) => one!);
    expect(handedOut.every(({ lastResort }) => !lastResort)).toBe(true);
    const distinct = new Set(handedOut.map(({ bytes }) => toHex(bytes)));
    expect(distinct).toEqual(new Set(packages.map(toHex)));
    expect((await claim())[0]?.lastResort).toBe(true);
  });

  describe("of one suite alone", () => {
    /** As much of an MLSMessage with a KeyPackage as the relay looks at. Source: RFC 9420 §6, §10. */
    const packageOf = (suite: SuiteName): Uint8Array => {
      const code = suiteCodes[suite];
      return new Uint8Array([0, 1, 0, 5, 0, 1, code >> 8, code & 0xff, ...testBytes(32)]);
    };
    const { cnsa, p256 } = suiteNames;
    const claimOf = async (suite: SuiteName, devices = [bo.deviceId], whole = false) =>
      (await admin.client.request("keyPackages.claim", { devices, suite, whole })).keyPackages;

    test("others aren't handed out, nor used up", async () => {
      const [oneTime, lastResort] = [packageOf(cnsa), packageOf(cnsa)];
      await publish([oneTime], lastResort);
      expect(await claimOf(p256)).toEqual([null]);
      expect(await claimOf(cnsa)).toEqual([{ bytes: oneTime, lastResort: false }]);
      expect(await claimOf(p256)).toEqual([null]);
      expect(await claimOf(cnsa)).toEqual([{ bytes: lastResort, lastResort: true }]);
    });

    test("a claim for all of them takes none where one has none", async () => {
      const oneTime = packageOf(cnsa);
      await publish([oneTime]);
      const devices = [bo.deviceId, admin.deviceId];
      const claimBoth = () =>
        admin.client.request("keyPackages.claim", { devices, suite: cnsa, whole: true });
      const none = { keyPackages: [null, null], lacking: [admin.deviceId] };
      expect(await claimBoth()).toEqual(none);
      const own = packageOf(p256);
      await admin.client.request("keyPackages.publish", { keyPackages: [own], lastResort: null });
      expect(await claimBoth()).toEqual(none);
      expect(await claimOf(cnsa, [bo.deviceId], true)).toEqual([
        { bytes: oneTime, lastResort: false },
      ]);
    });
  });

  test("a device without any gives null, in the order asked", async () => {
    const [one] = makePackages(1);
    await publish([one!]);
    expect(await claim([admin.deviceId, bo.deviceId, admin.deviceId])).toEqual([
      null,
      { bytes: one, lastResort: false },
      null,
    ]);
  });

  test("an unknown device fails the claim, and no package is used up", async () => {
    const [one] = makePackages(1);
    await publish([one!]);
    const unknown = idFromBytes<DeviceId>(testBytes(16));
    expect(await codeOf(claim([bo.deviceId, unknown]))).toBe("not-found");
    expect(await claim()).toEqual([{ bytes: one, lastResort: false }]);
  });

  test("publishing again what was published, handed out or not, adds nothing", async () => {
    const packages = makePackages(3);
    await publish(packages);
    await claim();
    expect(await publish(packages)).toEqual({ keyPackagesLeft: 2 });
    const rest = [await claim(), await claim(), await claim()].map(([one]) => one?.bytes ?? null);
    expect(rest).toEqual([packages[1], packages[2], null]);
    expect(await publish(packages)).toEqual({ keyPackagesLeft: 0 });
  });

  test("a new last-resort package replaces the old one; null leaves it", async () => {
    const [old, renewed] = makePackages(2);
    await publish([], old);
    await publish([], renewed);
    await publish(makePackages(1), null);
    await claim();
    expect((await claim())[0]).toEqual({ bytes: renewed, lastResort: true });
  });

  test("the device hears when few are left, and sign-in says how many", async () => {
    await publish(makePackages(51));
    await claim();
    expect(bo.client.events.filter(({ name }) => name === "keyPackages.low")).toEqual([]);
    await claim();
    expect(await bo.client.nextEvent("keyPackages.low")).toEqual({ keyPackagesLeft: 49 });
    const again = await fixture.connect();
    const session = await again.signIn(bo.device, fixture.network.networkId);
    expect(session.keyPackagesLeft).toBe(49);
  });

  test("a claim whose answer would not fit a frame is refused, and uses nothing up", async () => {
    const large = Array.from({ length: 200 }, () => testBytes(16_384));
    for (let at = 0; at < 600; at += 200) {
      await publish(large.map((bytes, index) => bytes.with(0, at / 200).with(1, index)));
    }
    const many = Array.from({ length: 600 }, () => bo.deviceId);
    expect(await codeOf(claim(many))).toBe("frame-too-large");
    const session = await (await fixture.connect()).signIn(bo.device, fixture.network.networkId);
    expect(session.keyPackagesLeft).toBe(600);
  });

  test("a device keeps a thousand at most: the oldest go", async () => {
    const packages = makePackages(1100);
    for (let at = 0; at < 1100; at += 200) await publish(packages.slice(at, at + 200));
    expect(await publish([])).toEqual({ keyPackagesLeft: 1000 });
    expect((await claim())[0]?.bytes).toEqual(packages[100]);
  });

  test("what is no package by its size is refused", async () => {
    expect(await codeOf(publish([testBytes(16_385)]))).toBe("frame-malformed");
    expect(await codeOf(publish(makePackages(201)))).toBe("frame-malformed");
  });
});
