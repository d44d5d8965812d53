import { beforeEach, describe, expect, test } from "vitest";
import { ciphersuites } from "ts-mls";
import {
  equalBytes,
  suiteCodes,
  suiteNames,
  supportedSuites,
  type RoomState,
  type SuiteName,
} from "#protocol";
import { isLeafKeyOf, leafKeyOf } from "../../../../crypto/identity/leaf-keys.ts";
import { decodeKeyPackage } from "../../../../crypto/mls/codec.ts";
import { leafIdentityOf } from "../../../../crypto/mls/credential.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { ensure } from "../../../support/ensure.ts";
import { conversationId, someTimers } from "../../../support/mls-device.ts";
import {
  createStoryNetwork,
  WorkerDevice,
  type StoryNetwork,
} from "../../../support/worker-device.ts";

const primitives = await loadPrimitives();
const { ed25519 } = primitives;
const id = conversationId(1);
/** One of each signature scheme but Ed25519. */
const otherSchemes = [
  suiteNames.p256,
  suiteNames.p384,
  suiteNames.p521,
  suiteNames.x448,
  suiteNames.cnsa,
];

let network: StoryNetwork;
let anna: WorkerDevice;
let ben: WorkerDevice;

beforeEach(async () => {
  anna = await WorkerDevice.create();
  ben = await WorkerDevice.create();
  network = await createStoryNetwork(primitives, anna.worker);
  for (const device of [anna, ben]) await device.enter(network);
  for (const device of [anna, ben]) await device.meet(network, [anna, ben]);
});

async function createConversation(suite: SuiteName) {
  const roomState: RoomState = {
    kind: "group",
    name: "Plans",
    administrators: [anna.userId],
    timers: someTimers,
  };
  return anna.store(
    await anna.worker.call("group.create", { suite, conversationId: id, roomState }),
  );
}

async function prepareAdding(keyPackage: Uint8Array) {
  return anna.store(
    await anna.worker.call("group.prepareCommit", {
      conversationId: id,
      addKeyPackages: [keyPackage],
      removeDevices: [],
      roomState: null,
    }),
  );
}

async function addBen(keyPackage: Uint8Array): Promise<Uint8Array> {
  const prepared = await prepareAdding(keyPackage);
  anna.store(await anna.worker.call("group.settleCommit", { conversationId: id, accepted: true }));
  return ensure(prepared.welcome);
}

describe.each(supportedSuites)("a conversation of %s", (suite) => {
  test("is joined, read, and goes on after a restart", async () => {
    expect((await createConversation(suite)).summary.suite).toBe(suite);
    const joined = await ben.join(id, await addBen(await ben.keyPackage(suite)));
    expect(joined).toMatchObject({ kind: "joined", summary: { suite } });
    expect(await anna.hear(id, await ben.say(id, "here I am"))).toBe("here I am");
    await anna.restart(network, [anna, ben]);
    expect(await ben.hear(id, await anna.say(id, "so am I"))).toBe("so am I");
  });
});

test("suites have the numbers that MLS messages name them by", () => {
  for (const suite of supportedSuites) expect(suiteCodes[suite]).toBe(ciphersuites[suite]);
});

test("a key package of another suite than the conversation's is refused", async () => {
  await createConversation(suiteNames.p256);
  const ofAnotherSuite = await ben.keyPackage(suiteNames.default);
  await expect(prepareAdding(ofAnotherSuite)).rejects.toMatchObject({ code: "commit-refused" });
});

describe.each(otherSchemes)("the leaf key of %s", (suite) => {
  test("is the same in every key package, and has the device key's signature", async () => {
    const [one, two] = [await ben.keyPackage(suite), await ben.keyPackage(suite)];
    const [leaf, again] = [decodeKeyPackage(one).leafNode, decodeKeyPackage(two).leafNode];
    expect(equalBytes(leaf.signaturePublicKey, ben.signatureKey)).toBe(false);
    expect(leaf.signaturePublicKey).toEqual(again.signaturePublicKey);
    expect(leaf.credential).toEqual(again.credential);
    const { certificate } = leafIdentityOf(leaf.credential);
    const device = { deviceId: ben.deviceId, deviceKey: ben.signatureKey };
    const signatureKey = leaf.signaturePublicKey;
    expect(isLeafKeyOf(ed25519, device, { signatureKey, certificate })).toBe(true);
    expect(isLeafKeyOf(ed25519, device, { signatureKey, certificate: undefined })).toBe(false);
  });
});

describe("a leaf key", () => {
  const device = { signature: ed25519.generateKeyPair() };

  function forged() {
    const deviceId = ben.deviceId;
    const signature = ed25519.generateKeyPair();
    return { deviceId, leaf: leafKeyOf(ed25519, { deviceId, signature }, "P256") };
  }

  test("of Ed25519 is the device's own", () => {
    const deviceId = ben.deviceId;
    expect(leafKeyOf(ed25519, { ...device, deviceId }, "Ed25519")).toBe(device.signature);
  });

  test("that another key signed, or that was signed for another device, is not the device's", () => {
    const { deviceId, leaf } = forged();
    const claim = { signatureKey: leaf.publicKey, certificate: leaf.certificate };
    expect(isLeafKeyOf(ed25519, { deviceId, deviceKey: ben.signatureKey }, claim)).toBe(false);
    const own = leafKeyOf(ed25519, { deviceId, signature: device.signature }, "P256");
    const ownClaim = { signatureKey: own.publicKey, certificate: own.certificate };
    const deviceKey = device.signature.publicKey;
    expect(isLeafKeyOf(ed25519, { deviceId, deviceKey }, ownClaim)).toBe(true);
    expect(isLeafKeyOf(ed25519, { deviceId: anna.deviceId, deviceKey }, ownClaim)).toBe(false);
    expect(
      isLeafKeyOf(ed25519, { deviceId, deviceKey }, { ...ownClaim, signatureKey: leaf.publicKey }),
    ).toBe(false);
  });
});
