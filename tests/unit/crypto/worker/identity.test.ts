import { beforeAll, describe, expect, test } from "vitest";
import {
  decodeRecord,
  idFromBytes,
  signingInput,
  signInLabel,
  signInPayload,
  type DeviceId,
  type UserId,
} from "#protocol";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import {
  createStoryNetwork,
  signAs,
  storyStartMs,
  WorkerDevice,
  type StoryNetwork,
} from "../../../support/worker-device.ts";

const primitives = await loadPrimitives();

let anna: WorkerDevice;
let ben: WorkerDevice;
let network: StoryNetwork;

beforeAll(async () => {
  anna = await WorkerDevice.create();
  ben = await WorkerDevice.create();
  network = await createStoryNetwork(primitives, anna.worker);
  await anna.enter(network);
  await ben.enter(network);
});

describe("the network", () => {
  test("is named after its key", async () => {
    const created = await anna.worker.call("network.create", {});
    const { networkId } = await anna.worker.call("network.idOf", created);
    expect(networkId).toBe(created.networkId);
  });

  test("key signs certificates and policies, and is worth nothing in another vault", async () => {
    const { networkId, networkKey, sealedNetworkKey } = await anna.worker.call(
      "network.create",
      {},
    );
    await anna.worker.call("network.load", { sealedNetworkKey });
    const value = {
      networkId,
      issuerKey: network.issuer.publicKey,
      notBeforeMs: 0,
      notAfterMs: 1,
    };
    const { record } = await anna.worker.call("record.sign", { kind: "issuerCertificate", value });
    const check = { kind: "issuerCertificate", record, publicKey: networkKey } as const;
    expect((await anna.worker.call("record.verify", check)).value).toEqual(value);
    await expect(ben.worker.call("network.load", { sealedNetworkKey })).rejects.toMatchObject({
      code: "vault-damaged",
    });
  });

  test("is believed only when key, issuer, certificate and date belong together", async () => {
    const { issuerCertificate } = network;
    const networkKey = network.network.publicKey;
    const issuerKey = network.issuer.publicKey;
    const stranger = primitives.ed25519.generateKeyPair();
    const certificate = decodeRecord("issuerCertificate", issuerCertificate.payload);
    const expired = { ...certificate, notAfterMs: storyStartMs - 1 };
    const attempts = [
      { networkKey: stranger.publicKey, issuerCertificate, issuerKey },
      { networkKey, issuerCertificate, issuerKey: stranger.publicKey },
      {
        networkKey,
        issuerKey,
        issuerCertificate: signAs(primitives, "issuerCertificate", certificate, stranger),
      },
      {
        networkKey,
        issuerKey,
        issuerCertificate: signAs(primitives, "issuerCertificate", expired, network.network),
      },
    ];
    for (const attempt of attempts) {
      await expect(anna.worker.call("directory.setNetwork", attempt)).rejects.toMatchObject({
        code: "relay-identity-changed",
      });
    }
  });
});

describe("records", () => {
  test("that were altered or signed by somebody else are refused", async () => {
    const { user } = await anna.records(network);
    const publicKey = network.issuer.publicKey;
    const check = (record: typeof user, key = publicKey) =>
      anna.worker.call("record.verify", { kind: "user", record, publicKey: key });
    expect((await check(user)).value).toMatchObject({ userId: anna.userId });
    const altered = { ...user, payload: user.payload.map((byte, at) => (at === 40 ? 65 : byte)) };
    const invalid = { code: "signature-invalid" };
    await expect(check(altered)).rejects.toMatchObject(invalid);
    await expect(check(user, anna.accountKey)).rejects.toMatchObject(invalid);
  });

  test("of one kind can't stand for another", async () => {
    const { user } = await anna.records(network);
    const publicKey = network.issuer.publicKey;
    await expect(
      anna.worker.call("record.verify", { kind: "device", record: user, publicKey }),
    ).rejects.toMatchObject({ code: "signature-invalid" });
  });

  test("sign in: the challenge is signed for this network and device", async () => {
    const challenge = primitives.random(32);
    const { signature } = await anna.worker.call("session.sign", { challenge, vaultSequence: 7 });
    const verify = (deviceId: DeviceId, sequence: number): boolean =>
      primitives.ed25519.verify(
        anna.signatureKey,
        signingInput(signInLabel, signInPayload(network.networkId, deviceId, challenge, sequence)),
        signature,
      );
    expect(verify(anna.deviceId, 7)).toBe(true);
    expect(verify(anna.deviceId, 8)).toBe(false);
    expect(verify(ben.deviceId, 7)).toBe(false);
  });
});

describe("the directory", () => {
  test("believes people whom the issuer signed, with the devices that they signed", async () => {
    const entry = await ben.records(network);
    const { people } = await anna.worker.call("directory.trust", { entries: [entry] });
    expect(people).toMatchObject([
      {
        user: { userId: ben.userId },
        devices: [{ deviceId: ben.deviceId }],
        objections: [],
      },
    ]);
  });

  test("refuses a person whom the issuer didn't sign", async () => {
    const entry = await ben.records(network);
    const user = decodeRecord("user", entry.user.payload);
    const forged = signAs(primitives, "user", user, primitives.ed25519.generateKeyPair());
    const { people } = await anna.worker.call("directory.trust", {
      entries: [{ ...entry, user: forged }, entry],
    });
    expect(people[0]).toBeNull();
    expect(people[1]).not.toBeNull();
  });

  test("refuses a device that the relay slipped in, and keeps the others", async () => {
    const { user, devices } = await ben.records(network);
    const [device] = devices;
    if (device === undefined) throw new Error("no device");
    const silent = signAs(
      primitives,
      "device",
      {
        ...decodeRecord("device", device.payload),
        deviceId: idFromBytes<DeviceId>(primitives.random(16)),
      },
      network.issuer,
    );
    const { people } = await anna.worker.call("directory.trust", {
      entries: [{ user, devices: [silent, device] }],
    });
    expect(people).toMatchObject([
      { devices: [{ deviceId: ben.deviceId }], objections: [{ kind: "device" }] },
    ]);
  });

  test("refuses a device of somebody else, and another key for a device it knows", async () => {
    const { user, devices } = await ben.records(network);
    const [device] = devices;
    if (device === undefined) throw new Error("no device");
    await anna.worker.call("directory.trust", { entries: [{ user, devices }] });
    // A device record is signed by its account; so the thief is a person with an account of their own.
    const account = primitives.ed25519.generateKeyPair();
    const userId = idFromBytes<UserId>(primitives.random(16));
    const thief = signAs(
      primitives,
      "user",
      { ...decodeRecord("user", user.payload), userId, accountKey: account.publicKey },
      network.issuer,
    );
    const value = decodeRecord("device", device.payload);
    const stolen = signAs(primitives, "device", { ...value, userId }, account);
    const asBen = signAs(primitives, "device", value, account);
    const { people } = await anna.worker.call("directory.trust", {
      entries: [{ user: thief, devices: [stolen, asBen] }],
    });
    expect(people).toMatchObject([
      { devices: [], objections: [{ kind: "device" }, { kind: "device" }] },
    ]);
  });

  test("refuses another account key for a person it knows, in one page or later", async () => {
    const entry = await ben.records(network);
    const value = decodeRecord("user", entry.user.payload);
    const account = primitives.ed25519.generateKeyPair();
    const swapped = {
      user: signAs(
        primitives,
        "user",
        { ...value, accountKey: account.publicKey, issuedAtMs: value.issuedAtMs + 5000 },
        network.issuer,
      ),
      devices: [
        signAs(
          primitives,
          "device",
          {
            networkId: network.networkId,
            userId: ben.userId,
            deviceId: idFromBytes<DeviceId>(primitives.random(16)),
            deviceName: "Relay",
            platform: "linux",
            signatureKey: primitives.ed25519.generateKeyPair().publicKey,
            createdAtMs: value.issuedAtMs,
          },
          account,
        ),
      ],
    };
    const page = await anna.worker.call("directory.trust", { entries: [entry, swapped] });
    expect(page.people[0]).not.toBeNull();
    expect(page.people[1]).toBeNull();
    const later = await anna.worker.call("directory.trust", { entries: [swapped, entry] });
    expect(later.people[0]).toBeNull();
    // The devices that were believed before still are.
    expect(later.people[1]).toMatchObject({ devices: [{ deviceId: ben.deviceId }] });
  });

  test("refuses another account key for its own person from the first record on", async () => {
    const entry = await ben.records(network);
    const value = decodeRecord("user", entry.user.payload);
    const { publicKey } = primitives.ed25519.generateKeyPair();
    const swapped = signAs(primitives, "user", { ...value, accountKey: publicKey }, network.issuer);
    await ben.enter(network);
    const { people } = await ben.worker.call("directory.trust", {
      entries: [{ user: swapped, devices: [] }, entry],
    });
    expect(people[0]).toBeNull();
    expect(people[1]).not.toBeNull();
  });

  test("refuses an older record of a person than it has", async () => {
    const entry = await ben.records(network);
    const value = decodeRecord("user", entry.user.payload);
    const newer = { ...value, issuedAtMs: value.issuedAtMs + 5000, displayName: "Ben Newer" };
    const { people } = await anna.worker.call("directory.trust", {
      entries: [{ ...entry, user: signAs(primitives, "user", newer, network.issuer) }, entry],
    });
    expect(people[0]?.user.displayName).toBe("Ben Newer");
    expect(people[1]).toBeNull();
  });
});
