import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  decodeRecord,
  idFromBytes,
  maxKnownDevices,
  type DeviceId,
  type RecordValue,
  type SignedRecord,
} from "#protocol";
import { loadPrimitives, type SignatureKeyPair } from "../../../../crypto/primitives/index.ts";
import {
  createStoryNetwork,
  signAs,
  storyStartMs,
  WorkerDevice,
  type StoryNetwork,
} from "../../../support/worker-device.ts";

const primitives = await loadPrimitives();

let ben: WorkerDevice;
let anna: WorkerDevice;
let network: StoryNetwork;
let bensRecords: Awaited<ReturnType<WorkerDevice["records"]>>;

beforeAll(async () => {
  ben = await WorkerDevice.create();
  network = await createStoryNetwork(primitives, ben.worker);
  await ben.enter(network);
  bensRecords = await ben.records(network);
});
beforeEach(async () => {
  anna = await WorkerDevice.create();
  await anna.enter(network);
});

function trust(
  revocations: readonly SignedRecord[] | undefined,
  suspension: SignedRecord | null | undefined,
) {
  return anna.worker
    .call("directory.trust", {
      entries: [
        {
          ...bensRecords,
          ...(revocations === undefined ? {} : { revocations }),
          ...(suspension === undefined ? {} : { suspension }),
        },
      ],
    })
    .then(({ people }) => people[0]);
}

async function revocation(changes: Partial<RecordValue<"revocation">> = {}): Promise<SignedRecord> {
  const value = {
    networkId: network.networkId,
    userId: ben.userId,
    deviceId: ben.deviceId,
    revokedAtMs: storyStartMs,
    ...changes,
  };
  return (await ben.worker.call("record.sign", { kind: "revocation", value })).record;
}

function suspension(
  changes: Partial<RecordValue<"suspension">> = {},
  key: SignatureKeyPair = network.network,
): SignedRecord {
  const value = {
    networkId: network.networkId,
    userId: ben.userId,
    suspended: true,
    issuedAtMs: storyStartMs,
    ...changes,
  };
  return signAs(primitives, "suspension", value, key);
}

describe("a revoked device", () => {
  test("is no device of its person any more", async () => {
    const signed = await revocation();
    expect(await trust([signed], null)).toMatchObject({
      devices: [],
      objections: [],
      revoked: [ben.deviceId],
      suspended: false,
      kept: { revocations: [signed], suspension: null },
    });
  });

  test("stays revoked when the relay no longer says so, by the earliest word about it", async () => {
    const first = await revocation();
    await trust([first], null);
    expect(await trust([], null)).toMatchObject({ devices: [], kept: { revocations: [first] } });
    const later = await revocation({ revokedAtMs: storyStartMs + 1 });
    expect(await trust([later], undefined)).toMatchObject({ kept: { revocations: [first] } });
    const earlier = await revocation({ revokedAtMs: storyStartMs - 1 });
    expect(await trust([earlier], undefined)).toMatchObject({ kept: { revocations: [earlier] } });
    expect(await trust([first, later], undefined)).toMatchObject({
      kept: { revocations: [earlier] },
    });
    expect(await trust(undefined, undefined)).toMatchObject({ revoked: [ben.deviceId] });
  });

  test("is one only by the word of its own account", async () => {
    const value = decodeRecord("revocation", (await revocation()).payload);
    const strange = [
      signAs(primitives, "revocation", value, network.issuer),
      signAs(primitives, "revocation", value, network.network),
      await revocation({ userId: anna.userId }),
      await revocation({ networkId: ben.userId as never }),
      { ...(await revocation()), signature: new Uint8Array(64) },
    ];
    expect(await trust(strange, null)).toMatchObject({
      devices: [{ deviceId: ben.deviceId }],
      revoked: [],
      kept: { revocations: [] },
    });
  });

  test("doesn't take others of the same person with it", async () => {
    const other = idFromBytes<DeviceId>(primitives.random(16));
    expect(await trust([await revocation({ deviceId: other })], null)).toMatchObject({
      devices: [{ deviceId: ben.deviceId }],
      revoked: [other],
    });
  });
});

describe("a person of whom the relay tells ever more", () => {
  const newId = () => idFromBytes<DeviceId>(primitives.random(16));

  async function page(): Promise<SignedRecord[]> {
    const [own] = bensRecords.devices;
    if (own === undefined) throw new Error("no device");
    const value = decodeRecord("device", own.payload);
    return Promise.all(
      Array.from({ length: maxKnownDevices }, async () => {
        const { publicKey } = primitives.ed25519.generateKeyPair();
        const device = { ...value, deviceId: newId(), signatureKey: publicKey };
        return (await ben.worker.call("record.sign", { kind: "device", value: device })).record;
      }),
    );
  }

  test("has no more devices to be kept than the protocol allows", async () => {
    await trust([], null);
    for (let round = 0; round < 3; round++) {
      const entries = [{ ...bensRecords, devices: await page() }];
      const { people } = await anna.worker.call("directory.trust", { entries });
      expect(people[0]?.kept.devices.length).toBeLessThanOrEqual(maxKnownDevices);
    }
    expect((await trust([], null))?.devices.map(({ deviceId }) => deviceId)).toContain(
      ben.deviceId,
    );
  });

  test("has no more revocations either, and a device that is known can always be revoked", async () => {
    await trust([], null);
    for (let round = 0; round < 2; round++) {
      const strange = await Promise.all(
        Array.from({ length: maxKnownDevices }, () => revocation({ deviceId: newId() })),
      );
      expect((await trust(strange, null))?.kept.revocations.length).toBe(maxKnownDevices);
    }
    expect(await trust([await revocation()], null)).toMatchObject({ devices: [] });
  });
});

describe("a suspension", () => {
  test("is the network key's word, and leaves the devices what they are", async () => {
    const signed = suspension();
    expect(await trust([], signed)).toMatchObject({
      devices: [{ deviceId: ben.deviceId }],
      suspended: true,
      kept: { suspension: signed },
    });
  });

  test("counts as the latest word says, however the relay orders them", async () => {
    const lifted = suspension({ suspended: false, issuedAtMs: storyStartMs + 1 });
    expect(await trust([], suspension())).toMatchObject({ suspended: true });
    expect(await trust([], lifted)).toMatchObject({ suspended: false });
    expect(await trust([], suspension())).toMatchObject({
      suspended: false,
      kept: { suspension: lifted },
    });
    expect(await trust([], null)).toMatchObject({ kept: { suspension: lifted } });
  });

  test("by anybody else, for somebody else or another network is none", async () => {
    const strange = [
      suspension({}, network.issuer),
      suspension({ userId: anna.userId }),
      suspension({ networkId: ben.userId as never }),
    ];
    for (const record of strange) {
      expect(await trust([], record)).toMatchObject({
        suspended: false,
        kept: { suspension: null },
      });
    }
  });

  test("is signed by the worker that has the network key", async () => {
    const { networkId, networkKey, sealedNetworkKey } = await anna.worker.call(
      "network.create",
      {},
    );
    await anna.worker.call("network.load", { sealedNetworkKey });
    const value = { networkId, userId: ben.userId, suspended: true, issuedAtMs: 5 };
    const { record } = await anna.worker.call("record.sign", { kind: "suspension", value });
    const check = { kind: "suspension", record, publicKey: networkKey } as const;
    expect((await anna.worker.call("record.verify", check)).value).toEqual(value);
  });
});

test("all of it is forgotten when the vault is locked", async () => {
  await trust([await revocation()], suspension());
  await anna.worker.call("vault.lock", {});
  await anna.unlock();
  await anna.enter(network);
  expect(await trust([], null)).toMatchObject({ revoked: [], suspended: false });
});
