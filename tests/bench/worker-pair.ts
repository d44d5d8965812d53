import {
  idFromBytes,
  suiteNames,
  type ConversationId,
  type DeviceId,
  type GroupWrites,
  type PersonRecords,
  type UserId,
} from "#protocol";
import { encodeKeyPackage } from "../../crypto/mls/codec.ts";
import { createKeyPackage } from "../../crypto/mls/key-packages.ts";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import { createMlsWorld, someTimers } from "../support/mls-device.ts";
import {
  createStoryNetwork,
  signAs,
  storyStartMs,
  WorkerDevice,
  type StoryNetwork,
} from "../support/worker-device.ts";

/** Two devices in one conversation, through their workers' own dispatch. */
export interface WorkerPair {
  readonly seal: (
    content: Uint8Array,
  ) => Promise<{ readonly bytes: Uint8Array; readonly writes: GroupWrites }>;
  readonly open: (bytes: Uint8Array) => Promise<GroupWrites>;
}

/** @param members - of the conversation; whoever isn't one of the two is believed by both, and never joins */
export async function createWorkerPair(id: ConversationId, members: number): Promise<WorkerPair> {
  const primitives = await loadPrimitives();
  const [alice, bob] = [await WorkerDevice.create(), await WorkerDevice.create()];
  const network = await createStoryNetwork(primitives, alice.worker);
  const guests = await Promise.all(Array.from({ length: members - 2 }, () => guestOf(network)));
  for (const device of [alice, bob]) await device.enter(network);
  for (const device of [alice, bob]) {
    await device.meet(network, [alice, bob]);
    await device.worker.call("directory.trust", { entries: guests.map(({ records }) => records) });
  }
  const suite = suiteNames.default;
  const roomState = {
    kind: "group",
    name: "Bench",
    administrators: [alice.userId],
    timers: someTimers,
  } as const;
  alice.store(await alice.worker.call("group.create", { suite, conversationId: id, roomState }));
  const prepared = await alice.worker.call("group.prepareCommit", {
    conversationId: id,
    addKeyPackages: [...guests.map(({ keyPackage }) => keyPackage), await bob.keyPackage()],
    removeDevices: [],
    roomState: null,
  });
  await alice.worker.call("group.settleCommit", { conversationId: id, accepted: true });
  const joined = await bob.join(id, prepared.welcome ?? new Uint8Array(0));
  if (joined.kind !== "joined") throw new Error(joined.kind);
  return {
    seal: (content) => {
      const authenticatedData = new Uint8Array(0);
      return alice.worker.call("group.seal", { conversationId: id, content, authenticatedData });
    },
    open: async (bytes) => {
      const opened = await bob.worker.call("group.open", { conversationId: id, bytes });
      if (opened.kind !== "application") throw new Error(opened.kind);
      return opened.writes;
    },
  };
}

/** Somebody of the network who has a key package and nothing else. */
async function guestOf({ primitives, networkId, issuer }: StoryNetwork): Promise<{
  readonly records: PersonRecords;
  readonly keyPackage: Uint8Array;
}> {
  const { impl } = createMlsWorld(primitives);
  const userId = idFromBytes<UserId>(primitives.random(16));
  const deviceId = idFromBytes<DeviceId>(primitives.random(16));
  const [account, signature] = [
    primitives.ed25519.generateKeyPair(),
    primitives.ed25519.generateKeyPair(),
  ];
  const user = signAs(
    primitives,
    "user",
    {
      ...{ networkId, userId, displayName: "Guest", role: "member" },
      ...{ accountKey: account.publicKey, issuedAtMs: storyStartMs },
    },
    issuer,
  );
  const device = signAs(
    primitives,
    "device",
    {
      ...{ networkId, userId, deviceId, deviceName: "Desk", platform: "linux" },
      ...{ signatureKey: signature.publicKey, createdAtMs: storyStartMs },
    },
    account,
  );
  const own = await createKeyPackage(
    impl,
    {
      ...{ networkId, userId, deviceId },
      ...{ signatureKey: signature.publicKey, signaturePrivateKey: signature.privateKey },
    },
    { nowMs: storyStartMs, lastResort: false },
  );
  return { records: { user, devices: [device] }, keyPackage: encodeKeyPackage(own.keyPackage) };
}
