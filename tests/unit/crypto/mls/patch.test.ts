import { describe, expect, test } from "vitest";
import {
  ciphersuites,
  createCommit,
  createGroupInfoWithExternalPubAndRatchetTree,
  createProposal,
  defaultPaddingConfig,
  emptyPskIndex,
  encodeGroupState,
  decodeGroupState,
  getCiphersuiteFromName,
  joinGroupExternal,
  processPrivateMessage,
  type KeyPackage,
  type PaddingConfig,
  type Proposal,
} from "ts-mls";
import { applyProposals, validateRatchetTree } from "ts-mls/clientState.js";
import { decodeCiphersuite, encodeCiphersuite } from "ts-mls/crypto/ciphersuite.js";
import { signKeyPackage } from "ts-mls/keyPackage.js";
import { signLeafNodeKeyPackage } from "ts-mls/leafNode.js";
import { unprotectPrivateMessage } from "ts-mls/messageProtection.js";
import { byteLengthToPad } from "ts-mls/paddingConfig.js";
import { verifyParentHashes } from "ts-mls/parentHash.js";
import { decryptSenderData } from "ts-mls/privateMessage.js";
import {
  allSecretTreeValues,
  consumeRatchet,
  createSecretTree,
  leafRatchets,
} from "ts-mls/secretTree.js";
import { treeHashRoot } from "ts-mls/treeHash.js";
import { toLeafIndex } from "ts-mls/treemath.js";
import { idFromBytes, toHex, type UserId } from "#protocol";
import { createTrustGate } from "../../../../crypto/mls/client-config.ts";

import { createKeyPackage } from "../../../../crypto/mls/key-packages.ts";
import { roomExtensions } from "../../../../crypto/mls/room.ts";
import { suiteNames } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
  privateMessageOf,
  someTimers,
} from "../../../support/mls-device.ts";
import { seededRandom, type SeededRandom } from "../../../support/seeded.ts";

/*
 * Each hunk of patches/ts-mls+1.6.4.patch that changes what the library does, but for those that only save time, which the vectors hold, and the only
 * member's return (rejoin.test.ts). Every describe block was seen failing with its hunk alone taken out, those of several hunks with each of them.
 */

const primitives = await loadPrimitives();
const id = conversationId(1);

/** The published suite with the least arithmetic: trees are what is tested. */
function createWorld() {
  return createMlsWorld(primitives, { suite: suiteNames.aes128 });
}

async function groupOfTwo() {
  const world = createWorld();
  const [anna, ben] = [new MlsDevice(world), new MlsDevice(world)];
  await groupOf(id, anna, [ben]);
  return { world, impl: world.impl, anna, ben, state: anna.memory(id).state };
}

describe("the X-Wing suite", () => {
  test("stands in the table at its private code point", () => {
    expect(ciphersuites[suiteNames.default]).toBe(0xf002);
    expect(encodeCiphersuite(suiteNames.default)).toEqual(Uint8Array.of(0xf0, 0x02));
    expect(decodeCiphersuite(Uint8Array.of(0xf0, 0x02), 0)?.[0]).toBe(suiteNames.default);
    expect(getCiphersuiteFromName(suiteNames.default)).toEqual({
      name: suiteNames.default,
      hash: "SHA-384",
      hpke: { kem: "X-Wing", aead: "AES256GCM", kdf: "HKDF-SHA384" },
      signature: "Ed25519",
    });
  });
});

describe("the CNSA suite", () => {
  test("has its private code point in place of a number that IANA may give away", () => {
    expect(encodeCiphersuite(suiteNames.cnsa)).toEqual(Uint8Array.of(0xf0, 0x03));
    expect(decodeCiphersuite(Uint8Array.of(0xf0, 0x03), 0)?.[0]).toBe(suiteNames.cnsa);
    expect(decodeCiphersuite(Uint8Array.of(0, 85), 0)?.[0]).not.toBe(suiteNames.cnsa);
    expect(getCiphersuiteFromName(suiteNames.cnsa)).toEqual({
      name: suiteNames.cnsa,
      hash: "SHA-512",
      hpke: { kem: "ML-KEM-1024", aead: "AES256GCM", kdf: "HKDF-SHA512" },
      signature: "ML-DSA-87",
    });
  });
});

describe("unmerged leaves (RFC 9420 §12.4.3.1, §7.9.2)", () => {
  /** One random step: somebody comes, somebody goes (the founder, an administrator, sees to it), or keys are renewed. */
  async function churn(
    random: SeededRandom,
    founder: MlsDevice,
    members: readonly MlsDevice[],
  ): Promise<readonly MlsDevice[]> {
    const guests = members.filter((member) => member !== founder);
    const dice = random.below(5);
    if (members.length < 3 || (dice < 3 && members.length < 10)) {
      const committer = random.pick(members);
      const newcomer = new MlsDevice(founder.world);
      const addKeyPackages = [await newcomer.keyPackage()];
      const others = members.filter((member) => member !== committer);
      await orderCommit(id, committer, { addKeyPackages }, { others, newcomers: [newcomer] });
      return [...members, newcomer];
    }
    if (dice < 4) {
      const gone = random.pick(guests);
      await orderCommit(id, founder, { removeDevices: [gone.deviceId] }, { others: guests });
      return members.filter((member) => member !== gone);
    }
    const committer = random.pick(members);
    const others = members.filter((member) => member !== committer);
    await orderCommit(id, committer, {}, { others });
    return members;
  }

  test.each([0, 1, 2, 3, 4, 5])(
    "newcomers join and everybody reads after 40 commits of churn, seed %i",
    async (seed) => {
      const random = seededRandom(seed);
      const founder = new MlsDevice(createWorld());
      await groupOf(id, founder, []);
      let members: readonly MlsDevice[] = [founder];
      for (let commit = 0; commit < 40; commit++) {
        members = await churn(random, founder, members);
      }
      const bytes = await founder.seal(id, "still together");
      for (const member of members) {
        if (member !== founder) expect(await member.read(id, bytes)).toBe("still together");
      }
    },
    // Two seconds on a machine with nothing else to do.
    30_000,
  );

  /** Whoever began a group of so many has renewed its path: of four leaves, the root and the node above the first two aren't blank. */
  async function founderOf(count: number): Promise<MlsDevice> {
    const world = createWorld();
    const founder = new MlsDevice(world);
    const others = Array.from({ length: count - 1 }, () => new MlsDevice(world));
    await groupOf(id, founder, others);
    await orderCommit(id, founder, {}, { others });
    return founder;
  }

  /** What a newcomer says to the tree that somebody is in, with other leaves listed as unmerged at a node. */
  async function verdictOn(member: MlsDevice, nodeIndex: number, unmerged: readonly number[]) {
    const { impl, trust } = member.world;
    const { ratchetTree, groupContext } = member.memory(id).state;
    const tree = structuredClone(ratchetTree);
    const node = tree[nodeIndex];
    if (node?.nodeType !== "parent") throw new Error("a blank node");
    node.parent.unmergedLeaves = [...unmerged];
    const { authService, lifetimeConfig } = createTrustGate(trust).clientConfig;
    const hash = await treeHashRoot(tree, impl.hash);
    return validateRatchetTree(tree, groupContext, lifetimeConfig, authService, hash, impl);
  }
  const notBelow = "Unmerged leaf did not represent a non-blank descendant leaf node";

  test("are leaves below the node that lists them", async () => {
    const anna = await founderOf(4);
    expect(await verdictOn(anna, 1, [])).toBeUndefined();
    expect((await verdictOn(anna, 1, [2]))?.message).toBe(notBelow);
  });

  test("are leaves that somebody has", async () => {
    const anna = await founderOf(3);
    expect(await verdictOn(anna, 3, [])).toBeUndefined();
    expect((await verdictOn(anna, 3, [3]))?.message).toBe(notBelow);
  });
});

describe("GroupContextExtensions (RFC 9420 §12.4, §17.4)", () => {
  const extensions: Proposal = {
    proposalType: "group_context_extensions",
    groupContextExtensions: {
      extensions: roomExtensions({
        kind: "group",
        name: "Renamed",
        administrators: [idFromBytes<UserId>(new Uint8Array(16))],
        timers: someTimers,
      }),
    },
  };

  test("are committed with a path, under the new extensions, and received so", async () => {
    const { anna, ben, world } = await groupOfTwo();
    const roomState = { ...anna.summary(id).roomState, name: "Renamed" };
    const before = anna.memory(id).state.ratchetTree[0];
    await orderCommit(id, anna, { roomState }, { others: [ben] });
    expect(ben.summary(id)).toEqual(anna.summary(id));
    expect(ben.summary(id).roomState.name).toBe("Renamed");
    const after = ben.memory(id).state.ratchetTree[0];
    if (before?.nodeType !== "leaf" || after?.nodeType !== "leaf") throw new Error("no leaf");
    expect(after.leaf.leafNodeSource).toBe("commit");
    expect(after.leaf.hpkePublicKey).not.toEqual(before.leaf.hpkePublicKey);
    expect(world.impl.name).toBe(suiteNames.aes128);
  });

  test("need a path in the receiver's eyes too", async () => {
    const { impl, state } = await groupOfTwo();
    const applied = await applyProposals(
      state,
      [{ proposalOrRefType: "proposal", proposal: extensions }],
      toLeafIndex(0),
      emptyPskIndex,
      false,
      impl,
    );
    expect(applied.needsUpdatePath).toBe(true);
  });
});

describe("unique keys (RFC 9420 §7.3)", () => {
  test("a new leaf may not have the keys of another member", async () => {
    const { impl, state, ben, world } = await groupOfTwo();
    const thief = new MlsDevice(world);
    for (const stolen of ["signature", "encryption"] as const) {
      const own = stolen === "signature" ? { ...thief.own, ...keysOf(ben) } : thief.own;
      const made = await createKeyPackage(impl, own, { nowMs: world.nowMs, lastResort: false });
      const benLeaf = state.ratchetTree[2];
      if (benLeaf?.nodeType !== "leaf") throw new Error("no leaf");
      const keyPackage =
        stolen === "signature"
          ? made.keyPackage
          : await resigned(thief, made.keyPackage, benLeaf.leaf.hpkePublicKey);
      const add: Proposal = { proposalType: "add", add: { keyPackage } };
      await expect(
        createCommit({ state, cipherSuite: impl }, { extraProposals: [add] }),
      ).rejects.toThrow("keys of the new leaf not unique");
    }
  });

  test("two new leaves of one commit may not have the same keys", async () => {
    const { impl, state, world } = await groupOfTwo();
    const [cleo, thief] = [new MlsDevice(world), new MlsDevice(world)];
    const owners = [cleo.own, { ...thief.own, ...keysOf(cleo) }];
    const adds = owners.map(async (own): Promise<Proposal> => {
      const made = await createKeyPackage(impl, own, { nowMs: world.nowMs, lastResort: false });
      return { proposalType: "add", add: { keyPackage: made.keyPackage } };
    });
    const extraProposals = await Promise.all(adds);
    const both = createCommit({ state, cipherSuite: impl }, { extraProposals });
    await expect(both).rejects.toThrow("keys of the new leaf not unique");
  });

  test("a new leaf may have the keys of one that the same commit removes", async () => {
    const { impl, state, ben, world } = await groupOfTwo();
    const { keyPackage } = await createKeyPackage(impl, ben.own, {
      nowMs: world.nowMs,
      lastResort: false,
    });
    const extraProposals: Proposal[] = [
      { proposalType: "remove", remove: { removed: 1 } },
      { proposalType: "add", add: { keyPackage } },
    ];
    const { welcome } = await createCommit({ state, cipherSuite: impl }, { extraProposals });
    expect(welcome?.secrets).toHaveLength(1);
  });

  function keysOf({ own }: MlsDevice) {
    return { signatureKey: own.signatureKey, signaturePrivateKey: own.signaturePrivateKey };
  }

  /** The key package with another encryption key, signed anew by its owner. */
  async function resigned(
    device: MlsDevice,
    keyPackage: KeyPackage,
    hpkePublicKey: Uint8Array,
  ): Promise<KeyPackage> {
    const { signature } = device.world.impl;
    const key = device.own.signaturePrivateKey;
    const leafNode = await signLeafNodeKeyPackage(
      { ...keyPackage.leafNode, hpkePublicKey },
      key,
      signature,
    );
    return signKeyPackage({ ...keyPackage, leafNode }, key, signature);
  }
});

describe("a commit that isn't ordered yet (RFC 9420 §9.1)", () => {
  test("moves the sender's ratchet of the present epoch on", async () => {
    const { impl, state, ben } = await groupOfTwo();
    const first = await createCommit({ state, cipherSuite: impl });
    const second = await createCommit({ state: first.sentState, cipherSuite: impl });
    const generations = await Promise.all(
      [first, second].map(async ({ commit }) => {
        if (commit.wireformat !== "mls_private_message") throw new Error("not private");
        const { senderDataSecret } = ben.memory(id).state.keySchedule;
        return (await decryptSenderData(commit.privateMessage, senderDataSecret, impl))?.generation;
      }),
    );
    expect(generations).toEqual([0, 1]);
    const received = await processPrivateMessage(
      ben.memory(id).state,
      second.commit.wireformat === "mls_private_message"
        ? second.commit.privateMessage
        : privateMessageOf(new Uint8Array(0)),
      emptyPskIndex,
      impl,
    );
    expect(received.newState.keySchedule.epochAuthenticator).toEqual(
      second.newState.keySchedule.epochAuthenticator,
    );
  });
});

describe("a commit that adds nobody (RFC 9420 §12.4.1)", () => {
  test("has no Welcome, and no GroupInfo is signed for one", async () => {
    const { impl, state } = await groupOfTwo();
    let signatures = 0;
    const counting: typeof impl = {
      ...impl,
      signature: {
        ...impl.signature,
        sign: (key, message) => {
          signatures += 1;
          return impl.signature.sign(key, message);
        },
      },
    };
    const { welcome } = await createCommit({ state, cipherSuite: counting });
    expect(welcome).toBeUndefined();
    // Its new leaf, and itself.
    expect(signatures).toBe(2);
  });
});

describe("a removal (RFC 9420 §12.3)", () => {
  test("is noticed by whoever loses their leaf to a device that the same commit adds (§7.7)", async () => {
    const { world, anna, ben } = await groupOfTwo();
    const cleo = new MlsDevice(world);
    const addKeyPackages = [await cleo.keyPackage()];
    const { bytes } = await anna.prepare(id, { removeDevices: [ben.deviceId], addKeyPackages });
    expect(await ben.open(id, bytes)).toMatchObject({ kind: "removed" });
  });
});

describe("external commits (RFC 9420 §12.4.3.2)", () => {
  test("that would replace a leaf which isn't there are refused instead of looping for ever", async () => {
    const { impl, state, world } = await groupOfTwo();
    const stranger = new MlsDevice(world);
    const info = await createGroupInfoWithExternalPubAndRatchetTree(state, [], impl);
    const made = await createKeyPackage(impl, stranger.own, {
      nowMs: world.nowMs,
      lastResort: false,
    });
    const { clientConfig } = createTrustGate(world.trust);
    await expect(
      joinGroupExternal(
        info,
        made.keyPackage,
        {
          initPrivateKey: made.initPrivateKey,
          hpkePrivateKey: made.hpkePrivateKey,
          signaturePrivateKey: stranger.own.signaturePrivateKey,
        },
        true,
        impl,
        undefined,
        clientConfig,
      ),
    ).rejects.toThrow("no former leaf");
  });
});

describe("the secret tree (RFC 9420 §9)", () => {
  test("begins with one secret, and keeps after a message only what stands beside its sender's path", async () => {
    const { impl } = createWorld();
    const secret = new Uint8Array(32).fill(7);
    const begun = await createSecretTree(8, secret, impl.kdf);
    expect(allSecretTreeValues(begun)).toEqual([secret]);
    const used = await consumeRatchet(begun, 6, "application", impl);
    // A sibling at each of three levels, and the leaf's two ratchets.
    const kept = allSecretTreeValues(used.newTree);
    expect(kept).toHaveLength(5);
    expect(allSecretTreeValues(begun)).toEqual([secret]);
    const gone = used.consumed.map(toHex);
    expect(gone).toContain(toHex(secret));
    expect(kept.map(toHex).filter((value) => gone.includes(value))).toEqual([]);
    expect(leafRatchets(used.newTree, 3)?.application.generation).toBe(1);
    expect(leafRatchets(used.newTree, 2)).toBeUndefined();
    await expect(consumeRatchet(begun, 16, "application", impl)).rejects.toThrow("Bad node index");
  });
});

describe("remembered tree hashes (RFC 9420 §7.8)", () => {
  test("are those of a tree that nobody has hashed before", async () => {
    const random = seededRandom(7);
    const world = createWorld();
    const founder = new MlsDevice(world);
    const guests = Array.from({ length: 5 }, () => new MlsDevice(world));
    await groupOf(id, founder, guests);
    for (let commit = 0; commit < 12; commit++) {
      const committer = random.pick([founder, ...guests]);
      const others = [founder, ...guests].filter((member) => member !== committer);
      const addKeyPackages = commit % 3 === 0 ? [await new MlsDevice(world).keyPackage()] : [];
      await orderCommit(id, committer, { addKeyPackages }, { others });
      const { groupContext, ratchetTree } = founder.memory(id).state;
      const fresh = structuredClone(ratchetTree);
      expect(groupContext.treeHash).toEqual(await treeHashRoot(fresh, world.impl.hash));
      expect(await verifyParentHashes(fresh, world.impl.hash)).toBe(true);
    }
  });
});

describe("optional values (RFC 9420 §2.1.1)", () => {
  test("a proposal of the member at leaf 0 keeps its sender in storage", async () => {
    const { impl, state } = await groupOfTwo();
    const remove: Proposal = { proposalType: "remove", remove: { removed: 0 } };
    const { newState } = await createProposal(state, false, remove, impl);
    const restored = decodeGroupState(encodeGroupState(newState), 0)?.[0];
    const senders = Object.values(restored?.unappliedProposals ?? {}).map(
      ({ senderLeafIndex }) => senderLeafIndex,
    );
    expect(senders).toEqual([0]);
  });
});

describe("Padmé padding (RFC 9420 §15.1)", () => {
  const padme: PaddingConfig = { kind: "padme", minimumLength: 256 };
  const padded = (length: number): number => length + byteLengthToPad(length, padme);

  test("never shortens, costs at most 12 % above its minimum, and keeps few lengths apart", () => {
    const lengths = new Set<number>();
    for (let length = 0; length <= 100_000; length++) {
      const result = padded(length);
      lengths.add(result);
      if (result < length || (length > 256 && result > length * 1.12)) {
        throw new Error(`${String(length)} becomes ${String(result)}`);
      }
    }
    expect(lengths.size).toBeLessThan(150);
  });

  test("pads as its authors' example does, and small ones to the minimum", () => {
    expect([0, 1, 200, 256].map(padded)).toEqual([256, 256, 256, 256]);
    expect([257, 1000, 100_000].map(padded)).toEqual([272, 1024, 100_352]);
  });

  test("is decoded like any other padding", async () => {
    const { impl, anna, ben } = await groupOfTwo();
    const { state } = ben.memory(id);
    const bytes = await anna.seal(id, "x".repeat(777));
    const opened = await unprotectPrivateMessage(
      state.keySchedule.senderDataSecret,
      privateMessageOf(bytes),
      state.secretTree,
      state.ratchetTree,
      state.groupContext,
      state.clientConfig.keyRetentionConfig,
      impl,
    );
    const { content } = opened.content;
    expect(content.contentType === "application" && content.applicationData.length).toBe(777);
    expect(defaultPaddingConfig).toEqual({ kind: "padUntilLength", padUntilLength: 256 });
  });
});
