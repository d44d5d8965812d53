import { beforeEach, describe, expect, test } from "vitest";
import {
  createCommit,
  createGroup,
  emptyPskIndex,
  makePskIndex,
  processPrivateMessage,
  type ClientState,
  type Extension,
  type PreSharedKeyID,
  type Proposal,
  type Reinit,
} from "ts-mls";
import { makeResumptionPsk } from "ts-mls/resumption.js";
import {
  decodeCbor,
  encodeCbor,
  idFromBytes,
  type DeviceId,
  type GroupMember,
  type NetworkId,
} from "#protocol";
import type { DeviceTrust } from "../../../../crypto/mls/client-config.ts";
import { decodeKeyPackage, encodeReinitEntry } from "../../../../crypto/mls/codec.ts";
import { privatePackage } from "../../../../crypto/mls/group-begin.ts";
import { firstGroupId, laterGroupId } from "../../../../crypto/mls/group-id.ts";
import type { NextSuite } from "../../../../crypto/mls/group-reinit.ts";
import { createKeyPackage } from "../../../../crypto/mls/key-packages.ts";
import { epochOf } from "../../../../crypto/mls/memory.ts";
import { roomExtensions } from "../../../../crypto/mls/room.ts";
import { suiteNames, type SuiteName } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  nobodyExcluded,
  orderCommit,
  privateMessageOf,
  type MlsWorld,
} from "../../../support/mls-device.ts";

// A member who doesn't ask the rules: the library makes what they want, and the others must neither follow nor lose anything.

const primitives = await loadPrimitives();
const id = conversationId(1);
const { aes128, chacha20, p256 } = suiteNames;

let excluded: GroupMember | undefined;
let unknown: DeviceId | undefined;
const trust: DeviceTrust = {
  ...nobodyExcluded,
  judge: ({ deviceId }) => (deviceId === unknown ? "unknown" : "trusted"),
  mayBeAdded: ({ deviceId }) => deviceId !== excluded?.deviceId,
};

let world: MlsWorld;
let anna: MlsDevice;
let mallory: MlsDevice;
let cora: MlsDevice;

beforeEach(async () => {
  [excluded, unknown] = [undefined, undefined];
  world = createMlsWorld(primitives, { suite: aes128, trust });
  [anna, mallory, cora] = [new MlsDevice(world), new MlsDevice(world), new MlsDevice(world)];
  await groupOf(id, anna, [mallory, cora]);
});

/** What differs from an honest ReInit. */
interface Forgery {
  readonly reinit?: (honest: Reinit) => Partial<Reinit>;
  /** Proposals beside the ReInit. */
  readonly beside?: readonly Proposal[];
  /** Of the new group. */
  readonly extensions?: readonly Extension[];
  readonly groupId?: Uint8Array;
  readonly suite?: SuiteName;
  readonly psks?: (honest: PreSharedKeyID) => readonly PreSharedKeyID[];
  /** Who is taken along. */
  readonly people?: readonly MlsDevice[];
  /** What the new group goes on from, in place of Mallory's own ReInit. */
  readonly suspended?: ClientState;
  /** Who begins the new group, in place of Mallory. */
  readonly beginner?: NextSuite;
}

/** A log entry that Mallory makes by the library alone. */
async function forge(forgery: Forgery = {}) {
  const { state, impl, gate } = mallory.memory(id);
  const suite = forgery.suite ?? p256;
  const { people = [anna, cora] } = forgery;
  const { nowMs } = world;
  const next = forgery.beginner ?? mallory.inSuite(suite);
  const honest: Reinit = {
    groupId: laterGroupId({ conversationId: id, baseEpoch: epochOf(state) }, next.impl.rng),
    version: "mls10",
    cipherSuite: suite,
    extensions: state.groupContext.extensions,
  };
  const reinit = { ...honest, ...forgery.reinit?.(honest) };
  const ended = await createCommit(
    { state, cipherSuite: impl },
    { extraProposals: [{ proposalType: "reinit", reinit }, ...(forgery.beside ?? [])] },
  );
  if (ended.commit.wireformat !== "mls_private_message") throw new Error("not private");
  const own = await createKeyPackage(next.impl, next.device, {
    nowMs,
    lastResort: false,
  });
  const first = await createGroup(
    forgery.groupId ?? reinit.groupId,
    own.keyPackage,
    privatePackage(own, next.device),
    [...(forgery.extensions ?? reinit.extensions)],
    next.impl,
    gate.clientConfig,
  );
  const suspended = forgery.suspended ?? ended.newState;
  const psk = makeResumptionPsk(suspended, "reinit", next.impl).id;
  const keyPackages = await Promise.all(
    people.map((person) => person.keyPackage(nowMs, person.inSuite(suite))),
  );
  const known = makePskIndex(suspended, {});
  const begun = await createCommit(
    {
      state: first,
      cipherSuite: next.impl,
      // Of whatever else Mallory names, the others know nothing.
      pskIndex: { findPsk: (psk) => known.findPsk(psk) ?? new Uint8Array(32).fill(7) },
    },
    {
      extraProposals: [
        ...keyPackages.map((bytes): Proposal => ({
          proposalType: "add",
          add: { keyPackage: decodeKeyPackage(bytes) },
        })),
        ...(forgery.psks?.(psk) ?? [psk]).map((preSharedKeyId): Proposal => ({
          proposalType: "psk",
          psk: { preSharedKeyId },
        })),
      ],
      ratchetTreeExtension: true,
    },
  );
  return {
    bytes: encodeReinitEntry(ended.commit.privateMessage, begun.welcome),
    commit: ended.commit.privateMessage,
    welcome: begun.welcome,
  };
}

/** What the others make of an entry, at a policy that asks for `suite`; if they refuse it, they have to go on as before. */
async function judged(bytes: Uint8Array, suite: SuiteName = p256): Promise<string> {
  const verdicts = new Set<string>();
  for (const victim of [anna, cora]) {
    const before = victim.memory(id);
    const outcome = await victim.openReinit(id, bytes, suite);
    verdicts.add(outcome.kind === "refused" ? outcome.code : outcome.kind);
    if (outcome.kind !== "commit") expect(victim.memory(id)).toBe(before);
  }
  if (!verdicts.has("commit")) {
    expect(await anna.read(id, await cora.seal(id, "as before"))).toBe("as before");
    expect(await cora.read(id, await anna.seal(id, "me too"))).toBe("me too");
    await orderCommit(id, anna, {}, { others: [cora, mallory] });
  }
  return [...verdicts].join();
}

test("an honest one is taken: what follows differs from it in one thing each", async () => {
  const { bytes } = await forge();
  expect(await judged(bytes)).toBe("commit");
});

describe("a ReInit is refused", () => {
  test("to another suite than the policy's", async () => {
    const { bytes } = await forge({ suite: chacha20 });
    expect(await judged(bytes)).toBe("commit-refused");
  });

  test("to the suite that the conversation has", async () => {
    const { bytes } = await forge({ suite: aes128 });
    expect(await judged(bytes, aes128)).toBe("commit-refused");
  });

  test("with a Welcome to another suite than it names", async () => {
    const { bytes } = await forge({ reinit: () => ({ cipherSuite: chacha20 }) });
    expect(await judged(bytes)).toBe("commit-refused");
    const { bytes: other } = await forge({
      suite: chacha20,
      reinit: () => ({ cipherSuite: p256 }),
    });
    expect(await judged(other)).toBe("commit-refused");
  });

  test("that changes roles, name or timers on the way", async () => {
    const room = { ...anna.summary(id).roomState, administrators: [mallory.userId] };
    const extensions = roomExtensions(room);
    const { bytes } = await forge({ reinit: () => ({ extensions }) });
    expect(await judged(bytes)).toBe("commit-refused");
  });

  test("whose group has another state than it says", async () => {
    const room = { ...anna.summary(id).roomState, administrators: [mallory.userId] };
    const { bytes } = await forge({ extensions: roomExtensions(room) });
    expect(await judged(bytes)).toBe("commit-refused");
  });

  test("into another conversation, another epoch, or a group without a place", async () => {
    const { rng } = mallory.inSuite(p256).impl;
    const groupIds = [
      laterGroupId({ conversationId: conversationId(2), baseEpoch: 1 }, rng),
      laterGroupId({ conversationId: id, baseEpoch: 0 }, rng),
      laterGroupId({ conversationId: id, baseEpoch: 2 }, rng),
      laterGroupId({ conversationId: id, baseEpoch: 2 ** 40 }, rng),
      firstGroupId(id),
    ];
    for (const groupId of groupIds) {
      const { bytes } = await forge({ reinit: () => ({ groupId }) });
      expect(await judged(bytes)).toBe("commit-refused");
    }
    const { bytes } = await forge({ reinit: () => ({ groupId: new Uint8Array(5) }) });
    expect(await judged(bytes)).toBe("frame-malformed");
  });

  test("whose group has another id than it says", async () => {
    const { rng } = mallory.inSuite(p256).impl;
    const groupId = laterGroupId({ conversationId: id, baseEpoch: 1 }, rng);
    const { bytes } = await forge({ groupId });
    expect(await judged(bytes)).toBe("commit-refused");
  });

  test("of an excluded device", async () => {
    const { bytes } = await forge();
    excluded = mallory.own;
    expect(await judged(bytes)).toBe("commit-refused");
  });

  test("that stands beside a removal", async () => {
    const removal: Proposal = { proposalType: "remove", remove: { removed: 2 } };
    await expect(forge({ beside: [removal] })).rejects.toThrow("by itself");
  });

  test("without a Welcome, as an ordinary commit", async () => {
    const { bytes } = await forge();
    const [commit] = decodeCbor(bytes, 1 << 20) as [Uint8Array];
    const before = anna.memory(id);
    expect(await anna.open(id, commit)).toMatchObject({ kind: "refused", code: "commit-refused" });
    expect(anna.memory(id)).toBe(before);
  });
});

describe("the new group is refused", () => {
  test("when somebody is left behind, who is told to join it or not", async () => {
    // Cora could be taken along: a key package of hers waits.
    await cora.keyPackage(world.nowMs, cora.inSuite(p256));
    const { bytes } = await forge({ people: [anna] });
    expect(await judged(bytes)).toBe("commit-refused");
  });

  test("when somebody comes in, in addition or in place of somebody", async () => {
    const eve = new MlsDevice(world);
    for (const people of [
      [anna, cora, eve],
      [anna, eve],
    ]) {
      const { bytes } = await forge({ people });
      expect(await judged(bytes)).toBe("commit-refused");
    }
  });

  test("when somebody is there as another person, or of another network", async () => {
    const identities = [
      { userId: anna.userId },
      { networkId: idFromBytes<NetworkId>(new Uint8Array(16).fill(0xbb)) },
    ];
    for (const identity of identities) {
      const next = mallory.inSuite(p256);
      const beginner = { ...next, device: { ...next.device, ...identity } };
      const { bytes } = await forge({ beginner });
      expect(await judged(bytes)).toBe("commit-refused");
    }
  });

  test("when it doesn't rest on the old one's last epoch, and on that alone", async () => {
    const forged: ((honest: PreSharedKeyID) => readonly PreSharedKeyID[])[] = [
      () => [],
      (honest) => [{ ...honest, usage: "application" } as PreSharedKeyID],
      (honest) => [{ ...honest, usage: "branch" } as PreSharedKeyID],
      (honest) => [{ ...honest, pskNonce: honest.pskNonce.slice(1) }],
      (honest) => [{ ...honest, pskEpoch: 1n } as PreSharedKeyID],
      (honest) => [{ ...honest, pskGroupId: firstGroupId(conversationId(2)) } as PreSharedKeyID],
      (honest) => [honest, { ...honest, pskNonce: honest.pskNonce.map((byte) => byte ^ 1) }],
      ({ pskNonce }) => [{ psktype: "external", pskId: new Uint8Array([1]), pskNonce }],
    ];
    for (const psks of forged) {
      const { bytes } = await forge({ psks });
      expect(await judged(bytes)).toBe("commit-refused");
    }
  });

  test("when somebody else has begun it than has ended the old one", async () => {
    // Mallory puts a Welcome of her own beside Anna's commit: she knows the resumption PSK, like every member.
    const honest = await anna.prepareReinit(id, p256, [mallory, cora]);
    const [commit] = decodeCbor(honest.bytes, 1 << 20) as [Uint8Array];
    const { state, impl } = mallory.memory(id);
    const message = privateMessageOf(commit);
    const ended = await processPrivateMessage(state, message, emptyPskIndex, impl);
    const suspended = ended.newState;
    if (suspended.groupActiveState.kind !== "suspendedPendingReinit") throw new Error("not ended");
    const { groupId } = suspended.groupActiveState.reinit;
    const ofMallory = await forge({ suspended, groupId });
    const [, welcome] = decodeCbor(ofMallory.bytes, 1 << 20) as [Uint8Array, Uint8Array];
    const mixed = encodeCbor([commit, welcome]);
    const before = cora.memory(id);
    expect(await cora.openReinit(id, mixed, p256)).toMatchObject({ kind: "refused" });
    expect(cora.memory(id)).toBe(before);
    expect(await cora.openReinit(id, honest.bytes, p256)).toMatchObject({ kind: "commit" });
  });

  test("when its key packages are out of date", async () => {
    const { bytes } = await forge();
    const orderedAtMs = world.nowMs + 400 * 86_400_000;
    for (const victim of [anna, cora]) {
      const before = victim.memory(id);
      const outcome = await victim.openReinit(id, bytes, p256, orderedAtMs);
      expect(outcome).toMatchObject({ kind: "refused", code: "commit-refused" });
      expect(victim.memory(id)).toBe(before);
    }
  });
});

test("a device that isn't known is asked about first, and then it is taken", async () => {
  const { bytes } = await forge();
  unknown = mallory.deviceId;
  expect(await judged(bytes)).toBe("device-unknown");
});

describe("a hostile relay", () => {
  test("can't put together what doesn't belong together, or add to it", async () => {
    const [one, two] = [await forge(), await forge()];
    const [commit, welcome] = decodeCbor(one.bytes, 1 << 20) as [Uint8Array, Uint8Array];
    const [, otherWelcome] = decodeCbor(two.bytes, 1 << 20) as [Uint8Array, Uint8Array];
    expect(await judged(encodeCbor([commit, otherWelcome]))).toBe("message-unopenable");
    const spoilt = [
      new Uint8Array([...one.bytes, 0]),
      encodeCbor([commit, welcome, welcome]),
      encodeCbor([commit]),
      encodeCbor([welcome, commit]),
      encodeCbor([commit, new Uint8Array([...welcome, 0])]),
      encodeCbor([commit, new Uint8Array(0)]),
      one.bytes.subarray(0, one.bytes.length - 1),
    ];
    for (const bytes of spoilt) expect(await judged(bytes)).toBe("frame-malformed");
  });

  test("can't change a byte of it", async () => {
    // Of two: what is for others can only be spoilt for them.
    const pair = conversationId(2);
    await groupOf(pair, anna, [cora]);
    const { bytes } = await anna.prepareReinit(pair, p256, [cora]);
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 60)) {
      const spoilt = bytes.with(at, (bytes[at] ?? 0) ^ 1);
      expect((await cora.openReinit(pair, spoilt, p256)).kind).not.toBe("commit");
    }
    expect(await cora.openReinit(pair, bytes, p256)).toMatchObject({ kind: "commit" });
  });

  test("can't show it again, in this epoch or in the next group", async () => {
    const { bytes } = await forge();
    expect(await judged(bytes)).toBe("commit");
    for (const victim of [anna, cora]) {
      expect(await victim.openReinit(id, bytes, p256)).toMatchObject({ kind: "stale" });
    }
  });
});
