import { beforeEach, describe, expect, test } from "vitest";
import { suiteNames, supportedSuites, type SuiteName } from "#protocol";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { ensure } from "../../../support/ensure.ts";
import { conversationId } from "../../../support/mls-device.ts";
import {
  createStoryNetwork,
  WorkerDevice,
  type StoryNetwork,
} from "../../../support/worker-device.ts";

const primitives = await loadPrimitives();
const id = conversationId(1);
const suite = suiteNames.default;
const plain = new TextEncoder().encode("said again");

let network: StoryNetwork;
let anna: WorkerDevice;
let ben: WorkerDevice;
let cora: WorkerDevice;

beforeEach(async () => {
  [anna, ben, cora] = await Promise.all([
    WorkerDevice.create(),
    WorkerDevice.create(),
    WorkerDevice.create(),
  ]);
  network = await createStoryNetwork(primitives, anna.worker);
  for (const device of [anna, ben, cora]) await device.enter(network);
});

const makeKey = ({ worker }: WorkerDevice, of: SuiteName = suite) =>
  worker.call("missing.makeKey", { conversationId: id, suite: of });

/** Anna says it again to Ben. */
async function sealed(publicKey: Uint8Array, of: SuiteName = suite) {
  const params = { conversationId: id, suite: of, requester: ben.deviceId, publicKey };
  return (await anna.worker.call("missing.sealAnswer", { ...params, plain: plain.slice() })).sealed;
}

type Opening = Parameters<typeof open>[1];

async function open(
  { worker }: WorkerDevice,
  params: {
    readonly sealedPrivate: Uint8Array;
    readonly kemOutput: Uint8Array;
    readonly ciphertext: Uint8Array;
    readonly suite?: SuiteName;
    readonly answerer?: WorkerDevice["deviceId"];
    readonly conversationId?: typeof id;
  },
) {
  const usual = { conversationId: id, suite, answerer: anna.deviceId };
  return (await worker.call("missing.openAnswer", { ...usual, ...params })).plain;
}

describe.each(supportedSuites)("what is said again to one device alone, in %s", (of) => {
  test("is opened by it, and changed nowhere", async () => {
    const { publicKey, sealedPrivate } = await makeKey(ben, of);
    const answer = ensure(await sealed(publicKey, of));
    const right = { sealedPrivate, ...answer, suite: of };
    // A restart in between leaves the key as it was stored.
    await ben.restart(network, []);
    expect(await open(ben, right)).toEqual(plain);
    for (const field of ["kemOutput", "ciphertext"] as const) {
      for (const changed of [
        answer[field].map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
        answer[field].subarray(1),
        new Uint8Array(),
      ]) {
        expect(await open(ben, { ...right, [field]: changed })).toBeNull();
      }
    }
  });

  test("isn't sealed to what is no key of it", async () => {
    const { publicKey } = await makeKey(ben, of);
    for (const wrong of [publicKey.subarray(1), new Uint8Array(1), new Uint8Array(1568)]) {
      if (of === suiteNames.cnsa && wrong.length === 1568) continue;
      expect(await sealed(wrong, of)).toBeNull();
    }
  });
});

test("it isn't opened on another way: by other device, of another one, or in another conversation", async () => {
  const { publicKey, sealedPrivate } = await makeKey(ben);
  const answer = ensure(await sealed(publicKey));
  const right: Opening = { sealedPrivate, ...answer };
  expect(await open(ben, { ...right, answerer: cora.deviceId })).toBeNull();
  // Her own key doesn't fit.
  const coras = await makeKey(cora);
  expect(await open(cora, { ...right, sealedPrivate: coras.sealedPrivate })).toBeNull();
  // Ben's is sealed in his vault, and for this conversation.
  const notHers = { code: "vault-damaged" };
  await expect(open(cora, right)).rejects.toMatchObject(notHers);
  const elsewhere = { ...right, conversationId: conversationId(2) };
  await expect(open(ben, elsewhere)).rejects.toMatchObject(notHers);
  expect(await open(ben, right)).toEqual(plain);
});

test("a key pair that a device has in two conversations opens in each what went there", async () => {
  const { publicKey, sealedPrivate } = await makeKey(ben);
  const params = { conversationId: conversationId(2), suite, requester: ben.deviceId, publicKey };
  const there = await anna.worker.call("missing.sealAnswer", { ...params, plain: plain.slice() });
  expect(await open(ben, { sealedPrivate, ...ensure(there.sealed) })).toBeNull();
  const toCora = { ...params, conversationId: id, requester: cora.deviceId, plain: plain.slice() };
  const misled = await anna.worker.call("missing.sealAnswer", toCora);
  expect(await open(ben, { sealedPrivate, ...ensure(misled.sealed) })).toBeNull();
});
