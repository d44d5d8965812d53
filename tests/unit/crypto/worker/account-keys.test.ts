import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { decodeRecord, type PersonRecords, type UserRecord } from "#protocol";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import {
  createStoryNetwork,
  signAs,
  WorkerDevice,
  type StoryNetwork,
} from "../../../support/worker-device.ts";

const primitives = await loadPrimitives();

let ben: WorkerDevice;
let benAnew: WorkerDevice;
let anna: WorkerDevice;
let network: StoryNetwork;
let known: PersonRecords;
let knownUser: UserRecord;

beforeAll(async () => {
  ben = await WorkerDevice.create();
  network = await createStoryNetwork(primitives, ben.worker);
  await ben.enter(network);
  known = await ben.records(network);
  knownUser = decodeRecord("user", known.user.payload);
  benAnew = await WorkerDevice.create();
  await benAnew.enter(network);
});
beforeEach(async () => {
  anna = await WorkerDevice.create();
  await anna.enter(network);
  await anna.worker.call("directory.trust", { entries: [known] });
});

/** Ben's user record for another account key. */
async function another(
  changes: Partial<UserRecord> = {},
  issuer = network.issuer,
): Promise<PersonRecords> {
  const { user } = await benAnew.records(network);
  const { accountKey } = decodeRecord("user", user.payload);
  const issuedAtMs = knownUser.issuedAtMs + 1;
  const value = { ...knownUser, accountKey, issuedAtMs, ...changes };
  const former = [{ user: known.user, devices: known.devices }];
  return { user: signAs(primitives, "user", value, issuer), devices: [], former };
}

describe("another account key for a known person", () => {
  test("is reported, and nothing of it is believed", async () => {
    const answer = await anna.worker.call("directory.trust", { entries: [await another()] });
    expect(answer.people).toEqual([null]);
    expect(answer.otherKeys).toMatchObject([{ index: 0, user: { userId: ben.userId } }]);
    const again = await anna.worker.call("directory.trust", { entries: [known] });
    expect(again.people[0]?.devices).toHaveLength(1);
  });

  test("is nothing at all when it is older, or when somebody else has signed it", async () => {
    const entries = [
      await another({ issuedAtMs: knownUser.issuedAtMs - 1 }),
      await another({}, network.network),
    ];
    const answer = await anna.worker.call("directory.trust", { entries });
    expect(answer).toEqual({ people: [null, null], otherKeys: [] });
    for (const records of entries) {
      expect(await anna.worker.call("directory.acceptKey", { records })).toEqual({ person: null });
    }
  });

  test("takes the former one's devices with it once it is accepted, and after a restart", async () => {
    const records = await another();
    const { person } = await anna.worker.call("directory.acceptKey", { records });
    expect(person).toMatchObject({ devices: [], revoked: [ben.deviceId] });
    const older = await anna.worker.call("directory.trust", { entries: [known] });
    expect(older).toEqual({ people: [null], otherKeys: [] });
    const later = await WorkerDevice.create();
    await later.enter(network);
    const loaded = await later.worker.call("directory.trust", { entries: [records] });
    expect(loaded.people[0]).toMatchObject({ devices: [], revoked: [ben.deviceId] });
  });

  test("is never accepted for one's own person", async () => {
    const records = await another();
    const answer = await ben.worker.call("directory.trust", { entries: [records] });
    expect(answer.otherKeys).toHaveLength(1);
    expect(await ben.worker.call("directory.acceptKey", { records })).toEqual({ person: null });
  });
});
