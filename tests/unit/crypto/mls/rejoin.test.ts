import { describe, expect, test } from "vitest";
import { createProposal, encodeMlsMessage, joinGroupExternal, proposeAddExternal } from "ts-mls";
import { equalBytes, type ConversationId } from "#protocol";
import { createTrustGate } from "../../../../crypto/mls/client-config.ts";
import {
  decodeGroupInfo,
  decodeKeyPackage,
  encodeGroupInfo,
  encodePublicMessage,
} from "../../../../crypto/mls/codec.ts";
import { groupInfoOf } from "../../../../crypto/mls/group-begin.ts";
import { proposeLeave } from "../../../../crypto/mls/group-messages.ts";
import { createKeyPackage, type OwnDevice } from "../../../../crypto/mls/key-packages.ts";
import { suiteNames, supportedSuites, type SuiteName } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { ensure } from "../../../support/ensure.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
  type MlsWorld,
  nobodyExcluded,
} from "../../../support/mls-device.ts";
import { seededRandom } from "../../../support/seeded.ts";

const primitives = await loadPrimitives();
const id = conversationId(1);

async function groupOfThree(suite: SuiteName = suiteNames.aes128) {
  const world = createMlsWorld(primitives, { suite });
  const [anna, ben, cora] = [new MlsDevice(world), new MlsDevice(world), new MlsDevice(world)];
  await groupOf(id, anna, [ben, cora]);
  return { world, anna, ben, cora };
}

/** What the relay keeps: the newest GroupInfo. */
function infoFrom(device: MlsDevice, of: ConversationId = id): Promise<Uint8Array> {
  const { impl, state } = device.memory(of);
  return groupInfoOf(impl, state);
}

/** `device` loses everything and comes back; `others` follow. */
async function comeBack(device: MlsDevice, others: readonly MlsDevice[]): Promise<void> {
  const prepared = await device.rejoin(id, await infoFrom(ensure(others[0])));
  for (const other of others) {
    expect(await other.open(id, prepared.bytes)).toMatchObject({ kind: "commit" });
  }
  device.settle(id, true);
}

async function everybodyReads(devices: readonly MlsDevice[]): Promise<void> {
  for (const sender of devices) {
    const bytes = await sender.seal(id, "hello");
    for (const reader of devices) {
      if (reader !== sender) expect(await reader.read(id, bytes)).toBe("hello");
    }
  }
  expect(new Set(devices.map((device) => device.summary(id).epochAuthenticator)).size).toBe(1);
}

describe.each(supportedSuites)("a device that lost its state, in %s", (suite) => {
  test("comes back in its own place, reads and is read", async () => {
    const { anna, ben, cora } = await groupOfThree(suite);
    const before = anna.summary(id);
    const prepared = await ben.rejoin(id, await infoFrom(anna));
    expect(prepared.epoch).toBe(1);
    const member = { userId: ben.userId, deviceId: ben.deviceId };
    for (const other of [anna, cora]) {
      expect(await other.open(id, prepared.bytes)).toMatchObject({
        kind: "commit",
        change: { committer: member, added: [], removed: [], after: before.roomState },
      });
    }
    expect(ben.settle(id, true).change).toMatchObject({ committer: member });
    await everybodyReads([anna, ben, cora]);
    expect(anna.summary(id)).toMatchObject({ epoch: 2, roomState: before.roomState });
    const ids = (device: MlsDevice) => device.summary(id).members.map(({ deviceId }) => deviceId);
    expect(ids(anna).toSorted()).toEqual(before.members.map(({ deviceId }) => deviceId).toSorted());
    // And the GroupInfo that it published leads on.
    const again = await cora.rejoin(id, prepared.groupInfo);
    for (const other of [anna, ben]) {
      expect(await other.open(id, again.bytes)).toMatchObject({ kind: "commit" });
    }
    cora.settle(id, true);
    await orderCommit(id, ben, {}, { others: [anna, cora] });
    await everybodyReads([anna, ben, cora]);
  });
});

describe("a rejoin", () => {
  test("works in a conversation of two, and of one", async () => {
    const world = createMlsWorld(primitives, { suite: suiteNames.aes128 });
    const [anna, ben] = [new MlsDevice(world), new MlsDevice(world)];
    const administrators = [anna.userId, ben.userId];
    await groupOf(id, anna, [ben], { kind: "direct", name: "", administrators });
    await comeBack(ben, [anna]);
    await comeBack(anna, [ben]);
    await everybodyReads([anna, ben]);
    const alone = conversationId(2);
    await groupOf(alone, anna, []);
    await anna.rejoin(alone, await infoFrom(anna, alone));
    anna.settle(alone, true);
    expect(anna.summary(alone)).toMatchObject({ epoch: 1, members: [{ deviceId: anna.deviceId }] });
  });

  test("may land on another leaf, where somebody left", async () => {
    const { anna, ben, cora } = await groupOfThree();
    await orderCommit(id, anna, { removeDevices: [ben.deviceId] }, { others: [ben, cora] });
    await comeBack(cora, [anna]);
    await everybodyReads([anna, cora]);
  });

  test("keeps a group whole through comings, goings and losses", async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = seededRandom(seed);
      const world = createMlsWorld(primitives, { suite: suiteNames.aes128 });
      const founder = new MlsDevice(world);
      let members = [founder, new MlsDevice(world), new MlsDevice(world), new MlsDevice(world)];
      await groupOf(id, founder, members.slice(1));
      for (let step = 0; step < 15; step++) {
        const device = random.pick(members);
        const others = members.filter((other) => other !== device);
        const committer = members.includes(founder) ? founder : device;
        switch (random.below(4)) {
          case 0:
          case 1:
            await comeBack(device, others);
            break;
          case 2: {
            const newcomer = new MlsDevice(world);
            const addKeyPackages = [await newcomer.keyPackage()];
            await orderCommit(
              id,
              committer,
              { addKeyPackages },
              { others: members.filter((other) => other !== committer), newcomers: [newcomer] },
            );
            members = [...members, newcomer];
            break;
          }
          default: {
            const leaver = random.pick(members.filter((other) => other !== founder));
            if (members.length < 3) break;
            await orderCommit(
              id,
              founder,
              { removeDevices: [leaver.deviceId] },
              { others: members.filter((other) => other !== founder) },
            );
            members = members.filter((other) => other !== leaver);
          }
        }
        await everybodyReads(members);
      }
    }
  });

  test("under way outlives a restart, and until then nothing is sent or taken", async () => {
    const { anna, ben } = await groupOfThree();
    const stale = await anna.seal(id, "to the old epoch");
    const prepared = await ben.rejoin(id, await infoFrom(anna));
    ben.restart();
    await expect(ben.seal(id, "too early")).rejects.toMatchObject({ code: "not-ready" });
    await expect(ben.prepare(id)).rejects.toMatchObject({ code: "not-ready" });
    await expect(proposeLeave(ben.memory(id))).rejects.toMatchObject({ code: "not-ready" });
    expect(await ben.open(id, stale)).toEqual({ kind: "stale", epoch: 1 });
    await anna.open(id, prepared.bytes);
    const fresh = await anna.seal(id, "to the new one");
    expect(await ben.open(id, fresh)).toEqual({ kind: "future", epoch: 2 });
    ben.settle(id, true);
    expect(await ben.read(id, fresh)).toBe("to the new one");
    expect(ben.rows.get(id)?.has("pending")).toBe(false);
    ben.restart();
    await everybodyReads([anna, ben]);
  });

  test("that lost its race leaves nothing behind, and is made again", async () => {
    const { anna, ben, cora } = await groupOfThree();
    await ben.rejoin(id, await infoFrom(anna));
    await orderCommit(id, cora, {}, { others: [anna] });
    expect(ben.settle(id, false)).toEqual({ memory: null, change: null });
    expect(ben.has(id)).toBe(false);
    expect(ben.rows.get(id)?.size).toBe(0);
    await comeBack(ben, [anna, cora]);
    await everybodyReads([anna, ben, cora]);
  });

  test("wins over a receiver's own commit of the same epoch, and over a wish to leave", async () => {
    const { anna, ben, cora } = await groupOfThree();
    await cora.prepare(id);
    const { memory, entries } = await proposeLeave(anna.memory(id));
    anna.keep(id, memory);
    expect(await cora.open(id, ensure(entries[0]))).toMatchObject({ kind: "leave-proposed" });
    const prepared = await ben.rejoin(id, await infoFrom(anna));
    for (const other of [anna, cora]) {
      expect(await other.open(id, prepared.bytes)).toMatchObject({ kind: "commit" });
      expect(other.memory(id).pending).toBeNull();
    }
    ben.settle(id, true);
    await everybodyReads([anna, ben, cora]);
  });
});

describe("a device doesn't rejoin", () => {
  const refused = { code: "commit-refused" };

  test("where it has no leaf", async () => {
    const { world, anna, ben, cora } = await groupOfThree();
    await orderCommit(id, anna, { removeDevices: [ben.deviceId] }, { others: [ben, cora] });
    await expect(ben.rejoin(id, await infoFrom(anna))).rejects.toMatchObject(refused);
    await expect(new MlsDevice(world).rejoin(id, await infoFrom(anna))).rejects.toMatchObject(
      refused,
    );
  });

  test("by another conversation's GroupInfo, one that was changed, or none", async () => {
    const { anna, ben } = await groupOfThree();
    const info = await infoFrom(anna);
    await expect(ben.rejoin(conversationId(2), info)).rejects.toMatchObject(refused);
    const decoded = decodeGroupInfo(info);
    for (const changed of [
      { ...decoded, groupContext: { ...decoded.groupContext, epoch: 7n } },
      { ...decoded, signer: 2 },
      { ...decoded, signer: 99 },
      { ...decoded, confirmationTag: decoded.confirmationTag.map((byte) => byte ^ 1) },
      { ...decoded, extensions: decoded.extensions.slice(0, 1) },
      { ...decoded, extensions: decoded.extensions.slice(1) },
    ]) {
      await expect(ben.rejoin(id, encodeGroupInfo(changed))).rejects.toMatchObject(refused);
    }
  });

  test("among devices that the directory doesn't know or refuses", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const info = await infoFrom(anna);
    for (const [verdict, code] of [
      ["unknown", "device-unknown"],
      ["refused", "commit-refused"],
    ] as const) {
      const trust = createMlsWorld(primitives, {
        suite: suiteNames.aes128,
        trust: {
          ...nobodyExcluded,
          judge: ({ deviceId }) => (deviceId === cora.deviceId ? verdict : "trusted"),
        },
      });
      const wary = new MlsDevice(trust, ben.userId);
      Object.defineProperty(wary, "own", { value: ben.own });
      await expect(wary.rejoin(id, info)).rejects.toMatchObject({ code });
      expect(wary.has(id)).toBe(false);
    }
  });
});

/** An external commit of `device` in the place of whoever `victim` is; null: in nobody's. */
async function externalCommit(
  world: MlsWorld,
  device: OwnDevice,
  info: Uint8Array,
  victim: OwnDevice | null,
): Promise<Uint8Array> {
  const { impl, nowMs } = world;
  const own = await createKeyPackage(impl, device, { nowMs, lastResort: false });
  const { clientConfig } = createTrustGate(world.trust);
  const { publicMessage } = await joinGroupExternal(
    decodeGroupInfo(info),
    own.keyPackage,
    { ...own, signaturePrivateKey: device.signaturePrivateKey },
    victim !== null,
    impl,
    undefined,
    {
      ...clientConfig,
      keyPackageEqualityConfig: {
        ...clientConfig.keyPackageEqualityConfig,
        compareKeyPackageToLeafNode: (_, leaf) =>
          victim !== null && equalBytes(leaf.signaturePublicKey, victim.signatureKey),
      },
    },
  );
  return encodePublicMessage(publicMessage);
}

describe("a receiver refuses, and keeps its state, when", () => {
  async function expectRefused(device: MlsDevice, bytes: Uint8Array, code = "commit-refused") {
    const before = device.memory(id);
    expect(await device.open(id, bytes)).toEqual({ kind: "refused", code });
    expect(device.memory(id)).toBe(before);
  }

  test("a member takes somebody else's place", async () => {
    const { world, anna, ben, cora } = await groupOfThree();
    const bytes = await externalCommit(world, ben.own, await infoFrom(anna), cora.own);
    await expectRefused(anna, bytes);
    await expectRefused(cora, bytes);
    await everybodyReads([anna, ben, cora]);
  });

  test("an outsider takes a member's place, or comes in beside them", async () => {
    const { world, anna, cora } = await groupOfThree();
    const outsider = new MlsDevice(world).own;
    await expectRefused(
      anna,
      await externalCommit(world, outsider, await infoFrom(anna), cora.own),
    );
    await expectRefused(anna, await externalCommit(world, outsider, await infoFrom(anna), null));
  });

  test("a member's own further leaf comes in beside the first", async () => {
    const { world, anna, ben } = await groupOfThree();
    const further = new MlsDevice(world, ben.userId).own;
    await expectRefused(anna, await externalCommit(world, further, await infoFrom(anna), null));
    await expectRefused(anna, await externalCommit(world, further, await infoFrom(anna), ben.own));
  });

  test("a device comes back with another signature key", async () => {
    const { world, anna, ben } = await groupOfThree();
    const { publicKey, privateKey } = primitives.ed25519.generateKeyPair();
    const renewed = { ...ben.own, signatureKey: publicKey, signaturePrivateKey: privateKey };
    await expectRefused(anna, await externalCommit(world, renewed, await infoFrom(anna), ben.own));
  });

  test("another copy of itself comes back", async () => {
    const { world, anna, ben } = await groupOfThree();
    await expectRefused(ben, await externalCommit(world, ben.own, await infoFrom(anna), ben.own));
  });

  test("it was made from another state of the group, or changed on its way", async () => {
    const { world, anna, ben } = await groupOfThree();
    const bytes = await externalCommit(world, ben.own, await infoFrom(anna), ben.own);
    const places = Array.from({ length: 40 }, (_, at) => Math.floor((at * bytes.length) / 40));
    for (const place of [...places, bytes.length - 1]) {
      const changed = bytes.map((byte, at) => (at === place ? byte ^ 1 : byte));
      const before = anna.memory(id);
      expect((await anna.open(id, changed)).kind).toMatch(/^(?:refused|stale|future)$/u);
      expect(anna.memory(id)).toBe(before);
    }
    const other = await groupOfThree();
    const foreign = await externalCommit(world, ben.own, await infoFrom(other.ben), other.ben.own);
    await expectRefused(anna, foreign, "signature-invalid");
  });

  test("its device isn't one that the directory knows", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const prepared = await ben.rejoin(id, await infoFrom(anna));
    const before = anna.memory(id);
    const doubting = {
      ...before,
      gate: createTrustGate({ ...nobodyExcluded, judge: () => "unknown" }),
    };
    anna.keep(id, {
      ...doubting,
      state: { ...before.state, clientConfig: doubting.gate.clientConfig },
    });
    expect(await anna.open(id, prepared.bytes)).toEqual({
      kind: "device-unknown",
      devices: [ben.deviceId],
    });
    expect(await cora.open(id, prepared.bytes)).toMatchObject({ kind: "commit" });
  });

  test("a newcomer proposes to be added, or a member proposes in the open", async () => {
    const { world, anna, ben } = await groupOfThree();
    const { impl, state } = ben.memory(id);
    const newcomer = new MlsDevice(world);
    const proposal = {
      proposalType: "add",
      add: { keyPackage: decodeKeyPackage(await newcomer.keyPackage()) },
    } as const;
    const open = await createProposal(state, true, proposal, impl);
    await expectRefused(anna, encodeMlsMessage(open.message), "frame-malformed");
    const { nowMs } = world;
    const joining = await createKeyPackage(impl, newcomer.own, { nowMs, lastResort: false });
    const asked = await proposeAddExternal(
      decodeGroupInfo(await infoFrom(anna)),
      joining.keyPackage,
      { ...joining, signaturePrivateKey: newcomer.own.signaturePrivateKey },
      impl,
    );
    await expectRefused(anna, encodeMlsMessage(asked), "frame-malformed");
  });
});
