import { describe, expect, test } from "vitest";
import {
  createCommit,
  createProposal,
  makePskIndex,
  type CreateCommitOptions,
  type Credential,
  type Proposal,
} from "ts-mls";
import { equalBytes, roomStateExtensionType, type RoomState } from "#protocol";
import {
  decodeKeyPackage,
  encodePrivateMessage,
  encodeWelcome,
} from "../../../../crypto/mls/codec.ts";
import { credentialOf } from "../../../../crypto/mls/credential.ts";
import { prepareCommit } from "../../../../crypto/mls/group-commit.ts";
import { proposeLeave } from "../../../../crypto/mls/group-messages.ts";
import { summaryOf } from "../../../../crypto/mls/memory.ts";
import { roomExtensions } from "../../../../crypto/mls/room.ts";
import { suiteNames } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { ensure } from "../../../support/ensure.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
  someTimers,
} from "../../../support/mls-device.ts";

// Members who don't ask their own rules before they commit: the library makes what they want, the others must refuse it.

const primitives = await loadPrimitives();
const id = conversationId(1);

async function groupOfThree(room: Partial<RoomState> = {}) {
  const world = createMlsWorld(primitives, { suite: suiteNames.aes128 });
  const [anna, mallory, cora] = [new MlsDevice(world), new MlsDevice(world), new MlsDevice(world)];
  await groupOf(id, anna, [mallory, cora], room);
  return { world, anna, mallory, cora };
}

/** `mallory`, as if their leaf had that credential: what their next commit puts into its path. */
function withLeaf(mallory: MlsDevice, credential: Credential): Pick<MlsDevice, "memory"> {
  const memory = mallory.memory(id);
  const ratchetTree = memory.state.ratchetTree.map((node) =>
    node?.nodeType === "leaf" && equalBytes(node.leaf.signaturePublicKey, mallory.own.signatureKey)
      ? { ...node, leaf: { ...node.leaf, credential } }
      : node,
  );
  return { memory: () => ({ ...memory, state: { ...memory.state, ratchetTree } }) };
}

async function commitWithoutRules(
  mallory: Pick<MlsDevice, "memory">,
  options: CreateCommitOptions,
) {
  const { impl, state } = mallory.memory(id);
  const made = await createCommit(
    { state, cipherSuite: impl, pskIndex: makePskIndex(state, {}) },
    { ratchetTreeExtension: true, ...options },
  );
  if (made.commit.wireformat !== "mls_private_message") throw new Error("not private");
  return { ...made, bytes: encodePrivateMessage(made.commit.privateMessage) };
}

/** What `victim` makes of a commit with `proposals`; whatever it is, the group must go on for them as before. */
async function judged(
  mallory: MlsDevice,
  victim: MlsDevice,
  proposals: readonly Proposal[],
): Promise<string> {
  const before = victim.memory(id);
  const { bytes } = await commitWithoutRules(mallory, { extraProposals: [...proposals] });
  const outcome = await victim.open(id, bytes);
  if (outcome.kind !== "refused") return outcome.kind;
  expect(victim.memory(id)).toBe(before);
  return outcome.code;
}

function extensions(room: RoomState): Proposal {
  return {
    proposalType: "group_context_extensions",
    groupContextExtensions: { extensions: roomExtensions(room) },
  };
}

function remove(device: MlsDevice, of: MlsDevice): Proposal {
  const { ratchetTree } = of.memory(id).state;
  const nodeIndex = ratchetTree.findIndex(
    (node) =>
      node?.nodeType === "leaf" &&
      equalBytes(node.leaf.signaturePublicKey, device.own.signatureKey),
  );
  return { proposalType: "remove", remove: { removed: nodeIndex / 2 } };
}

async function add(device: MlsDevice): Promise<Proposal> {
  return {
    proposalType: "add",
    add: { keyPackage: decodeKeyPackage(await device.keyPackage()) },
  };
}

describe("a receiver refuses, and keeps its state, when a member", () => {
  test.each(["group", "room"] as const)("removes somebody in a %s", async (kind) => {
    const { mallory, anna, cora } = await groupOfThree({ kind });
    expect(await judged(mallory, anna, [remove(cora, mallory)])).toBe("not-allowed");
    expect(await judged(mallory, cora, [remove(anna, mallory)])).toBe("not-allowed");
  });

  test("changes the timers or the roles of a group", async () => {
    const { mallory, anna, cora } = await groupOfThree();
    const { roomState } = anna.summary(id);
    const timers = { expirationSeconds: 10, burnSeconds: null };
    expect(await judged(mallory, anna, [extensions({ ...roomState, timers })])).toBe("not-allowed");
    const administrators = [mallory.userId];
    expect(await judged(mallory, cora, [extensions({ ...roomState, administrators })])).toBe(
      "not-allowed",
    );
  });

  test("adds to or renames a room", async () => {
    const { world, mallory, anna } = await groupOfThree({ kind: "room" });
    expect(await judged(mallory, anna, [await add(new MlsDevice(world))])).toBe("not-allowed");
    const renamed = { ...anna.summary(id).roomState, name: "Mine" };
    expect(await judged(mallory, anna, [extensions(renamed)])).toBe("not-allowed");
  });

  test("brings a third person into a direct conversation", async () => {
    const world = createMlsWorld(primitives, { suite: suiteNames.aes128 });
    const [anna, mallory] = [new MlsDevice(world), new MlsDevice(world)];
    const administrators = [anna.userId, mallory.userId];
    await groupOf(id, anna, [mallory], { kind: "direct", name: "", administrators });
    const third = new MlsDevice(world);
    expect(await judged(mallory, anna, [await add(third)])).toBe("not-allowed");
  });

  test("turns the conversation into another kind", async () => {
    const { mallory, anna } = await groupOfThree();
    const { roomState } = anna.summary(id);
    expect(await judged(mallory, anna, [extensions({ ...roomState, kind: "direct" })])).toBe(
      "commit-refused",
    );
  });

  test("adds a foreign extension, drops a required one or leaves the state unreadable", async () => {
    const { mallory, anna } = await groupOfThree();
    const [required, room] = roomExtensions(anna.summary(id).roomState);
    const unreadable = { extensionType: roomStateExtensionType, extensionData: Uint8Array.of(1) };
    const foreign = { extensionType: 0x000a, extensionData: new Uint8Array(0) };
    for (const [wanted, code] of [
      [[ensure(required), ensure(room), foreign], "commit-refused"],
      [[ensure(room)], "commit-refused"],
      [[ensure(required), unreadable], "frame-malformed"],
    ] as const) {
      const proposal: Proposal = {
        proposalType: "group_context_extensions",
        groupContextExtensions: { extensions: [...wanted] },
      };
      expect(await judged(mallory, anna, [proposal])).toBe(code);
    }
  });

  test("uses proposals that Sotto doesn't: reinit and pre-shared keys", async () => {
    const { mallory, anna } = await groupOfThree();
    const { groupContext } = mallory.memory(id).state;
    const reinit: Proposal = {
      proposalType: "reinit",
      reinit: { ...groupContext, groupId: new Uint8Array(16) },
    };
    expect(await judged(mallory, anna, [reinit])).toBe("commit-refused");
    const psk: Proposal = {
      proposalType: "psk",
      psk: {
        preSharedKeyId: {
          psktype: "resumption",
          usage: "application",
          pskGroupId: groupContext.groupId,
          pskEpoch: groupContext.epoch,
          pskNonce: new Uint8Array(32),
        },
      },
    };
    expect(await judged(mallory, anna, [psk])).toBe("commit-refused");
  });

  test("adds a device of another network", async () => {
    const { world, mallory, anna } = await groupOfThree();
    const stranger = new MlsDevice(world);
    const foreign = { ...stranger.own, networkId: stranger.own.userId as never };
    Object.defineProperty(stranger, "own", { value: foreign });
    expect(await judged(mallory, anna, [await add(stranger)])).toBe("commit-refused");
  });

  test.each(["an outsider", "another member"] as const)(
    "turns their own leaf into that of %s",
    async (whose) => {
      const { world, mallory, anna, cora } = await groupOfThree();
      const { own } = whose === "an outsider" ? new MlsDevice(world) : cora;
      const before = anna.memory(id);
      const { bytes } = await commitWithoutRules(withLeaf(mallory, credentialOf(own)), {});
      expect(await anna.open(id, bytes)).toEqual({ kind: "refused", code: "commit-refused" });
      expect(anna.memory(id)).toBe(before);
    },
  );

  test("sends the commit as a public message, which the relay could read", async () => {
    const { mallory, anna } = await groupOfThree();
    const { impl, state } = mallory.memory(id);
    const { encodeMlsMessage } = await import("ts-mls");
    const { commit } = await createCommit(
      { state, cipherSuite: impl },
      { wireAsPublicMessage: true },
    );
    expect(await anna.open(id, encodeMlsMessage(commit))).toEqual({
      kind: "refused",
      code: "frame-malformed",
    });
  });

  test("proposes anything for others to commit but their own leaving", async () => {
    const { world, mallory, anna, cora } = await groupOfThree();
    const { impl, state } = mallory.memory(id);
    const wanted: readonly Proposal[] = [
      remove(cora, mallory),
      await add(new MlsDevice(world)),
      extensions({ ...anna.summary(id).roomState, name: "Mine" }),
    ];
    for (const proposal of wanted) {
      const { message } = await createProposal(state, false, proposal, impl);
      if (message.wireformat !== "mls_private_message") throw new Error("not private");
      const before = anna.memory(id);
      expect(await anna.open(id, encodePrivateMessage(message.privateMessage))).toEqual({
        kind: "refused",
        code: "not-allowed",
      });
      expect(anna.memory(id)).toBe(before);
    }
  });
});

test("a wish to leave said twice stops nobody from carrying it out", async () => {
  const { mallory, anna, cora } = await groupOfThree();
  const { impl } = mallory.world;
  let { state } = mallory.memory(id);
  for (let time = 0; time < 2; time++) {
    const made = await createProposal(state, false, remove(mallory, mallory), impl);
    state = made.newState;
    if (made.message.wireformat !== "mls_private_message") throw new Error("not private");
    const bytes = encodePrivateMessage(made.message.privateMessage);
    for (const device of [anna, cora]) {
      expect(await device.open(id, bytes)).toMatchObject({ kind: "leave-proposed" });
    }
  }
  const prepared = await cora.prepare(id);
  cora.settle(id, true);
  expect(await anna.open(id, prepared.bytes)).toMatchObject({
    kind: "commit",
    change: { removed: [{ deviceId: mallory.deviceId }] },
  });
  expect(await cora.read(id, await anna.seal(id, "quiet"))).toBe("quiet");
});

describe("a newcomer refuses the Welcome", () => {
  async function invited(mallory: MlsDevice, newcomer: MlsDevice) {
    const { welcome } = await commitWithoutRules(mallory, {
      extraProposals: [await add(newcomer)],
    });
    return newcomer.join(id, encodeWelcome(ensure(welcome)));
  }

  test("of a member of a room who may not invite", async () => {
    const { world, mallory, anna } = await groupOfThree({ kind: "room" });
    expect(await invited(mallory, new MlsDevice(world))).toEqual({
      kind: "refused",
      code: "not-allowed",
    });
    expect(await invited(anna, new MlsDevice(world))).toMatchObject({ kind: "joined" });
  });

  test("to a direct conversation of others", async () => {
    const world = createMlsWorld(primitives, { suite: suiteNames.aes128 });
    const [anna, mallory] = [new MlsDevice(world), new MlsDevice(world)];
    const administrators = [anna.userId, mallory.userId];
    await groupOf(id, anna, [mallory], { kind: "direct", name: "", administrators });
    expect(await invited(mallory, new MlsDevice(world))).toEqual({
      kind: "refused",
      code: "commit-refused",
    });
  });
});

describe("a role ends with its person's membership", () => {
  async function leaves(device: MlsDevice, others: readonly MlsDevice[]) {
    const { memory, entries } = await proposeLeave(device.memory(id));
    device.keep(id, memory);
    for (const entry of entries) {
      for (const other of others) {
        expect(await other.open(id, entry)).toMatchObject({ kind: "leave-proposed" });
      }
    }
  }

  test("the only administrator leaves: the first of the others succeeds, whoever commits", async () => {
    const { anna, mallory, cora } = await groupOfThree({ kind: "room" });
    await leaves(anna, [mallory, cora]);
    await orderCommit(id, cora, {}, { others: [anna, mallory] });
    for (const device of [mallory, cora]) {
      expect(device.summary(id).roomState.administrators).toEqual([mallory.userId]);
    }
    const timers = { expirationSeconds: 60, burnSeconds: null };
    const { roomState } = mallory.summary(id);
    await orderCommit(id, mallory, { roomState: { ...roomState, timers } }, { others: [cora] });
    // Who comes back comes back without the role.
    const addKeyPackages = [await anna.keyPackage()];
    await orderCommit(id, mallory, { addKeyPackages }, { others: [cora], newcomers: [anna] });
    expect(anna.summary(id).roomState.administrators).toEqual([mallory.userId]);
  });

  test("one of two administrators leaves while the other changes something", async () => {
    const { anna, mallory, cora } = await groupOfThree();
    const administrators = [anna.userId, mallory.userId];
    const { roomState } = anna.summary(id);
    const both = { ...roomState, administrators };
    await orderCommit(id, anna, { roomState: both }, { others: [mallory, cora] });
    await leaves(anna, [mallory, cora]);
    // Made from what its maker was shown: Anna is still named in it.
    await orderCommit(id, cora, { roomState: { ...both, name: "New" } }, { others: [mallory] });
    expect(mallory.summary(id).roomState).toEqual({
      ...both,
      name: "New",
      administrators: [mallory.userId],
    });
  });

  test("receivers refuse a successor of the committer's choice, and none at all", async () => {
    const { anna, mallory, cora } = await groupOfThree();
    const { roomState } = anna.summary(id);
    await leaves(anna, [mallory, cora]);
    expect(await judged(cora, mallory, [])).toBe("commit-refused");
    const chosen = extensions({ ...roomState, administrators: [cora.userId] });
    expect(await judged(cora, mallory, [chosen])).toBe("not-allowed");
    const right = extensions({ ...roomState, administrators: [mallory.userId] });
    expect(await judged(cora, mallory, [right])).toBe("commit");
  });

  test("receivers refuse a removal, or a change of roles, that leaves an absent one named", async () => {
    const { world, anna, mallory, cora } = await groupOfThree();
    const { roomState } = anna.summary(id);
    const both = { ...roomState, administrators: [anna.userId, mallory.userId] };
    await orderCommit(id, anna, { roomState: both }, { others: [mallory, cora] });
    expect(await judged(anna, cora, [remove(mallory, anna)])).toBe("commit-refused");
    const absent = { ...both, administrators: [new MlsDevice(world).userId] };
    expect(await judged(anna, cora, [extensions(absent)])).toBe("commit-refused");
    const lonely = { ...both, administrators: [mallory.userId] };
    expect(await judged(anna, cora, [remove(mallory, anna), extensions(lonely)])).toBe(
      "commit-refused",
    );
    // Made by the rules, the same removal takes the role along.
    const removeDevices = [mallory.deviceId];
    await orderCommit(id, anna, { removeDevices }, { others: [cora, mallory] });
    expect(cora.summary(id).roomState.administrators).toEqual([anna.userId]);
  });

  test("who is named without being there administers nothing, now or after coming in", async () => {
    const { world, anna, cora } = await groupOfThree();
    const stranger = new MlsDevice(world);
    const memory = anna.memory(id);
    const administrators = [stranger.userId, cora.userId];
    const { groupContext } = memory.state;
    const named = roomExtensions({ ...anna.summary(id).roomState, administrators });
    const state = { ...memory.state, groupContext: { ...groupContext, extensions: named } };
    expect(summaryOf({ state }).roomState.administrators).toEqual([cora.userId]);
    const prepared = await prepareCommit(
      { ...memory, state },
      { ...world.nothing, addKeyPackages: [await stranger.keyPackage()] },
      world.nowMs,
    );
    expect(prepared.memory.pending?.change.after.administrators).toEqual([cora.userId]);
  });

  test("nobody is named before they are there", async () => {
    const world = createMlsWorld(primitives, { suite: suiteNames.aes128 });
    const [anna, ben] = [new MlsDevice(world), new MlsDevice(world)];
    const begun = groupOf(id, anna, [], { administrators: [anna.userId, ben.userId] });
    await expect(begun).rejects.toMatchObject({ code: "argument-invalid" });
  });

  test("a newcomer refuses a Welcome to a group in which somebody absent is named", async () => {
    const { world, anna } = await groupOfThree();
    const [newcomer, absent] = [new MlsDevice(world), new MlsDevice(world)];
    const administrators = [anna.userId, absent.userId];
    const { welcome } = await commitWithoutRules(anna, {
      extraProposals: [
        await add(newcomer),
        extensions({ ...anna.summary(id).roomState, administrators }),
      ],
    });
    expect(await newcomer.join(id, encodeWelcome(ensure(welcome)))).toEqual({
      kind: "refused",
      code: "commit-refused",
    });
  });
});

describe("what roles don't forbid", () => {
  test("a member's further device may be brought in by anybody, into a room too", async () => {
    const { world, mallory, anna, cora } = await groupOfThree({ kind: "room" });
    const second = new MlsDevice(world, cora.userId);
    const prepared = await mallory.prepare(id, { addKeyPackages: [await second.keyPackage()] });
    mallory.settle(id, true);
    for (const device of [anna, cora]) {
      expect(await device.open(id, prepared.bytes)).toMatchObject({
        kind: "commit",
        change: { added: [{ userId: cora.userId, deviceId: second.deviceId }] },
      });
    }
    expect(await second.join(id, ensure(prepared.welcome))).toMatchObject({ kind: "joined" });
  });

  test("a person may remove another device of their own", async () => {
    const { world, anna, mallory, cora } = await groupOfThree();
    const second = new MlsDevice(world, cora.userId);
    const added = await anna.prepare(id, { addKeyPackages: [await second.keyPackage()] });
    anna.settle(id, true);
    for (const device of [mallory, cora]) await device.open(id, added.bytes);
    await second.join(id, ensure(added.welcome));
    const removed = await second.prepare(id, { removeDevices: [cora.deviceId] });
    second.settle(id, true);
    expect(await anna.open(id, removed.bytes)).toMatchObject({ kind: "commit" });
    expect(await cora.open(id, removed.bytes)).toMatchObject({ kind: "removed" });
    expect(anna.summary(id).members).toHaveLength(3);
  });

  test("anybody may renew their keys", async () => {
    const { mallory, anna } = await groupOfThree({ kind: "room", timers: someTimers });
    expect(await judged(mallory, anna, [])).toBe("commit");
  });
});
