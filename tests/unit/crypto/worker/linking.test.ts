import { beforeAll, expect, test } from "vitest";
import { idFromBytes, type LinkStep, type MessageId, type RendezvousId } from "#protocol";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { ensure } from "../../../support/ensure.ts";
import { errorWith } from "../../../support/protocol.ts";
import {
  createStoryNetwork,
  storyStartMs,
  WorkerDevice,
  type StoryNetwork,
} from "../../../support/worker-device.ts";

const primitives = await loadPrimitives();
const facts = Uint8Array.of(1, 2, 3);

let owner: WorkerDevice;
let joiner: WorkerDevice;
let network: StoryNetwork;

beforeAll(async () => {
  owner = await WorkerDevice.create();
  joiner = await WorkerDevice.create();
  network = await createStoryNetwork(primitives, owner.worker);
  await owner.enter(network);
});

const take = (device: WorkerDevice, rendezvousId: RendezvousId, message: Uint8Array) =>
  device.worker.call("link.take", { rendezvousId, message });

function ofKind<Kind extends LinkStep["kind"]>(step: LinkStep, kind: Kind) {
  if (step.kind !== kind) throw new Error(`${step.kind} in place of ${kind}`);
  return step as Extract<LinkStep, { readonly kind: Kind }>;
}

/** Both workers, up to where people compare. */
async function compare() {
  const { rendezvousId, code } = await owner.worker.call("link.begin", {});
  const entered = await joiner.worker.call("link.enter", { code });
  expect(entered.rendezvousId).toBe(rendezvousId);
  const second = ofKind(await take(owner, rendezvousId, entered.message), "reply");
  const third = ofKind(await take(joiner, rendezvousId, second.message), "reply");
  const atOwner = ofKind(await take(owner, rendezvousId, third.message), "compare");
  const fourth = ensure(atOwner.message);
  const atJoiner = ofKind(await take(joiner, rendezvousId, fourth), "compare");
  expect(atJoiner.symbols).toEqual(atOwner.symbols);
  return rendezvousId;
}

/** The whole way. */
async function link() {
  const rendezvousId = await compare();
  const names = { deviceName: "Desk", platform: "linux" };
  const offer = await joiner.worker.call("link.offerDevice", { rendezvousId, ...names });
  const { device } = ofKind(await take(owner, rendezvousId, offer.message), "device");
  expect(device).toMatchObject(names);
  const given = await owner.worker.call("link.giveAccount", { rendezvousId, facts });
  const account = ofKind(await take(joiner, rendezvousId, given.message), "account");
  return { rendezvousId, device, account, given };
}

test("the account key goes over sealed, and the device key stays where it was made", async () => {
  const { account, device, given } = await link();
  expect(account).toMatchObject({
    userId: owner.userId,
    deviceId: device.deviceId,
    networkId: network.networkId,
    accountKey: owner.accountKey,
    signatureKey: device.signatureKey,
    facts,
  });
  expect(account.channel.rendezvousId).toBe(given.channel.rendezvousId);
  expect(account.channel.seat).toEqual(given.channel.seat);
  const { sealedIdentity } = account;
  const { networkId } = network;
  await joiner.worker.call("identity.load", { sealedIdentity, networkId });
  const value = {
    networkId,
    userId: owner.userId,
    deviceId: device.deviceId,
    deviceName: "Desk",
    platform: "linux",
    signatureKey: device.signatureKey,
    createdAtMs: storyStartMs,
  };
  const { record } = await joiner.worker.call("record.sign", { kind: "device", value });
  const check = { kind: "device", record, publicKey: owner.accountKey } as const;
  expect((await owner.worker.call("record.verify", check)).value).toEqual(value);
});

test("no account is given before a device was offered, nor by the one that joins", async () => {
  const rendezvousId = await compare();
  for (const device of [owner, joiner]) {
    await expect(device.worker.call("link.giveAccount", { rendezvousId, facts })).rejects.toThrow(
      errorWith("not-ready"),
    );
  }
  const offer = { rendezvousId, deviceName: "Desk", platform: "linux" };
  await expect(owner.worker.call("link.offerDevice", offer)).rejects.toThrow(
    errorWith("not-ready"),
  );
});

test("a word of no ends in both workers with the words for it", async () => {
  const rendezvousId = await compare();
  const params = { rendezvousId, word: "declined" } as const;
  const { message } = await joiner.worker.call("link.say", params);
  expect(await take(owner, rendezvousId, message)).toEqual({ kind: "declined" });
  await expect(take(owner, rendezvousId, message)).rejects.toThrow(errorWith("link-refused"));
  await owner.worker.call("link.end", { rendezvousId });
  await expect(take(owner, rendezvousId, message)).rejects.toThrow(errorWith("link-ended"));
});

test("a second code ends the first, and so does a lock", async () => {
  const first = await compare();
  const { rendezvousId } = await owner.worker.call("link.begin", {});
  const say = (id: RendezvousId) =>
    owner.worker.call("link.say", { rendezvousId: id, word: "done" });
  await expect(say(first)).rejects.toThrow(errorWith("link-ended"));
  await owner.worker.call("vault.lock", {});
  await owner.unlock();
  await owner.enter(network);
  await expect(say(rendezvousId)).rejects.toThrow(errorWith("link-ended"));
});

test("bodies go from one vault to the other, each for its own message", async () => {
  const { account, given } = await link();
  const message = { expiresAtMs: storyStartMs + 3_600_000, leaf: 5 };
  const [one, other] = [1, 2].map((seed) => idFromBytes<MessageId>(new Uint8Array(32).fill(seed)));
  const plain = new TextEncoder().encode("for your eyes");
  const item = { messageId: one!, ...message };
  const { sealed } = await owner.worker.call("body.seal", { items: [{ ...item, plain }] });
  const fromOwner = { sealedChannel: given.channel.sealedChannel };
  const { boxed } = await owner.worker.call("link.exportBodies", {
    ...fromOwner,
    items: [
      { ...item, sealed: sealed[0]! },
      { ...item, messageId: other!, sealed: sealed[0]! },
    ],
  });
  expect(boxed[1]).toBeNull();
  const toJoiner = { sealedChannel: account.channel.sealedChannel };
  const imported = await joiner.worker.call("link.importBodies", {
    ...toJoiner,
    items: [
      { ...item, leaf: 9, boxed: boxed[0]! },
      { ...item, messageId: other!, leaf: 9, boxed: boxed[0]! },
    ],
  });
  expect(imported.sealed[1]).toBeNull();
  const opened = await joiner.worker.call("body.open", {
    items: [{ ...item, leaf: 9, sealed: imported.sealed[0]! }],
  });
  expect(opened.plains[0]).toEqual(plain);

  const said = await owner.worker.call("link.sealMessage", { ...fromOwner, plain });
  expect(await joiner.worker.call("link.openMessage", { ...toJoiner, ...said })).toEqual({ plain });
  // What one side has said is nothing that the other one could have.
  expect(await owner.worker.call("link.openMessage", { ...fromOwner, ...said })).toEqual({
    plain: null,
  });
});
